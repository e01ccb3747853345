/*
 * thread: starting threads.
 */
#include "base/thread.h"

void
thread_block_signals(sigset_t *before)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, before);
}

void
thread_unblock_signals(const sigset_t *before)
{
    (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

int
thread_start(pthread_t *thread, void *(*run)(void *), void *data)
{
    sigset_t before;
    thread_block_signals(&before);
    int reason = pthread_create(thread, NULL, run, data);
    thread_unblock_signals(&before);
    return reason;
}
