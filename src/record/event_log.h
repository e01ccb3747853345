/*
 * event_log: where events go: a file, standard output, or syslog.
 *
 * A bounded queue and one writer thread: nobody who answers an MTA waits for a disk longer than it
 * says. One write() on an O_APPEND descriptor for each line; after a short write (full disk) the
 * next line begins with a newline. What cannot be queued or written is counted and warned of, at
 * most once in a while. At most `rate` events a second are written, the excess is one counted
 * summary line. pthreads and C11 atomics only; threads: any but where said.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct EventLog EventLog;

typedef struct {
    guint64 written, dropped, failed, limited;
} EventLogCounts;

/* Opens the sink that the settings name and starts the writer. NULL and an error if a file cannot
 * be opened. Without a sink the log takes and forgets. */
EventLog *event_log_open(const PolicySettings *settings, GError **error);

/* Writes what is queued, for at most `timeout_us`, and frees. Owner's thread. */
void event_log_close(EventLog *log, gint64 timeout_us);

/*
 * Takes `line` (ownership passes). wait_us 0: never waits (tables); else waits up to that long for
 * the line to be on the disk (milter: 50 ms). FALSE if it was dropped (counted) or not yet written.
 */
gboolean event_log_put(EventLog *log, char *line, gint64 wait_us);

/* SIGHUP: opens the file anew before the next line, with the new rate. Any thread. */
void event_log_reopen(EventLog *log, const PolicySettings *settings);

EventLogCounts event_log_counts(EventLog *log);
