/*
 * rate_window: at most so many a second.
 *
 * Counts in windows of one second, each of which begins with the first that is taken after the last
 * one ended. A plain value, all zero at first; the time is passed in. Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    gint64 start_us; /* on a monotonic clock */
    guint taken;
} RateWindow;

/* Takes one. FALSE if `rate` (0: no limit) have been taken in this window. */
gboolean rate_window_take(RateWindow *window, guint rate, gint64 now_us);

/* Would rate_window_take() say FALSE? */
gboolean rate_window_is_full(const RateWindow *window, guint rate, gint64 now_us);
