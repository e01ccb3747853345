/*
 * control_door: where the running daemon is asked how it is, and steered (`replyctl status` and its
 * like).
 *
 * One thread serves a few clients at a time in the framing of the socketmap tables
 * (control_requests.h). A client that is not done in time is let go, and so is the one that has
 * been silent for longest when another comes: nobody can shut others out by hanging on. Nothing
 * here is waited for by the doors of the mail. One owner.
 */
#pragma once

#include "server/daemon_view.h"

typedef struct ControlDoor ControlDoor;

typedef struct {
    guint connections; /* at once */
    gint64 timeout_us; /* for a request to come whole, and for its answer to be read */
} ControlLimits;

#define CONTROL_DOOR_CONNECTIONS 16
#define CONTROL_DOOR_TIMEOUT_US  (10 * G_USEC_PER_SEC)

/*
 * Serves a listening local socket, which stays the caller's and is made non-blocking, as does the
 * view. `limits` NULL: the defaults above. All signals are blocked in the door's thread. NULL and
 * an error if the system refuses.
 */
ControlDoor *control_door_start(int listening, const DaemonView *view, GError **error);
ControlDoor *control_door_start_with(int listening, const DaemonView *view,
                                     const ControlLimits *limits, GError **error);

/* Lets all clients go, ends and frees; what the view shows may go then. NULL is let be. */
void control_door_stop(ControlDoor *door);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlDoor, control_door_stop)
