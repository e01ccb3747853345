/*
 * daemon_view: what can be told of the running daemon: where to look for it.
 *
 * Filled by main() before a door is opened that tells of it, and constant from then on; what is
 * behind it may be asked from any thread.
 */
#pragma once

#include "server/door_context.h"
#include "server/listener.h"
#include "server/tables_door.h"

typedef struct {
    const DoorContext *context;
    TablesDoor *tables;               /* NULL: that door is shut */
    const Listener *milter_listener;  /* likewise */
    const Listener *tables_listener;  /* likewise */
    const Listener *control_listener; /* likewise */
    const Listener *metrics_listener; /* likewise */
    const char *policy_file;
    const char *events; /* where they go; NULL: nowhere */
    gint64 started_us;  /* clock_now_us() */
} DaemonView;
