/*
 * filters/filter_state: the breaker, the last needs, the counters.
 */
#include "test_support.h"

#include "filters/filter_state.h"
#include "wire/milter_negotiation.h"

#define SOCKET "unix:/run/filter"

enum { FULL_US = 30 * 1000 * 1000, START_US = 1000 * 1000 * 1000 };

static const char *const no_macros[MILTER_STAGES];

static void
fail_often(FilterState *known, FilterTrouble trouble, guint times)
{
    for (guint i = 0; i < times; i++)
        filter_state_failed(known, trouble, 1, START_US);
}

static void
test_one_state_for_a_socket(void **state)
{
    (void)state;
    g_autoptr(FilterStates) states = filter_states_new();
    FilterState *known = filter_states_get(states, SOCKET);
    assert_ptr_equal(filter_states_get(states, SOCKET), known);
    assert_ptr_not_equal(filter_states_get(states, "unix:/run/other"), known);
    assert_int_equal(filter_states_counters(states, "unix:/run/unknown").connections, 0);
}

static void
test_breaker(void **state)
{
    (void)state;
    static const FilterTrouble opening[] = {FILTER_TROUBLE_CONNECT, FILTER_TROUBLE_TIMEOUT};
    for (gsize i = 0; i < G_N_ELEMENTS(opening); i++) {
        g_autoptr(FilterStates) states = filter_states_new();
        FilterState *known = filter_states_get(states, SOCKET);
        fail_often(known, opening[i], FILTER_STATE_BREAKER_FAILURES - 1);
        assert_int_equal(filter_state_wait(known, FULL_US, START_US), FULL_US);
        fail_often(known, opening[i], 1);
        assert_true(filter_states_counters(states, SOCKET).open);
        assert_int_equal(filter_state_wait(known, FULL_US, START_US), FILTER_STATE_OPEN_WAIT_US);
        assert_int_equal(filter_state_wait(known, 1000, START_US), 1000);
        /* One waits in full, the next does not. */
        gint64 later_us = START_US + FILTER_STATE_PROBE_US;
        assert_int_equal(filter_state_wait(known, FULL_US, later_us), FULL_US);
        assert_int_equal(filter_state_wait(known, FULL_US, later_us), FILTER_STATE_OPEN_WAIT_US);
        assert_true(filter_state_negotiated(known, 0, 0, no_macros));
        assert_false(filter_state_negotiated(known, 0, 0, no_macros));
        assert_false(filter_states_counters(states, SOCKET).open);
        assert_int_equal(filter_state_wait(known, FULL_US, later_us), FULL_US);
    }
}

static void
test_breaker_stays_shut(void **state)
{
    (void)state;
    static const FilterTrouble others[] = {FILTER_TROUBLE_CLOSED, FILTER_TROUBLE_PROTOCOL,
                                           FILTER_TROUBLE_LIMIT};
    g_autoptr(FilterStates) states = filter_states_new();
    FilterState *known = filter_states_get(states, SOCKET);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        fail_often(known, others[i], 10);
    assert_int_equal(filter_state_wait(known, FULL_US, START_US), FULL_US);
    FilterCounters counters = filter_states_counters(states, SOCKET);
    assert_false(counters.open);
    assert_int_equal(counters.troubles[FILTER_TROUBLE_CLOSED], 10);
    assert_int_equal(counters.spent_us, 30);
}

static void
test_answers(void **state)
{
    (void)state;
    g_autoptr(FilterStates) states = filter_states_new();
    FilterState *known = filter_states_get(states, SOCKET);
    filter_state_answered(known, FILTER_PART_ENVELOPE, FILTER_VERDICT_CONTINUE, 9);
    filter_state_answered(known, FILTER_PART_ENVELOPE, FILTER_VERDICT_REPLY, 11);
    filter_state_answered(known, FILTER_PART_MESSAGE, FILTER_VERDICT_DISCARD, FULL_US + 1);
    filter_state_gave_up(known);
    FilterCounters counters = filter_states_counters(states, SOCKET);
    assert_int_equal(counters.answers, 3);
    assert_int_equal(counters.refusals, 1);
    for (guint verdict = 0; verdict < FILTER_VERDICTS; verdict++)
        assert_int_equal(counters.verdicts[verdict], verdict == FILTER_VERDICT_CONTINUE ||
                                                         verdict == FILTER_VERDICT_REPLY ||
                                                         verdict == FILTER_VERDICT_DISCARD);
    const HistogramCounts *envelope = &counters.times[FILTER_PART_ENVELOPE];
    assert_int_equal(envelope->counts[0], 1);
    assert_int_equal(envelope->counts[1], 1);
    assert_int_equal(envelope->sum_us, 20);
    assert_int_equal(counters.times[FILTER_PART_MESSAGE].counts[HISTOGRAM_BOUNDS], 1);
    assert_int_equal(counters.troubles[FILTER_TROUBLE_LIMIT], 1);
    assert_int_equal(counters.spent_us, FULL_US + 21);
}

static void
test_last_needs(void **state)
{
    (void)state;
    g_autoptr(FilterStates) states = filter_states_new();
    FilterState *known = filter_states_get(states, SOCKET);
    guint32 actions, steps;
    char *macros[MILTER_STAGES];
    const char *asked[MILTER_STAGES] = {[MILTER_STAGE_EOM] = "i"};
    assert_false(filter_state_needs(known, &actions, &steps, macros));
    filter_state_negotiated(known, 1, 2, no_macros);
    filter_state_negotiated(known, 3, 4, asked);
    assert_true(filter_state_needs(known, &actions, &steps, macros));
    assert_int_equal(actions, 3);
    assert_int_equal(steps, 4);
    assert_string_equal(macros[MILTER_STAGE_EOM], "i");
    assert_null(macros[MILTER_STAGE_CONNECT]);
    g_free(macros[MILTER_STAGE_EOM]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_state_for_a_socket),
        cmocka_unit_test(test_breaker),
        cmocka_unit_test(test_breaker_stays_shut),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_last_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
