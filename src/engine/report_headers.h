/*
 * report_headers: the headers that tell programs what a report means (bounces.tag).
 *
 *   X-Bounce-Kind: mx.example.net; failure
 *   X-Bounce-Category: mx.example.net; user-unknown
 *   X-Bounce-Action: mx.example.net; suppress
 *   X-Bounce-Recipient: mx.example.net; user@example.org
 *   X-Bounce-Status: mx.example.net; 5.1.1
 *
 * A set for each recipient, the first REPORT_HEADERS_RECIPIENTS of them; what is not known is left
 * out. As in RFC 8601, the name of the host that says it stands first: one's own is believed, so
 * those that come in with it are to be removed. Values are printable 7-bit ASCII on one line; other
 * letters of an address are written as RFC 6533 has them (\x{FC}). Pure; threads: any.
 */
#pragma once

#include "engine/decision.h"

#define REPORT_HEADERS_RECIPIENTS 20

/* The names, ending with NULL. */
const char *const *report_header_names(void);

typedef struct {
    const char *name; /* constant */
    char *value;
} ReportHeader;

/* An empty array of ReportHeader that frees their values. */
GArray *report_headers_new(void);

/* Adds the set of one recipient. `recipient` NULL: not known. */
void report_headers_add(GArray *headers, const char *hostname, const char *recipient,
                        const Decision *decision);

/* The place of a header's name among report_header_names(), or -1. Case and white space behind it
 * do not matter. */
int report_header_find(const char *name);

/* Is a value said in the name of this host, as anybody may read it: comments, quotes, folding and
 * encoded words undone? Needs mime_view_init(). */
gboolean report_header_is_from(const char *value, const char *hostname);
