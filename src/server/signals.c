/*
 * signals: the process's signals, received by the main thread through a pipe.
 */
#include "server/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/error.h"

static const struct {
    int number;
    char wish;
} taken[] = {
    {SIGHUP, SIGNAL_RELOAD},
    {SIGTERM, SIGNAL_STOP},
    {SIGINT, SIGNAL_STOP},
    {SIGUSR1, SIGNAL_TRACE},
};

static int pipe_ends[2] = {-1, -1};

static void
on_signal(int number)
{
    int before = errno;
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
        if (taken[i].number == number && write(pipe_ends[1], &taken[i].wish, 1) < 0)
            break; /* the pipe is full of wishes not yet read: one more says nothing new */
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

gboolean
signals_open(GError **error)
{
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "no pipe for signals: %s",
                    g_strerror(errno));
        return FALSE;
    }
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
        sigaction(taken[i].number, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    return TRUE;
}

SignalWish
signals_wait(int timeout_ms)
{
    struct pollfd waiting = {.fd = pipe_ends[0], .events = POLLIN};
    char wishes[64];
    if (poll(&waiting, 1, timeout_ms) <= 0)
        return SIGNAL_NONE;
    ssize_t count = read(pipe_ends[0], wishes, sizeof(wishes));
    SignalWish wish = SIGNAL_NONE;
    /* Of several at once the weightiest counts: a stop, then a reload; many reloads are one. */
    for (ssize_t i = 0; i < count; i++)
        wish = MAX(wish, (SignalWish)wishes[i]);
    return wish;
}
