/*
 * netstring_connection: one client that asks in netstrings: what has come, what has to go.
 *
 * Reads netstrings, has each answered in order, sends. The buffers are bounded: a client that
 * announces too much, or does not read its answers, is at its end. Never blocks. One thread.
 */
#pragma once

#include <glib.h>

typedef enum {
    NETSTRING_CONNECTION_OPEN,
    NETSTRING_CONNECTION_ENDED,  /* the client has hung up, and has all its answers */
    NETSTRING_CONNECTION_BROKEN, /* it sent what is no netstring */
    NETSTRING_CONNECTION_SLOW,   /* it does not read its answers */
} NetstringConnectionState;

typedef struct NetstringConnection NetstringConnection;

/* Appends the answer to a request, as a netstring, to `out`. */
typedef void (*NetstringAnswer)(gpointer data, const char *payload, gsize length, GString *out);

typedef struct {
    NetstringAnswer answer;
    gpointer data;
    gsize request_max; /* octets of the longest payload */
} NetstringService;

/* Takes over a connected, non-blocking stream socket. */
NetstringConnection *netstring_connection_new(int fd);
void netstring_connection_free(NetstringConnection *connection);

int netstring_connection_fd(const NetstringConnection *connection);

/* Its place in a queue of its owner's. */
GList *netstring_connection_link(NetstringConnection *connection);

/*
 * Reads once, answers the requests that are whole, sends what can be sent. Anything but OPEN:
 * it is to be freed. BROKEN comes with an error that says what was sent.
 */
NetstringConnectionState netstring_connection_serve(NetstringConnection *connection,
                                                    const NetstringService *service,
                                                    GError **error);

/* Are answers waiting for the client to read? */
gboolean netstring_connection_has_output(const NetstringConnection *connection);

/* Is nothing under way: no half request, no answer to be sent? */
gboolean netstring_connection_is_idle(const NetstringConnection *connection);

/* Has the client said that it will send no more? */
gboolean netstring_connection_is_closing(const NetstringConnection *connection);
