/*
 * tables_worker: a thread with an epoll over its own connections to the tables.
 *
 * What it is told comes through a pipe: the descriptor of a new connection, or how long it still
 * has. Ends of connections that are not its own doing come after a batch of epoll's events has been
 * served, so that no event of that batch speaks of a connection that is gone.
 */
#include "server/tables_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/table_answer.h"
#include "server/netstring_connection.h"
#include "server/tables_lookup.h"
#include "server/trouble.h"

enum {
    EVENTS_AT_ONCE = 64,
    REQUEST_MAX = TABLE_KEY_MAX + 64, /* a map's name and the longest key */
};

/* Through the pipe; one write is whole, since it is shorter than PIPE_BUF. */
typedef struct {
    int fd;            /* -1: stop */
    gint64 timeout_us; /* with -1: for how long clients may still be served */
} Message;

struct TablesWorker {
    guint number;
    guint limit;
    int epoll;
    int inbox[2];
    pthread_t thread;
    gboolean started;
    /* of its own thread */
    TablesService service;
    GQueue quiet;    /* of NetstringConnection, that which was heard longest ago first */
    gint64 stopping; /* clock_monotonic_us() at which it is at its end; 0: it serves */
    Trouble troubles[NETSTRING_CONNECTION_SLOW + 1];
    Trouble displacing;
    /* of any thread */
    atomic_uint load;
    atomic_ullong lookups, found, accepted, broken, slow, displaced;
};

/* ---- its connections ------------------------------------------------------------------------- */

static void
let_go(TablesWorker *worker, NetstringConnection *connection)
{
    g_queue_unlink(&worker->quiet, netstring_connection_link(connection));
    netstring_connection_free(connection); /* epoll forgets a descriptor that is closed */
    atomic_fetch_sub(&worker->load, 1);
}

static void
let_go_for(TablesWorker *worker, NetstringConnection *connection, NetstringConnectionState state,
           const GError *error)
{
    Trouble *trouble = &worker->troubles[state];
    switch (state) {
    case NETSTRING_CONNECTION_BROKEN:
        atomic_fetch_add(&worker->broken, 1);
        trouble_note(trouble, clock_monotonic_us(), "tables: connection ended: %s", error->message);
        break;
    case NETSTRING_CONNECTION_SLOW:
        atomic_fetch_add(&worker->slow, 1);
        trouble_note(trouble, clock_monotonic_us(),
                     "tables: connection ended: the client does not read its answers");
        break;
    case NETSTRING_CONNECTION_ENDED:
    case NETSTRING_CONNECTION_OPEN:
        break;
    }
    let_go(worker, connection);
}

/* What epoll is to wait for, by what the connection is at. */
static gboolean
watch(const TablesWorker *worker, NetstringConnection *connection, int operation)
{
    struct epoll_event event = {.data.ptr = connection};
    if (!netstring_connection_is_closing(connection))
        event.events |= EPOLLIN;
    if (netstring_connection_has_output(connection))
        event.events |= EPOLLOUT;
    return epoll_ctl(worker->epoll, operation, netstring_connection_fd(connection), &event) == 0;
}

static void
answer(gpointer data, const char *payload, gsize length, GString *out)
{
    tables_lookup(data, payload, length, out);
}

static void
serve(TablesWorker *worker, NetstringConnection *connection)
{
    const NetstringService asked = {answer, &worker->service, REQUEST_MAX};
    g_autoptr(GError) error = NULL;
    gboolean had_output = netstring_connection_has_output(connection);

    NetstringConnectionState state = netstring_connection_serve(connection, &asked, &error);
    atomic_store_explicit(&worker->lookups, worker->service.lookups, memory_order_relaxed);
    atomic_store_explicit(&worker->found, worker->service.found, memory_order_relaxed);
    if (state != NETSTRING_CONNECTION_OPEN) {
        let_go_for(worker, connection, state, error);
        return;
    }
    GList *link = netstring_connection_link(connection);
    g_queue_unlink(&worker->quiet, link);
    g_queue_push_tail_link(&worker->quiet, link);
    if (had_output || netstring_connection_has_output(connection))
        watch(worker, connection, EPOLL_CTL_MOD);
}

static void
make_room(TablesWorker *worker)
{
    if (worker->quiet.length < worker->limit)
        return;
    trouble_note(
        &worker->displacing, clock_monotonic_us(),
        "tables: more than %u connections at once on thread %u: the longest quiet one ends",
        worker->limit, worker->number);
    atomic_fetch_add(&worker->displaced, 1);
    let_go(worker, worker->quiet.head->data);
}

static void
adopt(TablesWorker *worker, int fd)
{
    make_room(worker);
    NetstringConnection *connection = netstring_connection_new(fd);
    g_queue_push_tail_link(&worker->quiet, netstring_connection_link(connection));
    if (watch(worker, connection, EPOLL_CTL_ADD))
        return;
    log_warning("tables: cannot serve a connection: %s", g_strerror(errno));
    let_go(worker, connection);
}

/* ---- its thread ------------------------------------------------------------------------------ */

