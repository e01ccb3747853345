/*
 * header_fields: a block of header fields (RFC 5322 section 2.2), in order.
 *
 * A mail's own header, an original's in a report, and each group of fields of a report
 * (RFC 3464 section 2.1) are such blocks. Fields are unfolded; encoded words (RFC 2047) are decoded
 * where the field is not one of a report. Values are UTF-8 without NUL, CR and LF.
 *
 * Hostile input: at most HEADER_FIELDS_MAX fields, each value cut at HEADER_FIELD_OCTETS; what is
 * left out is told by `truncated`. Lines that are no field are skipped. Threads: any; a value
 * belongs to its owner.
 */
#pragma once

#include <glib.h>

#define HEADER_FIELDS_MAX   2000
#define HEADER_FIELD_OCTETS 65536

typedef struct {
    char *name;  /* as written, without the colon */
    char *value; /* without white space around it; never NULL */
} HeaderField;

typedef struct {
    GArray *fields; /* of HeaderField */
    gboolean truncated;
} HeaderFields;

HeaderFields *header_fields_new(void);
void header_fields_free(HeaderFields *fields);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HeaderFields, header_fields_free)

/*
 * Reads fields from text[0, length) up to the first blank line or the end. Line ends may be CRLF,
 * LF or CR. `*end`, if not NULL, is set to the offset behind the blank line.
 */
HeaderFields *header_fields_parse(const char *text, gsize length, gboolean decode_words,
                                  gsize *end);

/* Copies both. */
void header_fields_add(HeaderFields *fields, const char *name, const char *value);

/* The value of the first field of this name (no regard to case), or NULL. */
const char *header_fields_get(const HeaderFields *fields, const char *name);

/* The same of the field after the `after`th found; start with *at = 0, which is moved on. */
const char *header_fields_next(const HeaderFields *fields, const char *name, guint *at);

/* "=?iso-2022-jp?B?...?=" decoded; what is not decodable is left. UTF-8. The caller frees it. */
char *header_words_decode(const char *value);
