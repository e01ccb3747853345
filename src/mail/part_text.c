/*
 * part_text: the octets of a MIME part made into text that can be read.
 */
#include "mail/part_text.h"

#include <string.h>

#include <gmime/gmime.h>

#include "mail/charset_text.h"
#include "mail/utf8_text.h"

/* As many octets of an encoded text are read for each that is kept: what quoted-printable takes. */
enum { MOST_OCTETS_FOR_ONE = 3 };

/* The first word of "quoted-printable; x", "Base64 (comment)". */
static GMimeContentEncoding
find_encoding(const char *field)
{
    if (field == NULL)
        return GMIME_CONTENT_ENCODING_DEFAULT;
    field += strspn(field, " \t\"");
    g_autofree char *word = g_strndup(field, strcspn(field, " \t\";("));
    return g_mime_content_encoding_from_string(word);
}

static gboolean
is_base64_octet(char octet)
{
    return g_ascii_isalnum(octet) || strchr("+/=\r\n", octet) != NULL;
}

/* Text that only calls itself base64 has a space, or other signs, in its first line. */
static gboolean
looks_like_base64(const char *octets, gsize length)
{
    gsize at = 0;
    while (at < length && g_ascii_isspace(octets[at]))
        at++;
    for (gsize most = MIN(length, at + 60); at < most && octets[at] != '\n'; at++)
        if (!is_base64_octet(octets[at]))
            return FALSE;
    return TRUE;
}

GString *
part_text_transfer(const PartOctets *part, gsize limit)
{
    GMimeContentEncoding encoding = find_encoding(part->encoding);
    if (encoding != GMIME_CONTENT_ENCODING_BASE64 &&
        encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE &&
        encoding != GMIME_CONTENT_ENCODING_UUENCODE)
        return NULL;
    if (encoding == GMIME_CONTENT_ENCODING_BASE64 && !looks_like_base64(part->octets, part->length))
        return NULL;
    gsize length = MIN(part->length, limit * MOST_OCTETS_FOR_ONE);
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, encoding);
    GString *decoded = g_string_sized_new(g_mime_encoding_outlen(&state, length) + 8);
    decoded->len = g_mime_encoding_flush(&state, part->octets, length, decoded->str);
    decoded->str[decoded->len] = '\0';
    return decoded;
}

/* A run of CRs from `at`: how many, and in *ends_line whether an LF follows (then all are one end).
 */
static gsize
count_returns(const GString *text, gsize at, gboolean *ends_line)
{
    gsize behind = at;
    while (behind < text->len && text->str[behind] == '\r')
        behind++;
    *ends_line = behind < text->len && text->str[behind] == '\n';
    return behind - at;
}

/* CRLF, and CR alone, become LF; NUL octets and the mark of byte order go. */
static void
tidy(GString *text)
{
    gsize from = text->len >= 3 && memcmp(text->str, "\357\273\277", 3) == 0 ? 3 : 0;
    if (from == 0 && strcspn(text->str, "\r") == text->len)
        return;
    gsize kept = 0;
    for (gsize i = from; i < text->len; i++) {
        char octet = text->str[i];
        if (octet == '\r') {
            gboolean ends_line;
            gsize returns = count_returns(text, i, &ends_line);
            if (!ends_line)
                memset(text->str + kept, '\n', returns), kept += returns;
            i += returns - 1;
        } else if (octet != '\0') {
            text->str[kept++] = octet;
        }
    }
    g_string_truncate(text, kept);
}

static GString *
copy_octets(const PartOctets *part, gsize limit)
{
    return g_string_new_len(part->octets, (gssize)MIN(part->length, limit * MOST_OCTETS_FOR_ONE));
}

GString *
part_text_read(const PartOctets *part, gsize limit, gboolean *truncated)
{
    GString *text = part_text_transfer(part, limit);
    if (text == NULL)
        text = copy_octets(part, limit);
    if (part->length > limit * MOST_OCTETS_FOR_ONE)
        *truncated = TRUE;
    charset_text_to_utf8(text, part->charset);
    tidy(text);
    if (text->len > limit) {
        *truncated = TRUE;
        g_string_truncate(text, utf8_text_cut(text->str, text->len, limit));
    }
    return text;
}
