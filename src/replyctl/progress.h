/*
 * progress: a line on a terminal's standard error that says how far a long work is.
 *
 * Nothing where standard error is no terminal, or a dumb one. Main thread.
 */
#pragma once

#include <glib.h>

typedef struct {
    gboolean shown;  /* standard error is a terminal for it */
    gboolean drawn;  /* the line is on the screen */
    gint64 began_us; /* on the monotonic clock */
    gint64 drawn_us;
} Progress;

void progress_begin(Progress *progress);

/* At most ten times a second. `done` of `total` octets (0: not known), `count` of `what`
 * ("mails"). */
void progress_draw(Progress *progress, guint64 done, guint64 total, guint64 count,
                   const char *what);

/* Takes the line away, before something is printed and at the end. */
void progress_erase(Progress *progress);
