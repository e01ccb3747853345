/*
 * milter_text: '%' in a text that goes over a milter's wire or into libmilter.
 */
#include "engine/milter_text.h"

char *
milter_text_escape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        if (*text == '%')
            g_string_append_c(out, '%');
        g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

char *
milter_text_unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text != '\0'; text++) {
        g_string_append_c(out, *text);
        if (text[0] == '%' && text[1] == '%')
            text++;
    }
    return g_string_free(out, FALSE);
}

gssize
milter_text_lone_percent(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        if (text[i] != '%')
            continue;
        if (i + 1 == length || text[i + 1] != '%')
            return (gssize)i;
        i++;
    }
    return -1;
}
