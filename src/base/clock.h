/*
 * clock: the time, read in one place.
 *
 * Only doors and the command line ask for it; the engine is given it. Threads: any.
 */
#pragma once

#include <glib.h>

/* Microseconds since the epoch. */
gint64 clock_now_us(void);

/* Microseconds on a clock that is never set back. */
gint64 clock_monotonic_us(void);

/* "2026-11-21T23:05:07.123456Z", RFC 3339 in UTC. The caller frees it. */
char *clock_format(gint64 now_us);
