/*
 * event_sink: the one place where event lines leave the process: a file, standard output, syslog.
 *
 * A file is opened with O_APPEND and mode 0640, and gets one write() a line. A line that was cut
 * short (full disk, or a crash of an earlier process) is closed off by a newline in front of the
 * next one, so that at most that one line is lost to readers. Threads: one owner, the log's writer.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct EventSink EventSink;

/* What settings->log.events and .syslog name; must not be called without log.events. */
EventSink *event_sink_open(const PolicySettings *settings, GError **error);
void event_sink_close(EventSink *sink);

/* For rotation: the file of that name, as it is now. FALSE and an error: goes on with the old one.
 */
gboolean event_sink_reopen(EventSink *sink, GError **error);

/*
 * Writes `size` octets that end with a newline. FALSE and errno in `error_number` if the line is
 * not there as a whole (ENOSPC for a short write).
 */
gboolean event_sink_write(EventSink *sink, const char *line, gsize size, int *error_number);

/* "/var/log/replymilter/events.jsonl", "stdout", "syslog": for messages. Belongs to the sink. */
const char *event_sink_name(const EventSink *sink);
