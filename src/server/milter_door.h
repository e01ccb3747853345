/*
 * milter_door: libmilter's callbacks, and libmilter's life.
 *
 * One per process, since libmilter is. It listens on a socket that listen_open() has made (mode,
 * group and link alike for every kind) and runs on a thread of its own, so that the main thread
 * keeps the signals. What the policy does not need is negotiated away for each connection.
 */
#pragma once

#include <glib.h>

#include "server/door_context.h"

/*
 * Starts to serve the listening socket `fd`, which is the caller's to close after
 * milter_door_stop(). `context` must live until then. FALSE and an error if libmilter refuses.
 */
gboolean milter_door_start(int fd, const DoorContext *context, GError **error);

/*
 * Takes no new connection, waits until no message is on its way or `timeout_us` has passed, and
 * calls nothing of `context` any more. Sessions that are still open end with the process: their
 * messages get what the MTA is set to do without a filter. FALSE: callbacks are still at work, in a
 * filter that does not answer, and may use `context` until the process has ended.
 */
gboolean milter_door_stop(gint64 timeout_us);

typedef struct {
    guint sessions;                     /* open now */
    guint busy;                         /* of these, with a message under way */
    guint64 all_sessions, all_messages; /* since the start */
    guint64 turned_away;                /* sessions: limits.sessions were open already */
    gboolean stopping;
} MilterDoorCounts;

/* Any thread; all 0 before the start. */
MilterDoorCounts milter_door_counts(void);

/* Has libmilter ended without having been told to? Then the process had better end too. */
gboolean milter_door_failed(void);
