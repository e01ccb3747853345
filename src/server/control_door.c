/*
 * control_door: where the running daemon is asked how it is, and steered.
 *
 * A client's time begins when it connects and anew whenever it has all its answers, so that one
 * that sends an octet now and then is not served for ever.
 */
#include "server/control_door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/control_requests.h"
#include "server/netstring_connection.h"
#include "server/trouble.h"

enum {
    ACCEPT_PAUSE_MS = 50, /* after an error that is no client's */
    /* What is polled: two of the door's own, then the clients in their order. */
    POLL_STOP = 0,
    POLL_LISTENING,
    POLL_CLIENTS,
};

typedef struct {
    NetstringConnection *connection;
    ControlPeer peer;
    gint64 deadline_us; /* clock_monotonic_us() */
} Client;

struct ControlDoor {
    int listening;
    int stop_event;
    const DaemonView *view;
    ControlLimits limits;
    pthread_t thread;
    gboolean started;
    /* of its own thread */
    GPtrArray *clients; /* of Client */
    struct pollfd *watched;
    Trouble refusing;
};

/* ---- clients --------------------------------------------------------------------------------- */

static void
client_free(gpointer data)
{
    Client *client = data;
    netstring_connection_free(client->connection);
    g_free(client);
}

/* Who it is says the kernel. */
static ControlPeer
peer_of(int fd)
{
    struct ucred credentials = {.uid = (uid_t)-1};
    socklen_t size = sizeof(credentials);
    ControlPeer peer = {.uid = (guint)-1};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return peer;
    peer.uid = credentials.uid;
    peer.may_change = credentials.uid == 0 || credentials.uid == geteuid();
    return peer;
}

/* The one whose time is up first, which has been silent for longest, makes room. */
static void
make_room(ControlDoor *door)
{
    guint first = 0;
    if (door->clients->len < door->limits.connections)
        return;
    for (guint i = 1; i < door->clients->len; i++) {
        const Client *client = g_ptr_array_index(door->clients, i);
        if (client->deadline_us < ((Client *)g_ptr_array_index(door->clients, first))->deadline_us)
            first = i;
    }
    g_ptr_array_remove_index(door->clients, first);
}

static Client *
take_in(ControlDoor *door, int fd)
{
    make_room(door);
    Client *client = g_new0(Client, 1);
    client->peer = peer_of(fd);
    client->connection = netstring_connection_new(fd);
    client->deadline_us = clock_monotonic_us() + door->limits.timeout_us;
    g_ptr_array_add(door->clients, client);
    return client;
}

typedef struct {
    const DaemonView *view;
    const ControlPeer *peer;
} Question;

static void
answer(gpointer data, const char *payload, gsize length, GString *out)
{
    const Question *question = data;
    control_answer(question->view, question->peer, payload, length, out);
}

