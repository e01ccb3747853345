/*
 * input_kind: is it a mail, an mbox, or a mail log?
 */
#include "replyctl/input_kind.h"

#include <string.h>

#include "mail/log_line.h"
#include "mail/mbox.h"

enum { MOST_LINES = 20 };

/* A line with a syslog stamp, or of a mail server's log without one. */
static gboolean
is_logged(const char *text, gsize length)
{
    LogStamp stamp;
    LogLine line;
    if (log_stamp_parse(text, length, &stamp))
        return TRUE;
    if (!log_line_parse(text, length, &line))
        return FALSE;
    log_line_clear(&line);
    return TRUE;
}

/* Half of the first lines at least. The last one may be cut off and does not count. */
static gboolean
is_log(const char *head, gsize length)
{
    guint lines = 0, logged = 0;
    while (length > 0 && lines < MOST_LINES) {
        const char *newline = memchr(head, '\n', length);
        gsize line = newline != NULL ? (gsize)(newline + 1 - head) : length;
        if (line > 1 && (newline != NULL || lines == 0)) {
            lines++;
            logged += is_logged(head, line) ? 1 : 0;
        }
        head += line;
        length -= line;
    }
    return logged > 0 && logged * 2 >= lines;
}

InputKind
input_kind_guess(const char *head, gsize length)
{
    if (mbox_begins(head, length))
        return INPUT_MBOX;
    return is_log(head, length) ? INPUT_LOG : INPUT_MAIL;
}
