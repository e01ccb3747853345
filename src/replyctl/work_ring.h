/*
 * work_ring: jobs are put in by one thread, done by several, and taken out by another in the order
 * in which they were put in.
 *
 * At most WORK_RING_JOBS jobs and about `most_octets` octets of them are within at any time, so who
 * puts in waits for who takes out. pthreads only. Threads: as said at each function.
 */
#pragma once

#include <glib.h>

#define WORK_RING_JOBS 64

typedef struct WorkRing WorkRing;

/* Any of the workers' threads: does the job in place. */
typedef void (*WorkFunction)(gpointer job, gpointer data);

/* Starts the workers (1 to WORK_RING_JOBS). NULL and an error if not one could be started. */
WorkRing *work_ring_new(guint workers, WorkFunction work, gpointer data, gsize most_octets,
                        GError **error);

/* When the thread that puts in has ended. What has not been taken is freed by `free_job`. */
void work_ring_free(WorkRing *ring, GDestroyNotify free_job);

/* The thread that puts in. FALSE: the ring was stopped, and the job is still the caller's. */
gboolean work_ring_put(WorkRing *ring, gpointer job, gsize octets);

/* The thread that puts in: there is no more. */
void work_ring_end(WorkRing *ring);

/* The thread that takes out: nothing is wanted any more; what is not begun will not be. */
void work_ring_stop(WorkRing *ring);

/* The next job, done; waits up to `wait_us` for it. NULL: it is not yet done, or *ended and all
 * have been taken. */
gpointer work_ring_take(WorkRing *ring, gint64 wait_us, gboolean *ended);
