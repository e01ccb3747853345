/*
 * log_stamp: what a syslog daemon puts before a line: when, where, who.
 *
 * Knows the old form ("Nov 21 12:00:01 mx postfix/smtp[123]: "), ISO 8601 ("2026-11-21T12:00:01.5
 * +01:00 mx ..."), and what journalctl prints (short, short-precise, short-iso, short-full, with
 * dates of either kind); tags before ("<22>") and behind ("[ID 197553 mail.info] "). Pure, but for
 * the time zone of the process; threads: any.
 */
#pragma once

#include <glib.h>

/* Parts of a line, which they point into; length 0: missing. */
typedef struct {
    const char *at;
    gsize length;
} LogSpan;

typedef struct {
    LogSpan time;
    LogSpan host;
    LogSpan program; /* "postfix/smtp", without pid */
    LogSpan body;    /* the message; the whole line where it has no stamp */
} LogStamp;

/* FALSE: the line has no time, or no program behind it; then all of it is body. `line` needs no
 * NUL. */
gboolean log_stamp_parse(const char *line, gsize length, LogStamp *stamp);

/*
 * The stamp's time in microseconds since the epoch; -1 if it has none. The old form knows no year:
 * it is the last such day that is not more than one day after `now_us`. Without a zone it is local
 * time.
 */
gint64 log_stamp_time(const LogStamp *stamp, gint64 now_us);
