/*
 * tables_connection: one client of the tables: what has come, what has to go.
 *
 * Reads netstrings, answers each in order, sends. The buffers are bounded: a client that announces
 * too much, or does not read its answers, is at its end. Never blocks. One thread.
 */
#pragma once

#include "server/tables_lookup.h"

typedef enum {
    TABLES_CONNECTION_OPEN,
    TABLES_CONNECTION_ENDED,  /* the client has hung up, and has all its answers */
    TABLES_CONNECTION_BROKEN, /* it sent what is no netstring */
    TABLES_CONNECTION_SLOW,   /* it does not read its answers */
} TablesConnectionState;

typedef struct TablesConnection TablesConnection;

/* Takes over a connected, non-blocking stream socket. */
TablesConnection *tables_connection_new(int fd);
void tables_connection_free(TablesConnection *connection);

int tables_connection_fd(const TablesConnection *connection);

/* Its place in a queue of its owner's. */
GList *tables_connection_link(TablesConnection *connection);

/*
 * Reads once, answers the requests that are whole, sends what can be sent. Anything but OPEN:
 * it is to be freed. BROKEN comes with an error that says what was sent.
 */
TablesConnectionState tables_connection_serve(TablesConnection *connection, TablesService *service,
                                              GError **error);

/* Are answers waiting for the client to read? */
gboolean tables_connection_has_output(const TablesConnection *connection);

/* Is nothing under way: no half request, no answer to be sent? */
gboolean tables_connection_is_idle(const TablesConnection *connection);

/* Has the client said that it will send no more? */
gboolean tables_connection_is_closing(const TablesConnection *connection);
