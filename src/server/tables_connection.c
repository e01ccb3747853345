/*
 * tables_connection: one client of the tables: what has come, what has to go.
 */
#include "server/tables_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/table_answer.h"
#include "wire/netstring.h"

enum {
    REQUEST_MAX = TABLE_KEY_MAX + 64, /* a map's name and the longest key */
    INPUT_SIZE = 4096,                /* grows as far as a request needs, and back */
    OUTPUT_MAX = 256 * 1024,          /* answers that a client has not read */
    OUTPUT_KEPT = 16 * 1024,          /* a larger buffer is given back when it is empty */
};

struct TablesConnection {
    int fd;
    gboolean closing;
    char *input;
    gsize input_size, input_length;
    GString *output;
    gsize sent; /* octets of output */
    GList link;
};

TablesConnection *
tables_connection_new(int fd)
{
    TablesConnection *connection = g_new0(TablesConnection, 1);
    connection->fd = fd;
    connection->input_size = INPUT_SIZE;
    connection->input = g_malloc(INPUT_SIZE);
    connection->output = g_string_new(NULL);
    connection->link.data = connection;
    return connection;
}

void
tables_connection_free(TablesConnection *connection)
{
    close(connection->fd);
    g_free(connection->input);
    g_string_free(connection->output, TRUE);
    g_free(connection);
}

int
tables_connection_fd(const TablesConnection *connection)
{
    return connection->fd;
}

GList *
tables_connection_link(TablesConnection *connection)
{
    return &connection->link;
}

gboolean
tables_connection_has_output(const TablesConnection *connection)
{
    return connection->sent < connection->output->len;
}

gboolean
tables_connection_is_idle(const TablesConnection *connection)
{
    return connection->input_length == 0 && !tables_connection_has_output(connection);
}

gboolean
tables_connection_is_closing(const TablesConnection *connection)
{
    return connection->closing;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void
forget_output(TablesConnection *connection)
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
send_output(TablesConnection *connection)
{
    while (tables_connection_has_output(connection)) {
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
make_room(TablesConnection *connection)
{
    if (connection->input_length < connection->input_size)
        return;
    connection->input_size = MIN(connection->input_size * 2, REQUEST_MAX + NETSTRING_HEAD_MAX + 1);
    connection->input = g_realloc(connection->input, connection->input_size);
}

/* FALSE: the connection is gone. */
static gboolean
read_input(TablesConnection *connection)
{
    make_room(connection);
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
forget_input(TablesConnection *connection, gsize done)
{
    connection->input_length -= done;
    memmove(connection->input, connection->input + done, connection->input_length);
    if (connection->input_length > 0 || connection->input_size == INPUT_SIZE)
        return;
    connection->input_size = INPUT_SIZE;
    connection->input = g_realloc(connection->input, INPUT_SIZE);
}

/* ---- answering ------------------------------------------------------------------------------- */

/* FALSE: the client does not take them. */
static gboolean
has_room_for_answers(TablesConnection *connection)
{
    if (connection->output->len - connection->sent <= OUTPUT_MAX)
        return TRUE;
    send_output(connection);
    return connection->output->len - connection->sent <= OUTPUT_MAX;
}

static TablesConnectionState
answer_requests(TablesConnection *connection, TablesService *service, GError **error)
{
    TablesConnectionState result = TABLES_CONNECTION_OPEN;
    NetstringState state = NETSTRING_WHOLE;
    Netstring request;
    gsize done = 0;

    while (result == TABLES_CONNECTION_OPEN) {
        state = netstring_decode(connection->input + done, connection->input_length - done,
                                 REQUEST_MAX, &request, error);
        if (state != NETSTRING_WHOLE)
            break;
        tables_lookup(service, request.payload, request.length, connection->output);
        done += request.size;
        if (!has_room_for_answers(connection))
            result = TABLES_CONNECTION_SLOW;
    }
    forget_input(connection, done);
    return state == NETSTRING_BROKEN ? TABLES_CONNECTION_BROKEN : result;
}

TablesConnectionState
tables_connection_serve(TablesConnection *connection, TablesService *service, GError **error)
{
    if (!connection->closing && !read_input(connection))
        return TABLES_CONNECTION_ENDED;
    TablesConnectionState state = answer_requests(connection, service, error);
    /* Answers to the requests before a broken one are still due. */
    if (!send_output(connection))
        return state == TABLES_CONNECTION_OPEN ? TABLES_CONNECTION_ENDED : state;
    if (state == TABLES_CONNECTION_OPEN && connection->closing &&
        !tables_connection_has_output(connection))
        return TABLES_CONNECTION_ENDED;
    return state;
}
