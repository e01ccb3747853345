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
