/*
 * json_line: writes one JSON object as a line of 7-bit ASCII.
 */
#include "record/json_line.h"

#include <string.h>

#define ELLIPSIS    "..."
#define REPLACEMENT 0xfffd

void
json_line_begin(JsonLine *line, gsize limit)
{
    g_assert(limit >= 16);
    *line = (JsonLine){.out = g_string_sized_new(1024), .limit = limit};
    g_string_append_c(line->out, '{');
}

char *
json_line_end(JsonLine *line)
{
    g_string_append_c(line->out, '}');
    char *text = g_string_free(line->out, FALSE);
    line->out = NULL;
    return text;
}

static void
append_separator(JsonLine *line)
{
    if (line->begun)
        g_string_append_c(line->out, ',');
    line->begun = TRUE;
}

static void
append_key(JsonLine *line, const char *key)
{
    append_separator(line);
    g_string_append_c(line->out, '"');
    g_string_append(line->out, key);
    g_string_append_len(line->out, "\":", 2);
}

static void
open_member(JsonLine *line, const char *key, char bracket)
{
    append_key(line, key);
    g_string_append_c(line->out, bracket);
    line->begun = FALSE;
}

static void
close_member(JsonLine *line, char bracket)
{
    g_string_append_c(line->out, bracket);
    line->begun = TRUE;
}

void
json_line_open_object(JsonLine *line, const char *key)
{
    open_member(line, key, '{');
}

void
json_line_close_object(JsonLine *line)
{
    close_member(line, '}');
}

void
json_line_open_array(JsonLine *line, const char *key)
{
    open_member(line, key, '[');
}

void
json_line_close_array(JsonLine *line)
{
    close_member(line, ']');
}

/* Octets that stand for themselves. */
static gsize
plain_run(const char *text)
{
    const char *end = text;
    while (*end >= 0x20 && *end < 0x7f && *end != '"' && *end != '\\')
        end++;
    return (gsize)(end - text);
}

static void
append_unit(GString *out, guint unit)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\',
                      'u',
                      digits[unit >> 12 & 15],
                      digits[unit >> 8 & 15],
                      digits[unit >> 4 & 15],
                      digits[unit & 15]};
    g_string_append_len(out, escape, sizeof(escape));
}

/* One letter that does not stand for itself; returns the octets that it takes. */
static gsize
append_escaped(GString *out, const char *text)
{
    guchar octet = (guchar)*text;
    if (octet == '"' || octet == '\\') {
        g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
        return 1;
    }
    gunichar letter = g_utf8_get_char_validated(text, -1);
    if (letter == (gunichar)-1 || letter == (gunichar)-2) {
        append_unit(out, REPLACEMENT);
        return 1;
    }
    if (letter > 0xffff) {
        append_unit(out, 0xd800 + ((letter - 0x10000) >> 10));
        append_unit(out, 0xdc00 + ((letter - 0x10000) & 0x3ff));
    } else {
        append_unit(out, letter);
    }
    return (gsize)g_unichar_to_utf8(letter, NULL);
}

/* `room` is the last length of `out` at which the dots still had their place. */
static void
append_value(GString *out, const char *text, gsize limit)
{
    gsize start = out->len, room = out->len;
    const gsize keep = limit - strlen(ELLIPSIS);
    while (*text != '\0' && out->len - start <= limit) {
        gsize before = out->len - start, taken = plain_run(text);
        if (taken > 0)
            g_string_append_len(out, text, (gssize)MIN(taken, limit + 1 - before));
        else
            taken = append_escaped(out, text);
        if (out->len - start <= keep)
            room = out->len;
        else if (taken > 1 && before <= keep && plain_run(text) > 0)
            room = start + keep;
        text += taken;
    }
    if (out->len - start > limit) {
        g_string_truncate(out, room);
        g_string_append(out, ELLIPSIS);
    }
}

static void
append_string(JsonLine *line, const char *value)
{
    g_string_append_c(line->out, '"');
    append_value(line->out, value, line->limit);
    g_string_append_c(line->out, '"');
}

void
json_line_string(JsonLine *line, const char *key, const char *value)
{
    if (value == NULL)
        return;
    append_key(line, key);
    append_string(line, value);
}

void
json_line_element(JsonLine *line, const char *value)
{
    append_separator(line);
    append_string(line, value);
}

void
json_line_number(JsonLine *line, const char *key, gint64 value)
{
    char digits[24];
    append_key(line, key);
    (void)g_snprintf(digits, sizeof(digits), "%" G_GINT64_FORMAT, value);
    g_string_append(line->out, digits);
}

void
json_line_null(JsonLine *line, const char *key)
{
    append_key(line, key);
    g_string_append_len(line->out, "null", 4);
}

void
json_line_boolean(JsonLine *line, const char *key, gboolean value)
{
    append_key(line, key);
    g_string_append(line->out, value ? "true" : "false");
}
