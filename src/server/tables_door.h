/*
 * tables_door: the socketmap tables `reject`, `footer`, `delivery` and `rbl` for Postfix.
 *
 * One thread accepts, a few serve, each its own connections (tables_worker.h). It never waits for
 * anything but the clients, and for those only in epoll. One owner; tables_door_counts() from any
 * thread.
 */
#pragma once

#include "server/door_context.h"
#include "server/tables_worker.h"

typedef struct TablesDoor TablesDoor;

typedef struct {
    guint threads;     /* that serve */
    guint connections; /* at once, all threads together */
} TablesLimits;

#define TABLES_DOOR_THREADS     2
#define TABLES_DOOR_CONNECTIONS 1000

/* How long clients with a request under way are still served when the door stops. */
#define TABLES_DOOR_STOP_US G_USEC_PER_SEC

/*
 * Serves a listening stream socket, which stays the caller's and is made non-blocking. `limits`
 * NULL: the defaults above. All signals are blocked in the door's threads. NULL and an error if the
 * system refuses a thread or a descriptor.
 */
TablesDoor *tables_door_start(int listening, const DoorContext *context, GError **error);
TablesDoor *tables_door_start_with(int listening, const DoorContext *context,
                                   const TablesLimits *limits, GError **error);

TablesCounts tables_door_counts(TablesDoor *door);

/* Accepts no more, serves what is under way, ends and frees. NULL is let be. */
void tables_door_stop(TablesDoor *door);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TablesDoor, tables_door_stop)
