/*
 * tables_worker: a thread with an epoll over its own connections to the tables.
 *
 * It is handed connected sockets and serves them until it is told to stop. When it has as many as
 * it may have, the one that has been quiet for longest makes room: Postfix connects again, unseen,
 * when it next has something to ask, where a full backlog would hold up its replies for 100
 * seconds. Threads: its owner's, but for tables_worker_load() and tables_worker_counts().
 */
#pragma once

#include "server/door_context.h"

typedef struct TablesWorker TablesWorker;

typedef struct {
    guint64 lookups;     /* requests answered */
    guint64 found;       /* of these, with OK */
    guint64 accepted;    /* connections that there have been */
    guint64 connections; /* open now */
    guint64 broken;      /* ended for what they sent */
    guint64 slow;        /* ended for not reading their answers */
    guint64 displaced;   /* ended for a newer one */
} TablesCounts;

/* `connections`: how many it serves at once. NULL and an error if the system refuses. */
TablesWorker *tables_worker_start(const DoorContext *context, guint number, guint connections,
                                  GError **error);

/* Hands over a connected, non-blocking socket. FALSE: it could not be taken, and is still the
 * caller's. */
gboolean tables_worker_take(TablesWorker *worker, int fd);

/* Connections handed over and not yet ended. */
guint tables_worker_load(const TablesWorker *worker);

/* Adds its counts. */
void tables_worker_counts(TablesWorker *worker, TablesCounts *counts);

/* Lets idle clients go at once, and busy ones when they have their answers or the time is up. */
void tables_worker_stop(TablesWorker *worker, gint64 timeout_us);

/* Waits for its end and frees. NULL is let be. */
void tables_worker_join(TablesWorker *worker);
