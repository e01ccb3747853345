/*
 * work_ring: jobs done by several threads, in order.
 *
 * Jobs are numbered. Those from `taken` on and before `put` are within, in the slot of their number
 * modulo the ring's size; those before `begun` are being done or done.
 */
#include "replyctl/work_ring.h"

#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "base/thread.h"

typedef struct {
    gpointer job;
    gsize octets;
    gboolean done;
} Slot;

struct WorkRing {
    pthread_mutex_t lock;
    pthread_cond_t work;  /* a job to begin, or the end */
    pthread_cond_t room;  /* to put one in */
    pthread_cond_t ready; /* the next one to take is done, or the end */
    Slot slots[WORK_RING_JOBS];
    guint64 put, begun, taken;
    gsize octets, most_octets;
    gboolean ended, stopped;
    WorkFunction function;
    gpointer data;
    guint workers;
    pthread_t threads[WORK_RING_JOBS];
};

static Slot *
slot_of(WorkRing *ring, guint64 number)
{
    return &ring->slots[number % WORK_RING_JOBS];
}

/* Under the lock: waits for a job. FALSE: there will be none. */
static gboolean
begin_job(WorkRing *ring, guint64 *number)
{
    while (ring->begun == ring->put && !ring->ended && !ring->stopped)
        (void)pthread_cond_wait(&ring->work, &ring->lock);
    if (ring->stopped || ring->begun == ring->put)
        return FALSE;
    *number = ring->begun++;
    return TRUE;
}

static void *
worker_run(void *data)
{
    WorkRing *ring = data;
    guint64 number;
    (void)pthread_mutex_lock(&ring->lock);
    while (begin_job(ring, &number)) {
        Slot *slot = slot_of(ring, number);
        gpointer job = slot->job;
        (void)pthread_mutex_unlock(&ring->lock);
        ring->function(job, ring->data);
        (void)pthread_mutex_lock(&ring->lock);
        slot->done = TRUE;
        if (number == ring->taken)
            (void)pthread_cond_signal(&ring->ready);
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return NULL;
}

static void
start_workers(WorkRing *ring, guint workers)
{
    while (ring->workers < workers &&
           thread_start(&ring->threads[ring->workers], worker_run, ring) == 0)
        ring->workers++;
}

WorkRing *
work_ring_new(guint workers, WorkFunction work, gpointer data, gsize most_octets, GError **error)
{
    pthread_condattr_t monotonic;
    WorkRing *ring = g_new0(WorkRing, 1);
    ring->function = work;
    ring->data = data;
    ring->most_octets = most_octets;
    (void)pthread_mutex_init(&ring->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&ring->work, NULL);
    (void)pthread_cond_init(&ring->room, NULL);
    (void)pthread_cond_init(&ring->ready, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    start_workers(ring, CLAMP(workers, 1, WORK_RING_JOBS));
    if (ring->workers > 0)
        return ring;
    work_ring_free(ring, NULL);
    error_fail(error, REPLYMILTER_ERROR_IO, "no thread can be started");
    return NULL;
}

void
work_ring_stop(WorkRing *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
    ring->stopped = TRUE;
    (void)pthread_cond_broadcast(&ring->work);
    (void)pthread_cond_broadcast(&ring->room);
    (void)pthread_mutex_unlock(&ring->lock);
}

void
work_ring_free(WorkRing *ring, GDestroyNotify free_job)
{
    work_ring_stop(ring);
    for (guint i = 0; i < ring->workers; i++)
        (void)pthread_join(ring->threads[i], NULL);
    for (guint64 number = ring->taken; number < ring->put; number++)
        free_job(slot_of(ring, number)->job);
    (void)pthread_cond_destroy(&ring->work);
    (void)pthread_cond_destroy(&ring->room);
    (void)pthread_cond_destroy(&ring->ready);
    (void)pthread_mutex_destroy(&ring->lock);
    g_free(ring);
}

/* Under the lock. One job may be larger than all that is allowed. */
static gboolean
is_full(const WorkRing *ring, gsize octets)
{
    guint64 within = ring->put - ring->taken;
    return within >= WORK_RING_JOBS || (within > 0 && ring->octets + octets > ring->most_octets);
}

gboolean
work_ring_put(WorkRing *ring, gpointer job, gsize octets)
{
    (void)pthread_mutex_lock(&ring->lock);
    while (is_full(ring, octets) && !ring->stopped)
        (void)pthread_cond_wait(&ring->room, &ring->lock);
    gboolean wanted = !ring->stopped;
    if (wanted) {
        *slot_of(ring, ring->put) = (Slot){.job = job, .octets = octets};
        ring->put++;
        ring->octets += octets;
        (void)pthread_cond_signal(&ring->work);
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return wanted;
}

void
work_ring_end(WorkRing *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
    ring->ended = TRUE;
    (void)pthread_cond_broadcast(&ring->work);
    (void)pthread_cond_signal(&ring->ready);
    (void)pthread_mutex_unlock(&ring->lock);
}

/* Under the lock. */
static gboolean
is_next_done(WorkRing *ring)
{
    return ring->taken < ring->put && slot_of(ring, ring->taken)->done;
}

/* Under the lock. */
static void
wait_for_next(WorkRing *ring, gint64 wait_us)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    gint64 nanos = until.tv_nsec + (wait_us % G_USEC_PER_SEC) * 1000;
    until.tv_sec += (time_t)(wait_us / G_USEC_PER_SEC + nanos / 1000000000);
    until.tv_nsec = (long)(nanos % 1000000000);
    int fault = 0;
    while (!is_next_done(ring) && !(ring->ended && ring->taken == ring->put) && fault == 0)
        fault = pthread_cond_timedwait(&ring->ready, &ring->lock, &until);
}

gpointer
work_ring_take(WorkRing *ring, gint64 wait_us, gboolean *ended)
{
    gpointer job = NULL;
    (void)pthread_mutex_lock(&ring->lock);
    if (wait_us > 0)
        wait_for_next(ring, wait_us);
    if (is_next_done(ring)) {
        Slot *slot = slot_of(ring, ring->taken++);
        job = slot->job;
        ring->octets -= slot->octets;
        (void)pthread_cond_signal(&ring->room);
    }
    *ended = ring->ended && ring->taken == ring->put;
    (void)pthread_mutex_unlock(&ring->lock);
    return job;
}
