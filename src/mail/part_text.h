/*
 * part_text: the octets of a MIME part made into text that can be read.
 *
 * Undoes the transfer encoding (RFC 2045 section 6, uuencode), converts the charset to UTF-8, makes
 * line ends LF and drops NUL octets. What is labelled wrongly is read as what it is: plain text
 * called base64, UTF-8 called Latin-1, ISO-2022-JP called nothing.
 *
 * Threads: any. mime_view_init() once before.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *octets;
    gsize length;
    const char *encoding; /* Content-Transfer-Encoding; NULL: none */
    const char *charset;  /* NULL or "": not told */
} PartOctets;

/* At most `limit` octets of text; *truncated is set if there was more, else left alone. */
GString *part_text_read(const PartOctets *part, gsize limit, gboolean *truncated);

/* The part without its transfer encoding, nothing else changed; at most about `limit` octets. NULL
 * if it has none: its octets are then as they should be. */
GString *part_text_transfer(const PartOctets *part, gsize limit);
