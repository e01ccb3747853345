/*
 * json_lines: JSON in a mail, as lines "path.to.key: value".
 *
 * A blank line stands before and after each object in an array, so that what belongs together is
 * a paragraph. Line breaks that a mail system has put into the JSON are taken out before.
 *
 * Hostile input: text of more than JSON_LINES_OCTETS is not read, nesting is bounded by Jansson.
 * Pure. Threads: any.
 */
#pragma once

#include <glib.h>

#define JSON_LINES_OCTETS (512 * 1024)

/* The first object in the text; NULL if there is none that can be read. The caller frees it. */
GString *json_lines_new(const char *text, gsize length);
