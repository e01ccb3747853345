/*
 * multipart: where the parts of a multipart body begin and end.
 */
#include "mail/multipart.h"

#include <string.h>

#include "mail/octet_lines.h"

/* RFC 2046 says 70; real programs make longer ones. */
enum { BOUNDARY_OCTETS = 250, LINES_BEFORE = 4 };

void
multipart_begin(Multipart *multipart, const char *body, gsize length, const char *boundary)
{
    *multipart = (Multipart){
        .at = body,
        .end = body + length,
        .body = body,
        .delimiter = g_strconcat("--", boundary, NULL),
    };
    multipart->delimiter_length = strlen(multipart->delimiter);
}

void
multipart_end(Multipart *multipart)
{
    g_free(multipart->delimiter);
    multipart->delimiter = NULL;
}

static gboolean
is_line_end(char octet)
{
    return octet == '\r' || octet == '\n';
}

/* Behind the CRLF (CRs and an LF), LF or CR at `at`. */
static const char *
skip_line_end(const char *at, const char *end)
{
    const char *behind = at;
    while (behind < end && *behind == '\r')
        behind++;
    if (behind < end && *behind == '\n')
        return behind + 1;
    return behind > at ? at + 1 : at;
}

typedef struct {
    const char *begin, *behind; /* the line */
    gboolean is_close;
} DelimiterLine;

/* Does a line of nothing but the delimiter stand at `at`? */
static gboolean
read_delimiter(const Multipart *multipart, const char *at, DelimiterLine *line)
{
    if (at > multipart->body && !is_line_end(at[-1]))
        return FALSE;
    const char *behind = at + multipart->delimiter_length;
    line->is_close = multipart->end - behind >= 2 && behind[0] == '-' && behind[1] == '-';
    if (line->is_close)
        behind += 2;
    while (behind < multipart->end && (*behind == ' ' || *behind == '\t'))
        behind++;
    if (behind < multipart->end && !is_line_end(*behind))
        return FALSE;
    line->begin = at;
    line->behind = skip_line_end(behind, multipart->end);
    return TRUE;
}

static gboolean
find_delimiter(const Multipart *multipart, DelimiterLine *line)
{
    const char *at = multipart->at;
    while (at < multipart->end) {
        at = memmem(at, (gsize)(multipart->end - at), multipart->delimiter,
                    multipart->delimiter_length);
        if (at == NULL)
            return FALSE;
        if (read_delimiter(multipart, at, line))
            return TRUE;
        at++;
    }
    return FALSE;
}

/* The line end before a delimiter is the delimiter's. */
static gsize
part_length(const char *begin, const char *end)
{
    gsize length = (gsize)(end - begin);
    if (length > 0 && begin[length - 1] == '\n') {
        length--;
        while (length > 0 && begin[length - 1] == '\r')
            length--;
    } else if (length > 0 && begin[length - 1] == '\r') {
        length--;
    }
    return length;
}

gboolean
multipart_next(Multipart *multipart, const char **octets, gsize *length)
{
    DelimiterLine line;
    while (find_delimiter(multipart, &line)) {
        gboolean was_part = multipart->in_part;
        *octets = multipart->at;
        *length = was_part ? part_length(multipart->at, line.begin) : 0;
        multipart->at = line.behind;
        multipart->in_part = !line.is_close;
        if (was_part)
            return TRUE;
    }
    if (!multipart->in_part)
        return FALSE;
    /* Cut off, or its end forgotten. */
    multipart->in_part = FALSE;
    *octets = multipart->at;
    *length = (gsize)(multipart->end - multipart->at);
    multipart->at = multipart->end;
    return *length > 0;
}

/* ---- guessing ----------------------------------------------------------------------------- */

static gboolean
looks_like_delimiter(const char *line, gsize length)
{
    if (length <= 2 || length > BOUNDARY_OCTETS || line[0] != '-' || line[1] != '-')
        return FALSE;
    for (gsize i = 2; i < length; i++)
        if (line[i] <= ' ' || line[i] == 0x7f)
            return FALSE;
    return TRUE;
}

static gboolean
begins_content_field(const char *line, gsize length)
{
    return length > strlen("Content-") &&
           g_ascii_strncasecmp(line, "Content-", strlen("Content-")) == 0;
}

char *
multipart_guess_boundary(const char *body, gsize length, gboolean anywhere)
{
    OctetLines lines = octet_lines(body, length);
    guint before = 0;
    gboolean about_mime = FALSE;
    gsize at = 0, octets, next_octets;
    while (at < length && (anywhere || before <= LINES_BEFORE)) {
        const char *line = body + at;
        at = octet_lines_next(&lines, at, &octets);
        if (octets == 0)
            continue;
        if (looks_like_delimiter(line, octets) && at < length &&
            (anywhere || before == 0 || about_mime)) {
            octet_lines_next(&lines, at, &next_octets);
            if (begins_content_field(body + at, next_octets))
                return g_strndup(line + 2, octets - 2);
        }
        before++;
        about_mime |= g_strstr_len(line, (gssize)octets, "MIME") != NULL;
    }
    return NULL;
}
