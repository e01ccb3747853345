/*
 * netstring_connection: one client that asks in netstrings: what has come, what has to go.
 */
#include "server/netstring_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/netstring.h"

enum {
    INPUT_SIZE = 4096,       /* grows as far as a request needs, and back */
    OUTPUT_MAX = 256 * 1024, /* answers that a client has not read */
    OUTPUT_KEPT = 16 * 1024, /* a larger buffer is given back when it is empty */
};

struct NetstringConnection {
    int fd;
    gboolean closing;
    char *input;
    gsize input_size, input_length;
    GString *output;
    gsize sent; /* octets of output */
    GList link;
};

NetstringConnection *
netstring_connection_new(int fd)
{
    NetstringConnection *connection = g_new0(NetstringConnection, 1);
    connection->fd = fd;
    connection->input_size = INPUT_SIZE;
    connection->input = g_malloc(INPUT_SIZE);
    connection->output = g_string_new(NULL);
    connection->link.data = connection;
    return connection;
}

void
netstring_connection_free(NetstringConnection *connection)
{
    close(connection->fd);
    g_free(connection->input);
    g_string_free(connection->output, TRUE);
    g_free(connection);
}

int
netstring_connection_fd(const NetstringConnection *connection)
{
    return connection->fd;
}

GList *
netstring_connection_link(NetstringConnection *connection)
{
    return &connection->link;
}

gboolean
netstring_connection_has_output(const NetstringConnection *connection)
{
    return connection->sent < connection->output->len;
}

gboolean
netstring_connection_is_idle(const NetstringConnection *connection)
{
    return connection->input_length == 0 && !netstring_connection_has_output(connection);
}

gboolean
netstring_connection_is_closing(const NetstringConnection *connection)
{
    return connection->closing;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void
forget_output(NetstringConnection *connection)
{
    connection->sent = 0;
    if (connection->output->allocated_len <= OUTPUT_KEPT) {
        g_string_truncate(connection->output, 0);
        return;
    }
    g_string_free(connection->output, TRUE);
    connection->output = g_string_new(NULL);
}

/* FALSE: the client is gone. */
static gboolean
send_output(NetstringConnection *connection)
{
    while (netstring_connection_has_output(connection)) {
        const GString *output = connection->output;
        ssize_t sent = send(connection->fd, output->str + connection->sent,
                            output->len - connection->sent, MSG_NOSIGNAL);
        if (sent >= 0)
            connection->sent += (gsize)sent;
        else if (errno == EAGAIN)
            return TRUE;
        else if (errno != EINTR)
            return FALSE;
    }
    if (connection->output->len > 0)
        forget_output(connection);
    return TRUE;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Room for at least one octet more: as much as has come already, so that memory is only given for
 * what was really sent. */
static void
make_room(NetstringConnection *connection, gsize request_max)
{
    if (connection->input_length < connection->input_size)
        return;
    gsize most = MAX(request_max + NETSTRING_HEAD_MAX + 1, INPUT_SIZE);
    connection->input_size = MIN(connection->input_size * 2, most);
    connection->input = g_realloc(connection->input, connection->input_size);
}

/* FALSE: the connection is gone. */
static gboolean
read_input(NetstringConnection *connection, gsize request_max)
{
    make_room(connection, request_max);
    ssize_t got = recv(connection->fd, connection->input + connection->input_length,
                       connection->input_size - connection->input_length, 0);
    if (got > 0)
        connection->input_length += (gsize)got;
    else if (got == 0)
        connection->closing = TRUE;
    else if (errno != EAGAIN && errno != EINTR)
        return FALSE;
    return TRUE;
}

static void
forget_input(NetstringConnection *connection, gsize done)
{
    connection->input_length -= done;
    memmove(connection->input, connection->input + done, connection->input_length);
    if (connection->input_length > 0 || connection->input_size == INPUT_SIZE)
        return;
    connection->input_size = INPUT_SIZE;
    connection->input = g_realloc(connection->input, INPUT_SIZE);
}

/* ---- answering ------------------------------------------------------------------------------- */

/* FALSE: the client does not take them. One answer may be of any length. */
static gboolean
has_room_for_answers(NetstringConnection *connection)
{
    if (connection->output->len - connection->sent <= OUTPUT_MAX)
        return TRUE;
    send_output(connection);
    return connection->output->len - connection->sent <= OUTPUT_MAX;
}

static NetstringConnectionState
answer_requests(NetstringConnection *connection, const NetstringService *service, GError **error)
{
    NetstringConnectionState result = NETSTRING_CONNECTION_OPEN;
    NetstringState state = NETSTRING_WHOLE;
    Netstring request;
    gsize done = 0;

    while (result == NETSTRING_CONNECTION_OPEN) {
        state = netstring_decode(connection->input + done, connection->input_length - done,
                                 service->request_max, &request, error);
        if (state != NETSTRING_WHOLE)
            break;
        if (has_room_for_answers(connection))
            service->answer(service->data, request.payload, request.length, connection->output);
        else
            result = NETSTRING_CONNECTION_SLOW;
        done += request.size;
    }
    forget_input(connection, done);
    return state == NETSTRING_BROKEN ? NETSTRING_CONNECTION_BROKEN : result;
}

NetstringConnectionState
netstring_connection_serve(NetstringConnection *connection, const NetstringService *service,
                           GError **error)
{
    if (!connection->closing && !read_input(connection, service->request_max))
        return NETSTRING_CONNECTION_ENDED;
    NetstringConnectionState state = answer_requests(connection, service, error);
    /* Answers to the requests before a broken one are still due. */
    if (!send_output(connection))
        return state == NETSTRING_CONNECTION_OPEN ? NETSTRING_CONNECTION_ENDED : state;
    if (state == NETSTRING_CONNECTION_OPEN && connection->closing &&
        !netstring_connection_has_output(connection))
        return NETSTRING_CONNECTION_ENDED;
    return state;
}
