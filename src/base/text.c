/*
 * text: small services on strings that several rooms share.
 */
#include "base/text.h"

#include <string.h>

#define ELLIPSIS "..."

static void
append_escaped(GString *out, unsigned char octet)
{
    switch (octet) {
    case '\n':
        g_string_append(out, "\\n");
        break;
    case '\r':
        g_string_append(out, "\\r");
        break;
    case '\t':
        g_string_append(out, "\\t");
        break;
    case '\\':
        g_string_append(out, "\\\\");
        break;
    default:
        if (g_ascii_isprint((char)octet))
            g_string_append_c(out, (char)octet);
        else
            g_string_append_printf(out, "\\x%02x", octet);
    }
}

/* Not white space, no format character that could turn the line around. */
static gboolean
is_plain_letter(gunichar letter)
{
    GUnicodeType type = g_unichar_type(letter);
    return g_unichar_isgraph(letter) && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
text_escape(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    while (*text != '\0') {
        gunichar letter = g_utf8_get_char_validated(text, -1);
        gboolean valid = letter != (gunichar)-1 && letter != (gunichar)-2;
        if (valid && letter > 0x7f && is_plain_letter(letter)) {
            g_string_append_unichar(out, letter);
            text = g_utf8_next_char(text);
        } else {
            append_escaped(out, (unsigned char)*text++);
        }
    }
    return g_string_free(out, FALSE);
}

char *
text_clean(const char *text, gsize limit)
{
    gsize length = strlen(text);
    gboolean cut = length > limit;
    if (cut)
        length = limit > strlen(ELLIPSIS) ? limit - strlen(ELLIPSIS) : 0;
    GString *out = g_string_sized_new(length + sizeof(ELLIPSIS));
    for (gsize i = 0; i < length; i++) {
        char octet = text[i];
        if (octet == '\r' || octet == '\n' || octet == '\t')
            octet = ' ';
        else if (!g_ascii_isprint(octet))
            octet = '?';
        g_string_append_c(out, octet);
    }
    if (cut)
        g_string_append(out, ELLIPSIS);
    return g_string_free(out, FALSE);
}

gboolean
text_is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (!g_ascii_isprint(*text))
            return FALSE;
    return TRUE;
}

/* Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
static guint
distance(const char *a, const char *b)
{
    gsize rows = strlen(a) + 1, columns = strlen(b) + 1;
    g_autofree guint *cells = g_new(guint, rows * columns);
    for (gsize i = 0; i < rows; i++)
        cells[i * columns] = (guint)i;
    for (gsize j = 0; j < columns; j++)
        cells[j] = (guint)j;
    for (gsize i = 1; i < rows; i++) {
        for (gsize j = 1; j < columns; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            guint best = cells[(i - 1) * columns + j - 1] + (x == y ? 0 : 1);
            best = MIN(best, cells[(i - 1) * columns + j] + 1);
            best = MIN(best, cells[i * columns + j - 1] + 1);
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && g_ascii_tolower(a[i - 2]) == y)
                best = MIN(best, cells[(i - 2) * columns + j - 2] + 1);
            cells[i * columns + j] = best;
        }
    }
    return cells[rows * columns - 1];
}

const char *
text_nearest(const char *name, const char *const *candidates)
{
    enum { LONGEST_NAME = 64 };
    if (strlen(name) > LONGEST_NAME)
        return NULL;
    const char *nearest = NULL;
    guint allowed = (guint)MAX(strlen(name) / 2, 1), best = MIN(allowed, 4) + 1;
    for (; *candidates != NULL; candidates++) {
        guint steps = distance(name, *candidates);
        if (steps < best) {
            best = steps;
            nearest = *candidates;
        }
    }
    return nearest;
}

char *
text_help(GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    GString *text = g_string_new(help);
    g_string_replace(text, "\xe2\x80\xa6", "...", 0);
    return g_string_free(text, FALSE);
}
