/*
 * event_log: where events go: a file, standard output, or syslog.
 *
 * A bounded queue and one writer thread: nobody who answers an MTA waits for a disk longer than it
 * says. One write() on an O_APPEND descriptor for each line; after a short write (full disk) the
 * next line begins with a newline. At most `rate` events a second are written. What is left out,
 * for the rate, a full queue or a disk that refuses, is counted; a line `"event":"suppressed"` says
 * how many are missing (doc/events.md), at most one a second for each reason, and a full queue or
 * disk is warned of, at most once a minute. The mail never suffers from the log.
 *
 * What an event is in words goes to the daemon's own log (base/log.h), and by way of the writer
 * too, for syslog may be slow. There is a writer for it without a sink as well.
 *
 * pthreads only; no lock is held while anything is written. Threads: any but where said.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

/* What may wait for the writer. */
#define EVENT_LOG_QUEUE_LINES  8192
#define EVENT_LOG_QUEUE_OCTETS (16 * 1024 * 1024)

typedef struct EventLog EventLog;

typedef struct {
    guint64 written; /* lines that are in the sink as a whole, summaries not counted */
    guint64 dropped; /* the queue was full, or the log was being closed */
    guint64 failed;  /* the sink refused them */
    guint64 limited; /* more than `rate` a second */
    guint64 queued, queued_octets; /* not yet written: lines, and what they take */
} EventLogCounts;

/* Opens the sink that the settings name and starts the writer. NULL and an error if a file cannot
 * be opened. Without a sink the log takes and forgets. */
EventLog *event_log_open(const PolicySettings *settings, GError **error);

/* Writes what is queued, for at most `timeout_us`, and frees. Owner's thread, after the last
 * event_log_put() has returned. */
void event_log_close(EventLog *log, gint64 timeout_us);

/*
 * Is it worth the while to build a line now? FALSE without a sink if it is not to be told in words
 * either, or when the rate is used up (the event is then counted as limited: do not put it as
 * well).
 */
gboolean event_log_wants(EventLog *log, gboolean in_words);

/*
 * Takes `line` (ownership passes; one line without its newline). wait_us 0: never waits (tables);
 * else waits up to that long for the line to be written (milter: 50 ms). FALSE if it was dropped
 * (counted) or is not yet written; TRUE for a line that the rate leaves out.
 */
gboolean event_log_put(EventLog *log, char *line, gint64 wait_us);

/* The same with the event in words (ownership passes; NULL: none): written at level info. */
gboolean event_log_put_told(EventLog *log, char *line, char *words, gint64 wait_us);

/* SIGHUP: opens the file of the same name anew before the next line, with the new rate. Any thread;
 * does not wait. */
void event_log_reopen(EventLog *log, const PolicySettings *settings);

EventLogCounts event_log_counts(EventLog *log);
