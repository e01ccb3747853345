/*
 * record/rate_window: at most so many a second.
 */
#include "test_support.h"

#include "record/rate_window.h"

static void
takes_so_many_a_second(void **state)
{
    RateWindow window = {0};
    gint64 now_us = 5000;
    (void)state;
    for (int second = 0; second < 3; second++, now_us += G_USEC_PER_SEC) {
        for (int i = 0; i < 3; i++)
            assert_true(rate_window_take(&window, 3, now_us + i));
        assert_true(rate_window_is_full(&window, 3, now_us + 10));
        assert_false(rate_window_take(&window, 3, now_us + 10));
        assert_false(rate_window_take(&window, 3, now_us + G_USEC_PER_SEC - 1));
    }
}

static void
begins_a_window_with_what_comes(void **state)
{
    RateWindow window = {0};
    (void)state;
    assert_true(rate_window_take(&window, 1, 100));
    assert_true(rate_window_take(&window, 1, 100 + 3 * G_USEC_PER_SEC / 2));
    assert_false(rate_window_take(&window, 1, 100 + 2 * G_USEC_PER_SEC));
    assert_true(rate_window_take(&window, 1, 100 + 5 * G_USEC_PER_SEC / 2));
}

static void
has_no_limit_at_rate_0(void **state)
{
    RateWindow window = {0};
    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_true(rate_window_take(&window, 0, 7));
    assert_false(rate_window_is_full(&window, 0, 7));
}

static void
obeys_a_new_rate_at_once(void **state)
{
    RateWindow window = {0};
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_true(rate_window_take(&window, 100, 7));
    assert_false(rate_window_take(&window, 2, 8));
    assert_true(rate_window_take(&window, 6, 8));
}

static void
survives_a_clock_that_is_set_back(void **state)
{
    RateWindow window = {0};
    (void)state;
    assert_true(rate_window_take(&window, 1, G_GINT64_CONSTANT(1000000000)));
    assert_true(rate_window_take(&window, 1, 10));
    assert_false(rate_window_take(&window, 1, 11));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_so_many_a_second),
        cmocka_unit_test(begins_a_window_with_what_comes),
        cmocka_unit_test(has_no_limit_at_rate_0),
        cmocka_unit_test(obeys_a_new_rate_at_once),
        cmocka_unit_test(survives_a_clock_that_is_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
