/*
 * rate_window: at most so many a second.
 */
#include "record/rate_window.h"

static gboolean
is_over(const RateWindow *window, gint64 now_us)
{
    return now_us < window->start_us || now_us - window->start_us >= G_USEC_PER_SEC;
}

gboolean
rate_window_is_full(const RateWindow *window, guint rate, gint64 now_us)
{
    return rate != 0 && window->taken >= rate && !is_over(window, now_us);
}

gboolean
rate_window_take(RateWindow *window, guint rate, gint64 now_us)
{
    if (rate_window_is_full(window, rate, now_us))
        return FALSE;
    if (window->taken == 0 || is_over(window, now_us)) {
        window->start_us = now_us;
        window->taken = 0;
    }
    if (window->taken < G_MAXUINT)
        window->taken++;
    return TRUE;
}
