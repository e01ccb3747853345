/*
 * histogram: how long something takes, counted in fixed ranges.
 *
 * No lock and no allocation: a note is two atomic additions. Threads: any.
 */
#pragma once

#include <glib.h>
#include <stdatomic.h>

enum { HISTOGRAM_BOUNDS = 20 };

/* The upper end of each range, in microseconds, ascending; what is longer is in the last one. */
extern const gint64 histogram_bounds_us[HISTOGRAM_BOUNDS];

/* Zero bytes are an empty one. */
typedef struct {
    atomic_ullong counts[HISTOGRAM_BOUNDS + 1];
    atomic_ullong sum_us;
} Histogram;

/* What was in it at one moment. */
typedef struct {
    guint64 counts[HISTOGRAM_BOUNDS + 1]; /* a range each, not added up */
    guint64 sum_us;
} HistogramCounts;

/* A time below 0 (none) counts as 0. */
void histogram_note(Histogram *histogram, gint64 spent_us);

/* Notes that come meanwhile may be in the sum and not yet in the counts, or the other way round. */
HistogramCounts histogram_read(const Histogram *histogram);
