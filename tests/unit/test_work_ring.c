/*
 * replyctl/work_ring: everything is done once, and comes out in order; who stops need not wait.
 */
#include "test_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "replyctl/work_ring.h"

enum { JOBS = 5000, WORKERS = 4, MOST_OCTETS = 1000 };

typedef struct {
    guint number;
    guint result;
} Job;

typedef struct {
    WorkRing *ring;
    guint jobs;
    gsize octets;
    guint put; /* read once the thread has ended */
} Producer;

static atomic_uint done;

/* Uneven work, so that jobs finish out of order. */
static void
do_job(gpointer data, gpointer user)
{
    Job *job = data;
    guint sum = 0, rounds = job->number % 7 == 0 ? 20000 : 10;
    (void)user;
    for (guint i = 0; i < rounds; i++)
        sum = sum * 31 + i;
    job->result = job->number * 2 + (sum == 1 ? 1 : 0);
    atomic_fetch_add(&done, 1);
}

static void *
produce(void *data)
{
    Producer *producer = data;
    for (guint i = 0; i < producer->jobs; i++) {
        Job *job = g_new0(Job, 1);
        job->number = i;
        if (!work_ring_put(producer->ring, job, producer->octets)) {
            g_free(job);
            break;
        }
        producer->put++;
    }
    work_ring_end(producer->ring);
    return NULL;
}

static void
comes_out_in_order(void **state)
{
    static const gsize octets[] = {1, 300, 5000};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(octets); i++) {
        pthread_t thread;
        gboolean ended = FALSE;
        guint next = 0;
        Producer producer = {.jobs = JOBS, .octets = octets[i]};
        producer.ring = work_ring_new(WORKERS, do_job, NULL, MOST_OCTETS, NULL);
        assert_non_null(producer.ring);
        assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
        while (!ended) {
            Job *job = work_ring_take(producer.ring, 10000, &ended);
            if (job == NULL)
                continue;
            assert_int_equal(job->number, next);
            assert_int_equal(job->result, next * 2);
            next++;
            g_free(job);
        }
        pthread_join(thread, NULL);
        assert_int_equal(next, JOBS);
        assert_int_equal(producer.put, JOBS);
        work_ring_free(producer.ring, g_free);
    }
}

static void
ends_when_empty(void **state)
{
    gboolean ended = FALSE;
    (void)state;
    WorkRing *ring = work_ring_new(1, do_job, NULL, MOST_OCTETS, NULL);
    assert_null(work_ring_take(ring, 1000, &ended));
    assert_false(ended);
    work_ring_end(ring);
    assert_null(work_ring_take(ring, G_USEC_PER_SEC * 60, &ended));
    assert_true(ended);
    work_ring_free(ring, g_free);
}

/* Nobody takes out: who puts in waits, and is let go. */
static void
stops(void **state)
{
    pthread_t thread;
    gboolean ended;
    (void)state;
    Producer producer = {.jobs = JOBS, .octets = 1};
    producer.ring = work_ring_new(WORKERS, do_job, NULL, MOST_OCTETS, NULL);
    atomic_store(&done, 0);
    assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
    Job *first = NULL;
    while (first == NULL)
        first = work_ring_take(producer.ring, 10000, &ended);
    g_free(first);
    work_ring_stop(producer.ring);
    pthread_join(thread, NULL);
    assert_true(producer.put <= WORK_RING_JOBS + 1);
    work_ring_free(producer.ring, g_free);
    assert_true(atomic_load(&done) <= WORK_RING_JOBS + 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order),
        cmocka_unit_test(ends_when_empty),
        cmocka_unit_test(stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