static void
read_inbox(TablesWorker *worker)
{
    Message message;

    while (read(worker->inbox[0], &message, sizeof message) == (ssize_t)sizeof message) {
        if (message.fd >= 0)
            adopt(worker, message.fd);
        else
            worker->stopping = clock_monotonic_us() + message.timeout_us;
    }
}

/* A request that has come, but that epoll has not told of yet, is still answered. */
static void
serve_all_once(TablesWorker *worker)
{
    for (guint left = worker->quiet.length; left > 0; left--)
        serve(worker, worker->quiet.head->data); /* which then is the last, or gone */
}

/* While it stops: whoever has nothing under way goes now, and everybody when the time is up. */
static void
let_idle_go(TablesWorker *worker)
{
    gboolean late = clock_monotonic_us() >= worker->stopping;
    GList *next;

    for (GList *link = worker->quiet.head; link != NULL; link = next) {
        next = link->next;
        if (late || netstring_connection_is_idle(link->data))
            let_go(worker, link->data);
    }
}

static int
wait_ms(const TablesWorker *worker)
{
    if (worker->stopping == 0)
        return -1;
    gint64 left = worker->stopping - clock_monotonic_us();
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

static void *
run(void *data)
{
    TablesWorker *worker = data;
    struct epoll_event events[EVENTS_AT_ONCE];

    while (worker->stopping == 0 || worker->quiet.length > 0) {
        gboolean mail = FALSE;
        int count = epoll_wait(worker->epoll, events, EVENTS_AT_ONCE, wait_ms(worker));
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr == NULL)
                mail = TRUE;
            else
                serve(worker, events[i].data.ptr);
        if (mail)
            read_inbox(worker);
        if (mail && worker->stopping != 0)
            serve_all_once(worker);
        if (worker->stopping != 0)
            let_idle_go(worker);
    }
    return NULL;
}

/* ---- what others ask of it ------------------------------------------------------------------- */

static void
tables_worker_free(TablesWorker *worker)
{
    Message message;

    /* What came behind the word to stop. */
    while (worker->started && read(worker->inbox[0], &message, sizeof message) > 0)
        if (message.fd >= 0)
            close(message.fd);
    for (size_t i = 0; i < 2; i++)
        if (worker->inbox[i] >= 0)
            close(worker->inbox[i]);
    if (worker->epoll >= 0)
        close(worker->epoll);
    g_free(worker);
}

/* 0, or why the system refuses. */
static int
start(TablesWorker *worker)
{
    struct epoll_event event = {.events = EPOLLIN};

    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (worker->epoll < 0 || pipe2(worker->inbox, O_CLOEXEC | O_NONBLOCK) < 0 ||
        epoll_ctl(worker->epoll, EPOLL_CTL_ADD, worker->inbox[0], &event) < 0)
        return errno;
    int reason = thread_start(&worker->thread, run, worker);
    worker->started = reason == 0;
    return reason;
}

TablesWorker *
tables_worker_start(const DoorContext *context, guint number, guint connections, GError **error)
{
    TablesWorker *worker = g_new0(TablesWorker, 1);
    worker->service.context = context;
    worker->number = number;
    worker->limit = connections;
    worker->epoll = worker->inbox[0] = worker->inbox[1] = -1;
    g_queue_init(&worker->quiet);
    int reason = start(worker);
    if (reason == 0)
        return worker;
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                "cannot start a thread for the tables: %s", g_strerror(reason));
    tables_worker_free(worker);
    return NULL;
}

static gboolean
tell(const TablesWorker *worker, const Message *message)
{
    ssize_t written;

    do
        written = write(worker->inbox[1], message, sizeof *message);
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)sizeof *message;
}

gboolean
tables_worker_take(TablesWorker *worker, int fd)
{
    const Message message = {.fd = fd};

    atomic_fetch_add(&worker->load, 1);
    if (tell(worker, &message)) {
        atomic_fetch_add(&worker->accepted, 1);
        return TRUE;
    }
    atomic_fetch_sub(&worker->load, 1);
    return FALSE;
}

guint
tables_worker_load(const TablesWorker *worker)
{
    return atomic_load(&worker->load);
}

void
tables_worker_counts(TablesWorker *worker, TablesCounts *counts)
{
    counts->lookups += atomic_load(&worker->lookups);
    counts->found += atomic_load(&worker->found);
    counts->accepted += atomic_load(&worker->accepted);
    counts->connections += atomic_load(&worker->load);
    counts->broken += atomic_load(&worker->broken);
    counts->slow += atomic_load(&worker->slow);
    counts->displaced += atomic_load(&worker->displaced);
}

void
tables_worker_stop(TablesWorker *worker, gint64 timeout_us)
{
    const Message message = {.fd = -1, .timeout_us = timeout_us};

    /* Full only while it is behind with adopting: it empties the pipe soon. */
    while (!tell(worker, &message))
        g_usleep(1000);
}

void
tables_worker_join(TablesWorker *worker)
{
    if (worker == NULL)
        return;
    pthread_join(worker->thread, NULL);
    tables_worker_free(worker);
}
