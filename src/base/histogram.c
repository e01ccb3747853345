/*
 * histogram: how long something takes, counted in fixed ranges.
 */
#include "base/histogram.h"

#define MS 1000
#define S  G_USEC_PER_SEC

/* From a table's answer out of memory to a filter that is at its timeout. */
const gint64 histogram_bounds_us[HISTOGRAM_BOUNDS] = {
    10,      25,      50,       100,      250,      500,   1 * MS,    2500,  5 * MS, 10 * MS,
    25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S,
};

static guint
range_of(gint64 spent_us)
{
    guint range = 0;
    while (range < HISTOGRAM_BOUNDS && spent_us > histogram_bounds_us[range])
        range++;
    return range;
}

void
histogram_note(Histogram *histogram, gint64 spent_us)
{
    guint64 counted = spent_us > 0 ? (guint64)spent_us : 0;
    atomic_fetch_add_explicit(&histogram->counts[range_of(spent_us)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, counted, memory_order_relaxed);
}

HistogramCounts
histogram_read(const Histogram *histogram)
{
    HistogramCounts read;
    for (guint i = 0; i <= HISTOGRAM_BOUNDS; i++)
        read.counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    read.sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    return read;
}
