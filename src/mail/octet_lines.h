/*
 * octet_lines: the lines of a text whose line ends may be CRLF, LF or CR.
 *
 * CR alone ends a line only in a text that has no LF; elsewhere any CRs before an LF belong to the
 * line's end ("\r\r\n" is one end, as relays that break line ends leave it). Each octet is looked
 * at once. Threads: any; a value, nothing is owned.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *text;
    gsize length;
    char end; /* '\n', or '\r' in a text without LF */
} OctetLines;

OctetLines octet_lines(const char *text, gsize length);

/* The same lines of a piece of such a text. */
OctetLines octet_lines_of(const OctetLines *whole, const char *text, gsize length);

/* The line that begins at `at`: its length without the end in *length. Returns where the next one
 * begins. `at` must be below the text's length. */
gsize octet_lines_next(const OctetLines *lines, gsize at, gsize *length);
