/*
 * signals: the process's signals, received by the main thread through a pipe.
 */
#include "server/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/error.h"

static const struct {
    int number;
    SignalWish wish;
} taken[] = {
    {SIGHUP, SIGNAL_RELOAD},
    {SIGTERM, SIGNAL_STOP},
    {SIGINT, SIGNAL_STOP},
    {SIGUSR1, SIGNAL_TRACE},
};

/* What has come and was not yet told, bits 1 << SignalWish; the pipe only wakes. So a stop is not
 * lost where a storm of reloads has filled the pipe. */
static atomic_uint wishes;
static int pipe_ends[2] = {-1, -1};

static void
on_signal(int number)
{
    int before = errno;
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
        if (taken[i].number == number)
            atomic_fetch_or(&wishes, 1u << taken[i].wish);
    if (write(pipe_ends[1], "", 1) < 0) {
        /* The pipe is full: whoever waits there wakes anyway. */
    }
    errno = before;
}

/*
 * Stands in for libc's: libmilter is the only one here to call it, on the thread that it starts for
 * HUP, TERM and INT. While another signal is on its way to the main thread, the kernel gives the
 * next one to whoever waits for it, and libmilter would end. Now nobody else does.
 */
__attribute__((visibility("default"))) int
sigwait(const sigset_t *restrict set, int *restrict number)
{
    sigset_t all;
    (void)set;
    (void)number;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

static gboolean
open_pipe(GError **error)
{
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) == 0)
        return TRUE;
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "no pipe for signals: %s",
                g_strerror(errno));
    return FALSE;
}

gboolean
signals_open(GError **error)
{
    if (!open_pipe(error))
        return FALSE;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
        sigaction(taken[i].number, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* then a log at its size limit is an error of write() */
    return TRUE;
}

SignalWish
signals_wait(int timeout_ms)
{
    struct pollfd waiting = {.fd = pipe_ends[0], .events = POLLIN};
    char wakes[4096];
    if (atomic_load(&wishes) == 0 && poll(&waiting, 1, timeout_ms) <= 0)
        return SIGNAL_NONE;
    while (read(pipe_ends[0], wakes, sizeof(wakes)) > 0)
        ;
    /* Of several at once the weightiest counts: a stop, then a reload; many reloads are one. */
    guint come = atomic_exchange(&wishes, 0);
    for (guint wish = SIGNAL_STOP; wish > SIGNAL_NONE; wish--)
        if (come & 1u << wish) {
            atomic_fetch_or(&wishes, come & ~(1u << wish)); /* the lighter ones come next */
            return (SignalWish)wish;
        }
    return SIGNAL_NONE;
}
