/*
 * charset_text: a text in any charset that mail uses, made into UTF-8.
 *
 * Most mail is ASCII, whatever it calls itself: then nothing is done.
 */
#include "mail/charset_text.h"

#include <errno.h>
#include <string.h>

#include <gmime/gmime.h>

#include "mail/utf8_text.h"

typedef enum {
    NAME_UTF8,    /* UTF-8, ASCII, or no name that says anything */
    NAME_LATIN,   /* every octet is a letter: proves nothing against UTF-8 */
    NAME_OTHER,   /* an extension of ASCII */
    NAME_ESCAPES, /* 7-bit: ASCII until an escape sequence */
    NAME_FOREIGN, /* ASCII is not itself in it */
} NameKind;

typedef struct {
    const char *prefix; /* of the name in lower case, without '-' and '_' */
    const char *iconv;  /* NULL: the name as it is */
    NameKind kind;
} CharsetName;

/* The first that fits. What is not here goes to no converter: a stranger chooses the name, and the
 * C library's rarer converters have had faults of their own. */
static const CharsetName names[] = {
    {"usascii", NULL, NAME_UTF8},
    {"ascii", NULL, NAME_UTF8},
    {"ansi", NULL, NAME_UTF8},
    {"utf8", NULL, NAME_UTF8},
    {"unknown", NULL, NAME_UTF8},
    {"xunknown", NULL, NAME_UTF8},
    {"iso885911", "CP874", NAME_OTHER},
    {"iso885915", "ISO-8859-15", NAME_LATIN},
    {"iso885916", "ISO-8859-16", NAME_OTHER},
    {"iso88591", "CP1252", NAME_LATIN},
    {"iso88599", "CP1254", NAME_LATIN},
    {"latin1", "CP1252", NAME_LATIN},
    {"windows1252", "CP1252", NAME_LATIN},
    {"cp1252", "CP1252", NAME_LATIN},
    {"iso8859", NULL, NAME_OTHER},
    {"windows", NULL, NAME_OTHER},
    {"cp", NULL, NAME_OTHER},
    {"koi8", NULL, NAME_OTHER},
    {"gb", "GB18030", NAME_OTHER},
    {"xgb", "GB18030", NAME_OTHER},
    {"euccn", "GB18030", NAME_OTHER},
    {"big5hkscs", "BIG5-HKSCS", NAME_OTHER},
    {"big5", "CP950", NAME_OTHER},
    {"xbig5", "CP950", NAME_OTHER},
    {"shiftjis", "CP932", NAME_OTHER},
    {"sjis", "CP932", NAME_OTHER},
    {"xsjis", "CP932", NAME_OTHER},
    {"csshiftjis", "CP932", NAME_OTHER},
    {"mskanji", "CP932", NAME_OTHER},
    {"eucjp", "EUC-JP-MS", NAME_OTHER},
    {"xeucjp", "EUC-JP-MS", NAME_OTHER},
    {"ksc5601", "CP949", NAME_OTHER},
    {"ks", "CP949", NAME_OTHER},
    {"euckr", "CP949", NAME_OTHER},
    {"euctw", "EUC-TW", NAME_OTHER},
    {"tis620", "CP874", NAME_OTHER},
    {"mac", NULL, NAME_OTHER},
    {"iso2022jp", "ISO-2022-JP", NAME_ESCAPES},
    {"csiso2022jp", "ISO-2022-JP", NAME_ESCAPES},
    {"iso2022kr", NULL, NAME_ESCAPES},
    {"iso2022cn", NULL, NAME_ESCAPES},
    {"utf7", NULL, NAME_FOREIGN},
    {"utf16", NULL, NAME_FOREIGN},
    {"utf32", NULL, NAME_FOREIGN},
    {"ucs2", NULL, NAME_FOREIGN},
    {"hz", "HZ", NAME_FOREIGN},
};

