/*
 * notify: what systemd is told (sd_notify(3)).
 *
 * Without systemd every call does nothing. Main thread only.
 */
#pragma once

#include <glib.h>

void notify_ready(const char *policy_file);
void notify_reloading(void);
void notify_stopping(void);

/* The main thread still turns: for WatchdogSec= of the unit. May be called as often as one likes;
 * systemd is only told as often as it wants to know. */
void notify_alive(void);

/* Is standard error the journal's, so that what is said there and to syslog is read twice? */
gboolean notify_journal_reads_stderr(void);
