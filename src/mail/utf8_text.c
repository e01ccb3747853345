/*
 * utf8_text: octets of unknown charset made into UTF-8.
 */
#include "mail/utf8_text.h"

#include <string.h>

/* Windows-1252 at 0x80 to 0x9f (the Unicode consortium's CP1252.TXT); 0: not assigned. */
static const gunichar windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

gboolean
utf8_text_has_8bit(const char *text, gsize length)
{
    while (length >= sizeof(guint64)) {
        guint64 octets;
        memcpy(&octets, text, sizeof(octets));
        if ((octets & G_GUINT64_CONSTANT(0x8080808080808080)) != 0)
            return TRUE;
        text += sizeof(octets);
        length -= sizeof(octets);
    }
    for (gsize i = 0; i < length; i++)
        if ((guchar)text[i] >= 0x80)
            return TRUE;
    return FALSE;
}

static gunichar
latin_letter(guchar octet)
{
    if (octet >= 0xa0)
        return octet;
    gunichar letter = windows_1252[octet - 0x80];
    return letter != 0 ? letter : 0xfffd;
}

void
utf8_text_mend(GString *text)
{
    if (!utf8_text_has_8bit(text->str, text->len))
        return;
    const char *at = text->str, *end = text->str + text->len, *stop;
    if (g_utf8_validate_len(at, text->len, &stop))
        return;
    g_autoptr(GString) mended = g_string_sized_new(text->len + text->len / 8 + 16);
    while (!g_utf8_validate_len(at, (gsize)(end - at), &stop)) {
        g_string_append_len(mended, at, stop - at);
        /* A NUL is no fault here, though it is one to GLib. */
        if (*stop == '\0')
            g_string_append_c(mended, '\0');
        else
            g_string_append_unichar(mended, latin_letter((guchar)*stop));
        at = stop + 1;
    }
    g_string_append_len(mended, at, end - at);
    g_string_truncate(text, 0);
    g_string_append_len(text, mended->str, (gssize)mended->len);
}

gsize
utf8_text_cut(const char *text, gsize length, gsize limit)
{
    if (length <= limit)
        return length;
    while (limit > 0 && ((guchar)text[limit] & 0xc0) == 0x80)
        limit--;
    return limit;
}
