/*
 * server/trouble: the first at once, the others counted.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "test_support.h"

#include "captured_log.h"
#include "server/trouble.h"

#define THREADS 8
#define NOTES   2000 /* of each thread */

static void
is_said_seldom(void **state)
{
    static const struct {
        gint64 at_us;
        gboolean said;
        guint64 unsaid;
    } cases[] = {
        {5, TRUE, 0},
        {6, FALSE, 1},
        {TROUBLE_PAUSE_US, FALSE, 2},
        {TROUBLE_PAUSE_US + 4, FALSE, 3},
        {TROUBLE_PAUSE_US + 5, TRUE, 0},
        {TROUBLE_PAUSE_US + 6, FALSE, 1},
        {3 * TROUBLE_PAUSE_US, TRUE, 0},
    };
    Trouble trouble = {0};
    (void)state;
    log_open((LogTarget)0, "test", "mail");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(trouble_note(&trouble, cases[i].at_us, "number %zu", i), cases[i].said);
        assert_true(trouble.unsaid == cases[i].unsaid);
    }
}

static void
tells_how_many_were_not_said(void **state)
{
    static SharedTrouble shared = SHARED_TROUBLE_INIT;
    Trouble own = {0};
    (void)state;
    captured_log_begin();
    for (gint64 at_us = 1; at_us <= 4; at_us++) {
        (void)trouble_note(&own, at_us, "own %d", (int)at_us);
        (void)shared_trouble_note(&shared, at_us, "shared %d", (int)at_us);
    }
    (void)trouble_note(&own, 2 * TROUBLE_PAUSE_US, "own %d", 5);
    (void)shared_trouble_note(&shared, 2 * TROUBLE_PAUSE_US, "shared %d", 5);
    (void)shared_trouble_note(&shared, 4 * TROUBLE_PAUSE_US, "shared %d", 6);
    g_autofree char *said = captured_log_end();
    assert_string_equal(said,
                        "replymilter: warning: own 1\n"
                        "replymilter: warning: shared 1\n"
                        "replymilter: warning: own 5 (and 3 more since the last such warning)\n"
                        "replymilter: warning: shared 5 (and 3 more since the last such warning)\n"
                        "replymilter: warning: shared 6\n");
}

typedef struct {
    SharedTrouble *shared;
    pthread_barrier_t *start;
    gint64 now_us;
    atomic_uint *said;
} Work;

static void *
note_often(void *data)
{
    const Work *work = data;
    (void)pthread_barrier_wait(work->start);
    for (int i = 0; i < NOTES; i++)
        if (shared_trouble_note(work->shared, work->now_us, "everybody's trouble"))
            atomic_fetch_add(work->said, 1);
    return NULL;
}

/* How often it was said while all threads had the trouble at that time. */
static guint
note_from_all(SharedTrouble *shared, gint64 now_us)
{
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    atomic_uint said = 0;
    Work work = {.shared = shared, .start = &start, .now_us = now_us, .said = &said};
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, note_often, &work), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)pthread_barrier_destroy(&start);
    return atomic_load(&said);
}

static void
is_said_once_for_all_threads(void **state)
{
    static SharedTrouble shared = SHARED_TROUBLE_INIT;
    (void)state;
    captured_log_begin();
    guint first = note_from_all(&shared, 1);
    guint within = note_from_all(&shared, TROUBLE_PAUSE_US);
    guint second = note_from_all(&shared, TROUBLE_PAUSE_US + 1);
    g_autofree char *said = captured_log_end();
    g_autofree char *wanted =
        g_strdup_printf("replymilter: warning: everybody's trouble\n"
                        "replymilter: warning: everybody's trouble (and %d more since the last "
                        "such warning)\n",
                        2 * THREADS * NOTES - 1);
    assert_int_equal(first, 1);
    assert_int_equal(within, 0);
    assert_int_equal(second, 1);
    assert_string_equal(said, wanted);
    assert_true(shared.trouble.unsaid == THREADS * NOTES - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_said_seldom),
        cmocka_unit_test(tells_how_many_were_not_said),
        cmocka_unit_test(is_said_once_for_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
