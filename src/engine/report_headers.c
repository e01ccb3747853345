/*
 * report_headers: the headers that tell programs what a report means.
 */
#include "engine/report_headers.h"

#include <string.h>

#include "mail/header_fields.h"

/* Octets of a value, so that the line stays below the 998 of RFC 5322. */
#define VALUE_MAX 900

enum { KIND, CATEGORY, ACTION, RECIPIENT, STATUS };

static const char *const names[] = {
    [KIND] = "X-Bounce-Kind",     [CATEGORY] = "X-Bounce-Category",
    [ACTION] = "X-Bounce-Action", [RECIPIENT] = "X-Bounce-Recipient",
    [STATUS] = "X-Bounce-Status", NULL,
};

const char *const *
report_header_names(void)
{
    return names;
}

int
report_header_find(const char *name)
{
    gsize length = strcspn(name, " \t\r\n");
    if (name[length + strspn(name + length, " \t\r\n")] != '\0')
        return -1;
    for (int i = 0; names[i] != NULL; i++)
        if (strlen(names[i]) == length && g_ascii_strncasecmp(name, names[i], length) == 0)
            return i;
    return -1;
}

/* ---- ours ------------------------------------------------------------------------------------ */

static void
clear_header(gpointer header)
{
    g_free(((ReportHeader *)header)->value);
}

GArray *
report_headers_new(void)
{
    GArray *headers = g_array_new(FALSE, FALSE, sizeof(ReportHeader));
    g_array_set_clear_func(headers, clear_header);
    return headers;
}

static void
add(GArray *headers, int which, const char *hostname, const char *value)
{
    ReportHeader header = {.name = names[which]};
    header.value = g_strdup_printf("%s; %s", hostname, value);
    g_array_append_val(headers, header);
}

/* An address in 7-bit letters; NULL: it is none that could stand in a header. */
static char *
printable_address(const char *address)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (!g_utf8_validate(address, -1, NULL))
        return NULL;
    for (; *address != '\0'; address = g_utf8_next_char(address)) {
        gunichar letter = g_utf8_get_char(address);
        if (letter < 0x20 || letter == 0x7f)
            return NULL;
        if (letter < 0x7f)
            g_string_append_c(out, (char)letter);
        else
            g_string_append_printf(out, "\\x{%X}", letter);
    }
    return out->len <= VALUE_MAX ? g_strdup(out->str) : NULL;
}

void
report_headers_add(GArray *headers, const char *hostname, const char *recipient,
                   const Decision *decision)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    add(headers, KIND, hostname, mail_kind_name(decision->kind));
    add(headers, CATEGORY, hostname, category_info(decision->cause.category)->name);
    add(headers, ACTION, hostname, action_name(decision->cause.action));
    g_autofree char *address = recipient != NULL ? printable_address(recipient) : NULL;
    if (address != NULL)
        add(headers, RECIPIENT, hostname, address);
    if (decision->original != NULL && enhanced_status_is_set(decision->original->status))
        add(headers, STATUS, hostname, enhanced_status_format(decision->original->status, status));
}

/* ---- others' --------------------------------------------------------------------------------- */

/* Behind white space and comments (RFC 5322 section 3.2.2). */
static const char *
skip_comments(const char *at)
{
    guint depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '(')
            depth++;
        else if (*at == ')' && depth > 0)
            depth--;
        else if (*at == '\\' && depth > 0 && at[1] != '\0')
            at++;
        else if (depth == 0 && strchr(" \t\r\n", *at) == NULL)
            break;
    }
    return at;
}

/* The first word, quotes undone; a dot at its end does not count. The caller frees it. */
static char *
first_word(const char *at)
{
    GString *word = g_string_new(NULL);
    gboolean quoted = FALSE;
    for (; *at != '\0' && (quoted || strchr("; \t\r\n(", *at) == NULL); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == '\\' && quoted && at[1] != '\0')
            g_string_append_c(word, *++at);
        else
            g_string_append_c(word, *at);
    }
    while (word->len > 0 && word->str[word->len - 1] == '.')
        g_string_truncate(word, word->len - 1);
    g_strstrip(word->str);
    return g_string_free(word, FALSE);
}

static gboolean
begins_with(const char *value, const char *hostname)
{
    g_autofree char *word = first_word(skip_comments(value));
    return g_ascii_strcasecmp(word, hostname) == 0;
}

gboolean
report_header_is_from(const char *value, const char *hostname)
{
    if (begins_with(value, hostname))
        return TRUE;
    g_autofree char *decoded = header_words_decode(value);
    return begins_with(decoded, hostname);
}
