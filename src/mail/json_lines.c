/*
 * json_lines: Jansson reads, this file writes lines.
 */
#include "mail/json_lines.h"

#include <jansson.h>
#include <string.h>

/* What Sendmail puts where it breaks a long line is "!\n "; others put "\n" or "\n ". */
static GString *
unbroken(const char *text, gsize length)
{
    GString *out = g_string_sized_new(length);
    for (gsize i = 0; i < length; i++) {
        gboolean mark = text[i] == '!' && i + 1 < length && text[i + 1] == '\n';
        if (mark)
            i++;
        if (text[i] == '\n' || text[i] == '\r') {
            if (i + 1 < length && text[i + 1] == ' ')
                i++;
        } else {
            g_string_append_c(out, text[i]);
        }
    }
    return out;
}

static void write_value(GString *out, GString *path, const json_t *value);

static void
write_member(GString *out, GString *path, const char *key, const json_t *value)
{
    gsize length = path->len;
    if (length > 0)
        g_string_append_c(path, '.');
    g_string_append(path, key);
    write_value(out, path, value);
    g_string_truncate(path, length);
}

static void
write_object(GString *out, GString *path, const json_t *object)
{
    for (void *at = json_object_iter((json_t *)object); at != NULL;
         at = json_object_iter_next((json_t *)object, at))
        write_member(out, path, json_object_iter_key(at), json_object_iter_value(at));
}

static void
write_array(GString *out, GString *path, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *element = json_array_get(array, i);
        if (json_is_object(element))
            g_string_append_c(out, '\n');
        write_value(out, path, element);
        if (json_is_object(element))
            g_string_append_c(out, '\n');
    }
}

/* A notice in a notice (SNS sends it as "Message") is read as if it stood alone. */
static gboolean
write_inner(GString *out, const GString *path, const char *text)
{
    json_t *inner = NULL;
    if (text[0] == '{' && strchr(path->str, '.') == NULL)
        inner = json_loads(text, 0, NULL);
    if (inner == NULL)
        return FALSE;
    GString *inner_path = g_string_new(NULL);
    write_object(out, inner_path, inner);
    g_string_free(inner_path, TRUE);
    json_decref(inner);
    return TRUE;
}

static void
write_string(GString *out, const GString *path, const char *text)
{
    g_string_append_printf(out, "%s: ", path->str);
    for (; *text != '\0'; text++)
        g_string_append_c(out, g_ascii_iscntrl(*text) ? ' ' : *text);
    g_string_append_c(out, '\n');
}

static void
write_value(GString *out, GString *path, const json_t *value)
{
    if (json_is_object(value))
        write_object(out, path, value);
    else if (json_is_array(value))
        write_array(out, path, value);
    else if (json_is_string(value) && !write_inner(out, path, json_string_value(value)))
        write_string(out, path, json_string_value(value));
}

GString *
json_lines_new(const char *text, gsize length)
{
    const char *start = memchr(text, '{', length);
    if (start == NULL || length > JSON_LINES_OCTETS)
        return NULL;
    GString *json = unbroken(start, length - (gsize)(start - text));
    json_t *root = json_loadb(json->str, json->len, JSON_DISABLE_EOF_CHECK, NULL);
    g_string_free(json, TRUE);
    if (root == NULL)
        return NULL;
    GString *out = g_string_new(NULL), *path = g_string_new(NULL);
    write_value(out, path, root);
    g_string_free(path, TRUE);
    json_decref(root);
    return out;
}
