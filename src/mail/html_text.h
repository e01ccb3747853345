/*
 * html_text: what a reader of an HTML page sees, as plain text.
 *
 * Tags go, character references are undone; paragraphs, table rows, list items and <br> end lines,
 * table cells are parted by a space; styles, scripts and comments are left out. What stands in
 * angle brackets and is no tag (an address or a URL that a mail system forgot to quote) stays. Not
 * a renderer: no page is broken enough to fail. Time linear. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* `html` is UTF-8. At most `length` octets. The caller frees it. */
GString *html_text(const char *html, gsize length);
