/*
 * header_fields: a block of header fields, read loosely.
 *
 * Each line is looked at once; a field is one allocation, its value behind its name.
 */
#include "mail/header_fields.h"

#include <string.h>

#include "mail/encoded_words.h"
#include "mail/octet_lines.h"
#include "mail/utf8_text.h"

/* Longer than any line may be (RFC 5322 section 2.1.1): no field's name. */
enum { NAME_OCTETS = 998 };

static void
field_clear(gpointer data)
{
    HeaderField *field = data;
    g_free(field->name);
}

HeaderFields *
header_fields_new(void)
{
    HeaderFields *fields = g_new0(HeaderFields, 1);
    fields->fields = g_array_sized_new(FALSE, FALSE, sizeof(HeaderField), 24);
    g_array_set_clear_func(fields->fields, field_clear);
    return fields;
}

void
header_fields_free(HeaderFields *fields)
{
    if (fields == NULL)
        return;
    g_array_free(fields->fields, TRUE);
    g_free(fields);
}

/* `value` is valid UTF-8. */
static void
add_field(HeaderFields *fields, const char *name, gsize name_length, const char *value,
          gsize value_length)
{
    if (fields->fields->len >= HEADER_FIELDS_MAX) {
        fields->truncated = TRUE;
        return;
    }
    if (value_length > HEADER_FIELD_OCTETS) {
        fields->truncated = TRUE;
        value_length = utf8_text_cut(value, value_length, HEADER_FIELD_OCTETS);
    }
    char *block = g_malloc(name_length + value_length + 2);
    memcpy(block, name, name_length);
    block[name_length] = '\0';
    memcpy(block + name_length + 1, value, value_length);
    block[name_length + 1 + value_length] = '\0';
    HeaderField field = {.name = block, .value = block + name_length + 1};
    g_array_append_val(fields->fields, field);
}

void
header_fields_add(HeaderFields *fields, const char *name, const char *value)
{
    add_field(fields, name, strlen(name), value, strlen(value));
}

/* ---- reading ------------------------------------------------------------------------------ */

static gboolean
is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static gboolean
all_blank(const char *line, gsize length)
{
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    return length == 0;
}

/* The length of the name at the line's start, and in *colon where the ':' stands; 0: no field. */
static gsize
scan_name(const char *line, gsize length, gsize *colon)
{
    gsize most = MIN(length, NAME_OCTETS), name = 0;
    while (name < most && line[name] > ' ' && line[name] < 0x7f && line[name] != ':')
        name++;
    gsize at = name;
    while (at < most && is_blank(line[at]))
        at++;
    *colon = at;
    return at < most && line[at] == ':' ? name : 0;
}

typedef struct {
    HeaderFields *fields;
    const char *name; /* of the field that is being read; NULL: none */
    gsize name_length;
    GString *value;
    gboolean decode_words;
} FieldReader;

/* Adds a line's text to the value, with one space where the fold was. */
static void
value_append(FieldReader *reader, const char *text, gsize length)
{
    while (length > 0 && is_blank(text[0]))
        text++, length--;
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    if (length == 0)
        return;
    /* An octet more than is kept, so that the cut is seen. */
    gsize room = HEADER_FIELD_OCTETS + 1 - MIN(reader->value->len, HEADER_FIELD_OCTETS + 1);
    if (reader->value->len > 0 && room > 0)
        g_string_append_c(reader->value, ' ');
    g_string_append_len(reader->value, text, (gssize)MIN(length, room));
}

/* NUL octets go, CR and LF become spaces. */
static void
drop_controls(GString *value)
{
    if (strcspn(value->str, "\r\n") == value->len)
        return;
    gsize kept = 0;
    for (gsize i = 0; i < value->len; i++) {
        char octet = value->str[i];
        if (octet != '\0')
            value->str[kept++] = octet == '\r' || octet == '\n' ? ' ' : octet;
    }
    g_string_truncate(value, kept);
}

/* The parameters of these hold no encoded words (RFC 2047 section 5), and decoding what looks like
 * one would break their quoting. */
static gboolean
is_structured(const char *name, gsize length)
{
    return (length == strlen("Content-Type") &&
            g_ascii_strncasecmp(name, "Content-Type", length) == 0) ||
           (length == strlen("Content-Disposition") &&
            g_ascii_strncasecmp(name, "Content-Disposition", length) == 0);
}

static void
field_finish(FieldReader *reader)
{
    if (reader->name == NULL)
        return;
    GString *value = reader->value;
    drop_controls(value);
    utf8_text_mend(value);
    if (reader->decode_words && strstr(value->str, "=?") != NULL &&
        !is_structured(reader->name, reader->name_length)) {
        g_autofree char *words = header_words_decode(value->str);
        g_string_assign(value, words);
    }
    add_field(reader->fields, reader->name, reader->name_length, value->str, value->len);
    reader->name = NULL;
}

static void
field_begin(FieldReader *reader, const char *line, gsize length, gsize name_length, gsize colon)
{
    field_finish(reader);
    reader->name = line;
    reader->name_length = name_length;
    g_string_truncate(reader->value, 0);
    value_append(reader, line + colon + 1, length - colon - 1);
}

static void
read_line(FieldReader *reader, const char *line, gsize length)
{
    gsize colon, name_length;
    if (is_blank(line[0])) {
        if (reader->name != NULL)
            value_append(reader, line, length);
    } else if ((name_length = scan_name(line, length, &colon)) > 0) {
        field_begin(reader, line, length, name_length, colon);
    } else if (reader->decode_words) {
        /* Damage, or the "From " line of an mbox: what is folded to it goes with it. */
        field_finish(reader);
    } else if (reader->name != NULL) {
        /* Some MTAs put a remote server's answer of several lines in without folding it. */
        value_append(reader, line, length);
    }
}

/* In a report, a line of white space separates groups; in a mail's header it is a fold. */
static gboolean
ends_block(const FieldReader *reader, const char *line, gsize length)
{
    return length == 0 || (!reader->decode_words && all_blank(line, length));
}

HeaderFields *
header_fields_parse(const char *text, gsize length, gboolean decode_words, gsize *end)
{
    OctetLines lines = octet_lines(text, length);
    g_autoptr(GString) value = g_string_sized_new(256);
    FieldReader reader = {
        .fields = header_fields_new(), .value = value, .decode_words = decode_words};
    gsize at = 0, octets;
    while (at < length) {
        const char *line = text + at;
        at = octet_lines_next(&lines, at, &octets);
        if (ends_block(&reader, line, octets))
            break;
        read_line(&reader, line, octets);
    }
    field_finish(&reader);
    if (end != NULL)
        *end = at;
    return reader.fields;
}

/* ---- asking ------------------------------------------------------------------------------- */

const char *
header_fields_get(const HeaderFields *fields, const char *name)
{
    guint at = 0;
    return header_fields_next(fields, name, &at);
}

const char *
header_fields_next(const HeaderFields *fields, const char *name, guint *at)
{
    while (*at < fields->fields->len) {
        const HeaderField *field = &g_array_index(fields->fields, HeaderField, *at);
        (*at)++;
        if (g_ascii_strcasecmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

/* ---- encoded words ------------------------------------------------------------------------ */

char *
header_words_decode(const char *value)
{
    GString *text = encoded_words_decode(value);
    /* A word may hide line ends. */
    drop_controls(text);
    utf8_text_mend(text);
    return g_string_free(text, FALSE);
}
