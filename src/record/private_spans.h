/*
 * private_spans: where mail addresses and network addresses stand in a text.
 *
 * Finds too much rather than too little: what looks like one is one. Linear time. Pure; threads:
 * any.
 */
#pragma once

#include <glib.h>

#include "record/decoded_text.h"

typedef enum {
    SPAN_ADDRESS,       /* a mail address: local part up to `at`, domain behind it */
    SPAN_CLIENT,        /* an IPv4 or IPv6 address that stands alone */
    SPAN_CLIENT_HIDDEN, /* one within a host name, backwards, or spelled in another way */
    SPAN_PACKED,        /* base64 or hex that holds one of the others */
    SPAN_WORD,          /* a word that the caller looked for */
} SpanKind;

typedef struct {
    SpanKind kind;
    gsize start, end; /* in the text as written */
    gsize at;         /* SPAN_ADDRESS: where the '@' stands, or the end of the local part */
    char *value;      /* decoded, in lower case; owned by the array */
    const char *with; /* SPAN_WORD: from the caller */
} Span;

/* An array of Span that frees their values. */
GArray *private_spans_new(void);

void private_spans_addresses(const DecodedText *text, GArray *spans);
void private_spans_clients(const DecodedText *text, GArray *spans);

/* Base64 and hex words that hold an address (or, if `clients`, a network address). */
void private_spans_packed(const DecodedText *text, gboolean addresses, gboolean clients,
                          GArray *spans);

/*
 * Each place where `word` (lower case, not empty) stands between other letters than its own kind:
 * no letter or digit beside it, or, if `within`, no digit.
 */
void private_spans_word(const DecodedText *text, const char *word, gboolean within,
                        const char *with, GArray *spans);
