/*
 * text: small services on strings that several rooms share.
 *
 * All functions are pure and may be called from any thread. Returned strings belong to the caller.
 */
#pragma once

#include <glib.h>

/* For a log line: control and 8-bit octets and backslashes as \n, \r, \t, \\ or \xNN. Valid UTF-8
 * letters stay. */
char *text_escape(const char *text);

/*
 * For a reply: what an outsider supplied, made into one piece of printable 7-bit text. CR, LF and
 * TAB become a space, other control and 8-bit octets "?"; at most `limit` octets, cut with "...".
 */
char *text_clean(const char *text, gsize limit);

/* Only printable 7-bit characters and spaces? */
gboolean text_is_printable(const char *text);

/* The help of a command line, without the one sign of GLib's that is not ASCII. The caller frees
 * it.
 */
char *text_help(GOptionContext *context);

/*
 * The candidate that is most like `name` (optimal string alignment distance, case ignored), or
 * NULL if none is near enough to be a likely typing error. `candidates` ends with NULL; the answer
 * is one of them.
 */
const char *text_nearest(const char *name, const char *const *candidates);
