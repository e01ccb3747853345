/*
 * progress: a line on a terminal's standard error.
 */
#include "replyctl/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "replyctl/columns.h"

enum { BAR_MOST = 40, AROUND = 58 };

#define FIRST_US (G_USEC_PER_SEC / 2) /* what is done sooner needs none */
#define EVERY_US (G_USEC_PER_SEC / 10)

void
progress_begin(Progress *progress)
{
    *progress = (Progress){.began_us = clock_monotonic_us()};
    progress->shown = isatty(STDERR_FILENO) && g_strcmp0(getenv("TERM"), "dumb") != 0;
}

static void
append_bar(GString *line, guint64 done, guint64 total)
{
    guint width = columns_of_terminal(STDERR_FILENO, 80);
    guint bar = width > AROUND + 10 ? MIN(width - AROUND, BAR_MOST) : 0;
    double part = MIN((double)done / (double)total, 1.0);
    guint full = (guint)(part * bar);
    if (bar > 0)
        g_string_append_c(line, '[');
    for (guint i = 0; i < bar; i++)
        g_string_append_c(line, i < full ? '#' : '.');
    if (bar > 0)
        g_string_append(line, "] ");
    g_string_append_printf(line, "%3.0f %%  ", part * 100);
}

void
progress_draw(Progress *progress, guint64 done, guint64 total, guint64 count, const char *what)
{
    if (!progress->shown)
        return;
    gint64 now_us = clock_monotonic_us(), run_us = now_us - progress->began_us;
    if (run_us < FIRST_US || now_us - progress->drawn_us < EVERY_US)
        return;
    double seconds = (double)run_us / G_USEC_PER_SEC;
    g_autoptr(GString) line = g_string_new("\r");
    if (total > 0)
        append_bar(line, done, total);
    g_string_append_printf(line, "%" G_GUINT64_FORMAT " %s, %.0f a second, %.1f MB", count, what,
                           (double)count / seconds, (double)done / 1e6);
    g_string_append(line, "\033[K");
    fputs(line->str, stderr);
    fflush(stderr);
    progress->drawn = TRUE;
    progress->drawn_us = now_us;
}

void
progress_erase(Progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = FALSE;
}
