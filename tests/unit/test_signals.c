/*
 * server/signals: what comes, in which order, and that a storm loses nothing.
 */
#include <signal.h>

#include "test_support.h"

#include "server/signals.h"

static void
says_nothing_when_nothing_comes(void **state)
{
    (void)state;
    assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

static void
says_what_came(void **state)
{
    static const struct {
        int number;
        SignalWish wish;
    } cases[] = {
        {SIGHUP, SIGNAL_RELOAD},
        {SIGUSR1, SIGNAL_TRACE},
        {SIGTERM, SIGNAL_STOP},
        {SIGINT, SIGNAL_STOP},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        raise(cases[i].number);
        assert_int_equal(signals_wait(-1), cases[i].wish);
        assert_int_equal(signals_wait(0), SIGNAL_NONE);
    }
}

static void
says_the_weightiest_first(void **state)
{
    (void)state;
    raise(SIGUSR1);
    raise(SIGHUP);
    raise(SIGUSR1);
    raise(SIGTERM);
    assert_int_equal(signals_wait(-1), SIGNAL_STOP);
    assert_int_equal(signals_wait(-1), SIGNAL_RELOAD);
    assert_int_equal(signals_wait(-1), SIGNAL_TRACE);
    assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

/* More than a pipe holds. */
static void
hears_a_stop_behind_a_storm(void **state)
{
    (void)state;
    for (int i = 0; i < 70000; i++)
        raise(SIGHUP);
    raise(SIGTERM);
    assert_int_equal(signals_wait(-1), SIGNAL_STOP);
    assert_int_equal(signals_wait(-1), SIGNAL_RELOAD);
    assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

static void
survives_a_log_at_its_size_limit(void **state)
{
    (void)state;
    raise(SIGPIPE);
    raise(SIGXFSZ);
    assert_int_equal(signals_wait(0), SIGNAL_NONE);
}

static int
open_signals(void **state)
{
    (void)state;
    return signals_open(NULL) ? 0 : 1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_nothing_when_nothing_comes),
        cmocka_unit_test(says_what_came),
        cmocka_unit_test(says_the_weightiest_first),
        cmocka_unit_test(hears_a_stop_behind_a_storm),
        cmocka_unit_test(survives_a_log_at_its_size_limit),
    };
    return cmocka_run_group_tests(tests, open_signals, NULL);
}
