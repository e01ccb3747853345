/*
 * socketmap: the lookup protocol of Postfix and Sendmail, inside netstrings.
 */
#include "wire/socketmap.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/netstring.h"

static const char *const status_names[] = {
    [SOCKETMAP_OK] = "OK",           [SOCKETMAP_NOTFOUND] = "NOTFOUND", [SOCKETMAP_TEMP] = "TEMP",
    [SOCKETMAP_TIMEOUT] = "TIMEOUT", [SOCKETMAP_PERM] = "PERM",
};

/* "word rest" in two owned strings. */
static gboolean
split(const char *payload, gsize length, char **word, char **rest, GError **error)
{
    const char *space = memchr(payload, ' ', length);
    const char *fault = NULL;

    if (memchr(payload, '\0', length) != NULL)
        fault = "a NUL octet in it";
    else if (space == NULL)
        fault = "no space in it";
    else if (space == payload)
        fault = "nothing before the space";
    if (fault != NULL) {
        g_autofree char *start = g_strndup(payload, MIN(length, 40));
        g_autofree char *shown = text_escape(start);
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL,
                    "not of the socketmap protocol: %s: \"%s\"", fault, shown);
        return FALSE;
    }
    gsize before = (gsize)(space - payload);
    *word = g_strndup(payload, before);
    *rest = g_strndup(space + 1, length - before - 1);
    return TRUE;
}

gboolean
socketmap_request_parse(const char *payload, gsize length, SocketmapRequest *request,
                        GError **error)
{
    *request = (SocketmapRequest){0};
    return split(payload, length, &request->name, &request->key, error);
}

void
socketmap_request_clear(SocketmapRequest *request)
{
    g_clear_pointer(&request->name, g_free);
    g_clear_pointer(&request->key, g_free);
}

/* A netstring of "word rest", rest being `length` octets. */
static void
append(GString *out, const char *word, const char *rest, gsize length)
{
    g_string_append_printf(out, "%" G_GSIZE_FORMAT ":%s ", strlen(word) + 1 + length, word);
    g_string_append_len(out, rest, (gssize)length);
    g_string_append_c(out, ',');
}

void
socketmap_request_append(GString *out, const char *name, const char *key)
{
    g_assert(*name != '\0' && strchr(name, ' ') == NULL);
    append(out, name, key, strlen(key));
}

gboolean
socketmap_answer_parse(const char *payload, gsize length, SocketmapAnswer *answer, GError **error)
{
    g_autofree char *word = NULL;

    *answer = (SocketmapAnswer){0};
    if (!split(payload, length, &word, &answer->text, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(status_names); i++)
        if (strcmp(word, status_names[i]) == 0) {
            answer->status = (SocketmapStatus)i;
            return TRUE;
        }
    g_autofree char *shown = text_clean(word, 40);
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL,
                "not of the socketmap protocol: unknown status \"%s\"", shown);
    return FALSE;
}

void
socketmap_answer_clear(SocketmapAnswer *answer)
{
    g_clear_pointer(&answer->text, g_free);
}

SocketmapStatus
socketmap_answer_append(GString *out, SocketmapStatus status, const char *text)
{
    gsize length = text != NULL ? strlen(text) : 0;

    if (length > SOCKETMAP_TEXT_MAX) {
        if (status == SOCKETMAP_OK) {
            status = SOCKETMAP_NOTFOUND;
            length = 0;
        } else {
            length = SOCKETMAP_TEXT_MAX;
        }
    }
    append(out, status_names[status], text != NULL ? text : "", length);
    return status;
}

void
socketmap_answer_append_whole(GString *out, SocketmapStatus status, const char *text)
{
    append(out, status_names[status], text, strlen(text));
}
