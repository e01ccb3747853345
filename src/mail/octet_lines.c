/*
 * octet_lines: the lines of a text whose line ends may be CRLF, LF or CR.
 */
#include "mail/octet_lines.h"

#include <string.h>

OctetLines
octet_lines(const char *text, gsize length)
{
    gboolean has_lf = length == 0 || memchr(text, '\n', length) != NULL;
    return (OctetLines){.text = text, .length = length, .end = has_lf ? '\n' : '\r'};
}

OctetLines
octet_lines_of(const OctetLines *whole, const char *text, gsize length)
{
    return (OctetLines){.text = text, .length = length, .end = whole->end};
}

gsize
octet_lines_next(const OctetLines *lines, gsize at, gsize *length)
{
    const char *begin = lines->text + at;
    gsize rest = lines->length - at;
    const char *end = memchr(begin, lines->end, rest);
    gsize octets = end != NULL ? (gsize)(end - begin) : rest;
    gsize next = end != NULL ? at + octets + 1 : lines->length;
    if (lines->end == '\n')
        while (octets > 0 && begin[octets - 1] == '\r')
            octets--;
    *length = octets;
    return next;
}
