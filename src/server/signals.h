/*
 * signals: the process's signals, received by the main thread through a pipe.
 *
 * libmilter waits for HUP, TERM and INT on a thread of its own and takes each as "stop". They reach
 * us instead, since the main thread alone keeps them unblocked, a handler writes to a pipe, and
 * libmilter's sigwait() is ours and waits for nothing. One per process.
 */
#pragma once

#include <glib.h>

typedef enum {
    SIGNAL_NONE,   /* the time is up */
    SIGNAL_TRACE,  /* USR1 */
    SIGNAL_RELOAD, /* HUP */
    SIGNAL_STOP,   /* TERM, INT */
} SignalWish;

/* Before any thread is started. SIGPIPE and SIGXFSZ are ignored from here on. */
gboolean signals_open(GError **error);

/* Main thread: waits for a signal, at most so long. Several of one kind may come as one; of several
 * kinds the weightiest comes first. */
SignalWish signals_wait(int timeout_ms);
