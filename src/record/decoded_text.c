/*
 * decoded_text: a text with its encodings undone.
 */
#include "record/decoded_text.h"

#include <string.h>

/* What an encoded letter takes, and what it stands for. */
typedef struct {
    gsize taken;    /* 0: not encoded */
    gboolean empty; /* stands for nothing */
    char octet;
} Decoded;

static Decoded
decoded_octet(gsize taken, gint64 value)
{
    if (value < 0x20 || value > 0x7e)
        return (Decoded){0};
    return (Decoded){.taken = taken, .octet = (char)value};
}

/* `digits` hex digits at `text`, or -1. */
static gint64
hex_value(const char *text, guint digits)
{
    gint64 value = 0;
    for (guint i = 0; i < digits; i++) {
        int digit = g_ascii_xdigit_value(text[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static gboolean
has_upper_hex(const char *text)
{
    return hex_value(text, 2) >= 0 && !g_ascii_islower(text[0]) && !g_ascii_islower(text[1]);
}

/* "%40", "%2540", "%252540": a percent sign may itself have been encoded. */
static Decoded
decode_percent(const char *text)
{
    gsize offset = 1;
    while (text[offset] == '2' && text[offset + 1] == '5' && hex_value(text + offset + 2, 2) >= 0)
        offset += 2;
    return decoded_octet(offset + 2, hex_value(text + offset, 2));
}

static Decoded
decode_upper_hex(const char *text)
{
    return has_upper_hex(text + 1) ? decoded_octet(3, hex_value(text + 1, 2)) : (Decoded){0};
}

static Decoded
decode_backslash(const char *text)
{
    if (text[1] == 'x')
        return decoded_octet(4, hex_value(text + 2, 2));
    return text[1] == 'u' ? decoded_octet(6, hex_value(text + 2, 4)) : (Decoded){0};
}

static Decoded
decode_entity(const char *text)
{
    static const struct {
        const char *name;
        char octet;
    } names[] = {{"&commat;", '@'}, {"&period;", '.'}, {"&colon;", ':'}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(text, names[i].name))
            return decoded_octet(strlen(names[i].name), names[i].octet);
    if (text[1] != '#')
        return (Decoded){0};
    gboolean hex = g_ascii_tolower(text[2]) == 'x';
    gsize offset = hex ? 3 : 2, start = offset;
    gint64 value = 0;
    while (offset < start + 7) {
        int digit = hex ? g_ascii_xdigit_value(text[offset]) : g_ascii_digit_value(text[offset]);
        if (digit < 0)
            break;
        value = value * (hex ? 16 : 10) + digit;
        offset++;
    }
    return text[offset] == ';' ? decoded_octet(offset + 1, value) : (Decoded){0};
}

/* U+FF01 to U+FF5E are ASCII in wide letters, U+FE6B is a small '@'. */
static Decoded
decode_wide(const guchar *text)
{
    if (text[0] == 0xef && text[1] == 0xbc && text[2] >= 0x81 && text[2] <= 0xbf)
        return decoded_octet(3, text[2] - 0x81 + '!');
    if (text[0] == 0xef && text[1] == 0xbd && text[2] >= 0x80 && text[2] <= 0x9e)
        return decoded_octet(3, text[2] - 0x80 + '`');
    if (text[0] == 0xef && text[1] == 0xb9 && text[2] == 0xab)
        return decoded_octet(3, '@');
    return (Decoded){0};
}

/* Soft hyphen, zero-width space and joiners, word joiner, byte order mark. */
static Decoded
decode_invisible(const char *text)
{
    static const char *const invisible[] = {"\xc2\xad",     "\xe2\x80\x8b", "\xe2\x80\x8c",
                                            "\xe2\x80\x8d", "\xe2\x81\xa0", "\xef\xbb\xbf"};
    for (gsize i = 0; i < G_N_ELEMENTS(invisible); i++)
        if (g_str_has_prefix(text, invisible[i]))
            return (Decoded){.taken = strlen(invisible[i]), .empty = TRUE};
    return (Decoded){0};
}

/* " [at] ", "(dot)", "[.]", with a space on either side or none. */
static Decoded
decode_bracketed(const char *text)
{
    static const struct {
        const char *word;
        char octet;
    } words[] = {{"at", '@'}, {"@", '@'}, {"dot", '.'}, {".", '.'}};
    static const char open[] = "[({", close[] = "])}";
    gsize space = *text == ' ' ? 1 : 0;
    const char *bracket = text[space] != '\0' ? strchr(open, text[space]) : NULL;
    if (bracket == NULL)
        return (Decoded){0};
    const char *word = text + space + 1;
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i].word);
        if (g_ascii_strncasecmp(word, words[i].word, length) == 0 &&
            word[length] == close[bracket - open]) {
            const char *behind = word + length + 1;
            return decoded_octet((gsize)(behind - text) + (*behind == ' ' ? 1 : 0), words[i].octet);
        }
    }
    return (Decoded){0};
}

static Decoded
decode_at(const char *text)
{
    switch (*text) {
    case '%':
        return decode_percent(text);
    case '=':
    case '+':
        return decode_upper_hex(text);
    case '\\':
        return decode_backslash(text);
    case '&':
        return decode_entity(text);
    case ' ':
    case '[':
    case '(':
    case '{':
        return decode_bracketed(text);
    default:
        break;
    }
    if (*text >= 0)
        return (Decoded){0};
    Decoded wide = decode_wide((const guchar *)text);
    return wide.taken > 0 ? wide : decode_invisible(text);
}

static void
take_octet(DecodedText *decoded, char octet, gsize origin)
{
    decoded->octets[decoded->size] = octet;
    decoded->folded[decoded->size] = g_ascii_tolower(octet);
    decoded->origins[decoded->size] = (guint)origin;
    decoded->size++;
}

void
decoded_text_init(DecodedText *decoded, const char *text, gboolean decode)
{
    gsize size = strlen(text);
    g_assert(size < G_MAXUINT);
    *decoded = (DecodedText){.octets = g_malloc(size + 1),
                             .folded = g_malloc(size + 1),
                             .origins = g_new(guint, size + 1)};
    for (gsize i = 0; i < size;) {
        Decoded letter = decode ? decode_at(text + i) : (Decoded){0};
        if (letter.taken == 0)
            take_octet(decoded, text[i], i);
        else if (!letter.empty)
            take_octet(decoded, letter.octet, i);
        decoded->differs |= letter.taken > 0;
        i += MAX(letter.taken, 1);
    }
    decoded->octets[decoded->size] = decoded->folded[decoded->size] = '\0';
    decoded->origins[decoded->size] = (guint)size;
}

void
decoded_text_clear(DecodedText *decoded)
{
    g_free(decoded->octets);
    g_free(decoded->folded);
    g_free(decoded->origins);
}
