/*
 * thread: starting threads. Signals are for the main thread: any other is started with all of them
 * blocked. Threads: any.
 */
#pragma once

#include <pthread.h>
#include <signal.h>

/* As pthread_create() with the usual attributes: 0, or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *data);

/* For what a library starts: blocks all signals, and gives back what `before` says. */
void thread_block_signals(sigset_t *before);
void thread_unblock_signals(const sigset_t *before);