/* "ISO_8859-1" as "iso88591"; cut at what no charset's name is as long as. */
static void
plain_name(const char *charset, char plain[32])
{
    gsize kept = 0;
    for (; *charset != '\0' && kept < 31; charset++)
        if (g_ascii_isalnum(*charset))
            plain[kept++] = g_ascii_tolower(*charset);
    plain[kept] = '\0';
}

static CharsetName
find_name(const char *charset)
{
    char plain[32];
    plain_name(charset != NULL ? charset : "", plain);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(plain, names[i].prefix))
            return names[i];
    return (CharsetName){"", NULL, NAME_UTF8};
}

static gboolean
has_escapes(const GString *text)
{
    return memchr(text->str, '\033', text->len) != NULL ||
           memchr(text->str, '\016', text->len) != NULL;
}

/* ISO-2022-JP that does not call itself so: ESC $ B, ESC $ @. */
static gboolean
has_japanese_escapes(const GString *text)
{
    return strstr(text->str, "\033$B") != NULL || strstr(text->str, "\033$@") != NULL;
}

/* How many octets to leave out where the converter stands still: both halves of a 7-bit letter. */
static gsize
octets_at_fault(const char *at, gsize rest, gboolean escapes)
{
    return escapes && rest >= 2 && at[0] > ' ' && at[1] > ' ' ? 2 : 1;
}

/* What cannot be converted becomes U+FFFD; *faults counts it. NULL: no such converter. */
static GString *
convert(const GString *text, const char *charset, gboolean escapes, guint *faults)
{
    iconv_t converter = g_mime_iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return NULL;
    GString *result = g_string_sized_new(text->len + text->len / 2 + 16);
    char *in = text->str;
    gsize in_left = text->len;
    while (in_left > 0) {
        char buffer[4096], *out = buffer;
        gsize out_left = sizeof(buffer);
        gsize done = g_mime_iconv(converter, &in, &in_left, &out, &out_left);
        int problem = done == (gsize)-1 ? errno : 0;
        g_string_append_len(result, buffer, out - buffer);
        if (problem == EINVAL)
            in_left = 0;
        else if (problem != 0 && problem != E2BIG) {
            gsize octets = octets_at_fault(in, in_left, escapes);
            in += octets;
            in_left -= octets;
            g_string_append(result, "\357\277\275");
            (*faults)++;
        }
    }
    g_mime_iconv_close(converter);
    return result;
}

static void
replace(GString *text, const GString *with)
{
    g_string_truncate(text, 0);
    g_string_append_len(text, with->str, (gssize)with->len);
}

static void
convert_or_mend(GString *text, const char *charset, NameKind kind)
{
    guint faults = 0;
    g_autoptr(GString) converted = convert(text, charset, kind == NAME_ESCAPES, &faults);
    gboolean is_utf8 = kind != NAME_ESCAPES && kind != NAME_FOREIGN &&
                       (kind == NAME_LATIN || faults > 0) &&
                       g_utf8_validate_len(text->str, text->len, NULL);
    if (converted == NULL || is_utf8)
        utf8_text_mend(text);
    else
        replace(text, converted);
}

void
charset_text_to_utf8(GString *text, const char *charset)
{
    CharsetName name = find_name(charset);
    gboolean has_8bit = utf8_text_has_8bit(text->str, text->len);
    if (name.kind == NAME_UTF8 && !has_8bit && has_japanese_escapes(text))
        name = find_name("iso-2022-jp");
    if (name.kind == NAME_UTF8) {
        if (has_8bit)
            utf8_text_mend(text);
        return;
    }
    gboolean plain = name.kind == NAME_ESCAPES ? !has_escapes(text) : !has_8bit;
    if (plain && name.kind != NAME_FOREIGN) {
        utf8_text_mend(text);
        return;
    }
    convert_or_mend(text, name.iconv != NULL ? name.iconv : charset, name.kind);
}