/* FALSE: it is at its end. */
static gboolean
serve(const ControlDoor *door, Client *client)
{
    Question question = {door->view, &client->peer};
    const NetstringService service = {answer, &question, CONTROL_REQUEST_MAX};
    if (netstring_connection_serve(client->connection, &service, NULL) != NETSTRING_CONNECTION_OPEN)
        return FALSE;
    if (netstring_connection_is_idle(client->connection))
        client->deadline_us = clock_monotonic_us() + door->limits.timeout_us;
    return TRUE;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static short
events_of(const Client *client)
{
    int events = 0;
    if (!netstring_connection_is_closing(client->connection))
        events |= POLLIN;
    if (netstring_connection_has_output(client->connection))
        events |= POLLOUT;
    return (short)events;
}

/* Says how many descriptors are to be polled and when the first client's time is up. */
static nfds_t
watch(ControlDoor *door, int *wait_ms)
{
    gint64 first_us = G_MAXINT64;
    for (guint i = 0; i < door->clients->len; i++) {
        const Client *client = g_ptr_array_index(door->clients, i);
        door->watched[POLL_CLIENTS + i] = (struct pollfd){
            .fd = netstring_connection_fd(client->connection), .events = events_of(client)};
        first_us = MIN(first_us, client->deadline_us);
    }
    *wait_ms = -1;
    if (door->clients->len > 0)
        *wait_ms = (int)(MAX(first_us - clock_monotonic_us(), 0) / 1000) + 1;
    return POLL_CLIENTS + door->clients->len;
}

/* From the last to the first: the place of those that are still to come stays. */
static void
serve_clients(ControlDoor *door)
{
    gint64 now_us = clock_monotonic_us();
    for (guint i = door->clients->len; i-- > 0;) {
        Client *client = g_ptr_array_index(door->clients, i);
        gboolean stays = now_us < client->deadline_us;
        if (stays && door->watched[POLL_CLIENTS + i].revents != 0)
            stays = serve(door, client);
        if (!stays)
            g_ptr_array_remove_index(door->clients, i);
    }
}

/* Each newcomer is served once at once: what it asked for it has mostly sent already, and so nobody
 * who comes behind it can make it give way before it has its answer. */
static void
accept_one(ControlDoor *door)
{
    int fd = accept4(door->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        Client *client = take_in(door, fd);
        if (!serve(door, client))
            g_ptr_array_remove(door->clients, client);
        return;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    trouble_note(&door->refusing, clock_monotonic_us(), "control: cannot accept connections: %s",
                 g_strerror(errno));
    poll(door->watched, 1, ACCEPT_PAUSE_MS);
}

static void *
run(void *data)
{
    ControlDoor *door = data;
    int wait_ms;
    while (door->watched[POLL_STOP].revents == 0) {
        nfds_t count = watch(door, &wait_ms);
        if (poll(door->watched, count, wait_ms) < 0)
            continue;
        serve_clients(door);
        if (door->watched[POLL_LISTENING].revents != 0)
            accept_one(door);
    }
    return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static gboolean
fail(GError **error, int reason)
{
    return error_fail(error, REPLYMILTER_ERROR_IO, "cannot serve the control socket: %s",
                      g_strerror(reason));
}

static gboolean
start(ControlDoor *door, GError **error)
{
    int flags = fcntl(door->listening, F_GETFL);
    door->stop_event = eventfd(0, EFD_CLOEXEC);
    if (flags < 0 || fcntl(door->listening, F_SETFL, flags | O_NONBLOCK) < 0 ||
        door->stop_event < 0)
        return fail(error, errno);
    door->watched[POLL_STOP] = (struct pollfd){.fd = door->stop_event, .events = POLLIN};
    door->watched[POLL_LISTENING] = (struct pollfd){.fd = door->listening, .events = POLLIN};
    int reason = thread_start(&door->thread, run, door);
    door->started = reason == 0;
    return door->started || fail(error, reason);
}

ControlDoor *
control_door_start_with(int listening, const DaemonView *view, const ControlLimits *limits,
                        GError **error)
{
    static const ControlLimits defaults = {CONTROL_DOOR_CONNECTIONS, CONTROL_DOOR_TIMEOUT_US};
    g_autoptr(ControlDoor) door = g_new0(ControlDoor, 1);
    door->listening = listening;
    door->stop_event = -1;
    door->view = view;
    door->limits = limits != NULL ? *limits : defaults;
    door->clients = g_ptr_array_new_with_free_func(client_free);
    door->watched = g_new0(struct pollfd, POLL_CLIENTS + door->limits.connections);
    return start(door, error) ? g_steal_pointer(&door) : NULL;
}

ControlDoor *
control_door_start(int listening, const DaemonView *view, GError **error)
{
    return control_door_start_with(listening, view, NULL, error);
}

void
control_door_stop(ControlDoor *door)
{
    if (door == NULL)
        return;
    if (door->started) {
        eventfd_write(door->stop_event, 1);
        pthread_join(door->thread, NULL);
    }
    if (door->stop_event >= 0)
        close(door->stop_event);
    g_ptr_array_unref(door->clients);
    g_free(door->watched);
    g_free(door);
}
