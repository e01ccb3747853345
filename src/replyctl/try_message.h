/*
 * try_message: the headers and the size of a message in a file, as a milter sees them.
 */
#pragma once

#include <glib.h>

/*
 * Appends "Name: value" for each header to `headers` (an array of char * that frees them; a folded
 * value keeps its line breaks) and counts the octets of the whole, each line ending with CRLF. "-"
 * is standard input. `*whole` gets all of it as it is; the caller frees it. FALSE and an error: it
 * cannot be read, or is longer than 64 MiB.
 */
gboolean try_message_read(const char *path, GPtrArray *headers, gint64 *size, GString **whole,
                          GError **error);
