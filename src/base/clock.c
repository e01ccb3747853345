/*
 * clock: the time, read in one place.
 */
#include "base/clock.h"

gint64
clock_now_us(void)
{
    return g_get_real_time();
}

gint64
clock_monotonic_us(void)
{
    return g_get_monotonic_time();
}

char *
clock_format(gint64 now_us)
{
    g_autoptr(GDateTime) seconds = g_date_time_new_from_unix_utc(now_us / G_USEC_PER_SEC);
    g_autofree char *day_and_time = g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", day_and_time, (int)(now_us % G_USEC_PER_SEC));
}
