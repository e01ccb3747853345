/*
 * filter_host: whom the filters of one connection ask and tell.
 */
#include "filters/filter_host.h"

#include "base/clock.h"

enum { PROGRESS_US = G_USEC_PER_SEC };

void
filter_host_progress(FilterHost *host)
{
    gint64 now_us = clock_monotonic_us();
    if (host->progress == NULL || now_us - host->progressed_us < PROGRESS_US)
        return;
    host->progressed_us = now_us;
    host->progress(host->data);
}
