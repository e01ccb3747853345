/*
 * tables_door: the socketmap tables for Postfix.
 */
#include "server/tables_door.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "server/trouble.h"

enum {
    ACCEPT_PAUSE_US = 50 * 1000, /* after an error that is no client's: the backlog can wait */
    ACCEPTED_AT_ONCE = 64,       /* before it looks whether it is to stop */
};

struct TablesDoor {
    int listening;
    int stop_event;
    int spare; /* given up for a moment to refuse a client when no descriptor is left; -1: none */
    pthread_t acceptor;
    gboolean accepting;
    Trouble refusing; /* of the acceptor's thread, as is turn */
    guint turn;
    guint count;
    TablesWorker **workers;
};

/* ---- the acceptor ---------------------------------------------------------------------------- */

/* Of equals the one whose turn it is: when all are full, each gives up its quiet connections. */
static TablesWorker *
least_busy(TablesDoor *door)
{
    TablesWorker *best = door->workers[door->turn];
    for (guint i = 1; i < door->count; i++) {
        TablesWorker *other = door->workers[(door->turn + i) % door->count];
        if (tables_worker_load(other) < tables_worker_load(best))
            best = other;
    }
    door->turn = (door->turn + 1) % door->count;
    return best;
}

static void
hand_over(TablesDoor *door, int fd)
{
    const int on = 1;

    /* An answer is one send(): on the network nothing may hold it back. Fails on a Unix socket. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (tables_worker_take(least_busy(door), fd))
        return;
    trouble_note(&door->refusing, clock_monotonic_us(),
                 "tables: a connection is refused: new ones come faster than they can be served");
    close(fd);
}

static int
open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* With no descriptor left, a client in the backlog would wait for its timeout; hung up on, Postfix
 * sends its reply at once. */
static void
refuse_one(TablesDoor *door)
{
    trouble_note(&door->refusing, clock_monotonic_us(),
                 "tables: a connection is refused: no descriptors are left (limit of open files)");
    if (door->spare >= 0)
        close(door->spare);
    int fd = accept4(door->listening, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    door->spare = open_spare();
    if (fd < 0 || door->spare < 0)
        g_usleep(ACCEPT_PAUSE_US);
}

/* FALSE: no more for now. */
static gboolean
accept_one(TablesDoor *door)
{
    int fd = accept4(door->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        hand_over(door, fd);
        return TRUE;
    }
    switch (errno) {
    case EINTR:
    case ECONNABORTED:
        return TRUE;
    case EAGAIN:
        return FALSE;
    case EMFILE:
    case ENFILE:
        refuse_one(door);
        return FALSE;
    default:
        trouble_note(&door->refusing, clock_monotonic_us(), "tables: cannot accept connections: %s",
                     g_strerror(errno));
        g_usleep(ACCEPT_PAUSE_US);
        return FALSE;
    }
}

static void *
accept_until_stopped(void *data)
{
    TablesDoor *door = data;
    struct pollfd watched[] = {
        {.fd = door->stop_event, .events = POLLIN},
        {.fd = door->listening, .events = POLLIN},
    };

    while (watched[0].revents == 0) {
        if (poll(watched, G_N_ELEMENTS(watched), -1) > 0 && watched[1].revents != 0)
            for (guint i = 0; i < ACCEPTED_AT_ONCE && accept_one(door); i++)
                ;
    }
    return NULL;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static gboolean
start_threads(TablesDoor *door, const DoorContext *context, const TablesLimits *limits,
              GError **error)
{
    guint each = (limits->connections + limits->threads - 1) / limits->threads;

    door->workers = g_new0(TablesWorker *, limits->threads);
    while (door->count < limits->threads) {
        TablesWorker *worker = tables_worker_start(context, door->count, each, error);
        if (worker == NULL)
            return FALSE;
        door->workers[door->count++] = worker;
    }
    int reason = thread_start(&door->acceptor, accept_until_stopped, door);
    door->accepting = reason == 0;
    if (!door->accepting)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "cannot start a thread for the tables: %s", g_strerror(reason));
    return door->accepting;
}

static gboolean
prepare(TablesDoor *door, GError **error)
{
    int flags = fcntl(door->listening, F_GETFL);

    door->stop_event = eventfd(0, EFD_CLOEXEC);
    door->spare = open_spare();
    if (flags >= 0 && fcntl(door->listening, F_SETFL, flags | O_NONBLOCK) == 0 &&
        door->stop_event >= 0)
        return TRUE;
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "cannot serve the tables: %s",
                g_strerror(errno));
    return FALSE;
}

TablesDoor *
tables_door_start_with(int listening, const DoorContext *context, const TablesLimits *limits,
                       GError **error)
{
    static const TablesLimits defaults = {TABLES_DOOR_THREADS, TABLES_DOOR_CONNECTIONS};
    g_autoptr(TablesDoor) door = g_new0(TablesDoor, 1);

    g_assert(limits == NULL || (limits->threads > 0 && limits->connections >= limits->threads));
    door->listening = listening;
    door->stop_event = door->spare = -1;
    if (!prepare(door, error))
        return NULL;
    gboolean started = start_threads(door, context, limits != NULL ? limits : &defaults, error);
    return started ? g_steal_pointer(&door) : NULL;
}

TablesDoor *
tables_door_start(int listening, const DoorContext *context, GError **error)
{
    return tables_door_start_with(listening, context, NULL, error);
}

TablesCounts
tables_door_counts(TablesDoor *door)
{
    TablesCounts counts = {0};
    for (guint i = 0; i < door->count; i++)
        tables_worker_counts(door->workers[i], &counts);
    return counts;
}

void
tables_door_stop(TablesDoor *door)
{
    if (door == NULL)
        return;
    if (door->accepting) {
        eventfd_write(door->stop_event, 1);
        pthread_join(door->acceptor, NULL);
    }
    for (guint i = 0; i < door->count; i++)
        tables_worker_stop(door->workers[i], TABLES_DOOR_STOP_US);
    for (guint i = 0; i < door->count; i++)
        tables_worker_join(door->workers[i]);
    if (door->stop_event >= 0)
        close(door->stop_event);
    if (door->spare >= 0)
        close(door->spare);
    g_free(door->workers);
    g_free(door);
}
