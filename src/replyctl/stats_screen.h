/*
 * stats_screen: what the daemon has counted, for people.
 *
 * Main thread.
 */
#pragma once

#include <glib.h>

/* Prints samples of metric_samples_read(). Of each list the first `most` (0: all). */
void stats_screen_show(const GPtrArray *samples, guint most);
