/*
 * record/event_id: ids that sort by time and differ by chance.
 */
#include <string.h>

#include "test_support.h"

#include "record/event_id.h"

static void
has_a_fixed_form(void **state)
{
    char id[EVENT_ID_SIZE];
    (void)state;
    assert_string_equal(event_id(0, 0, id), "00000000000000000000000000");
    assert_string_equal(event_id(33, 31, id), "0000000000011000000000000z");
    assert_string_equal(event_id(-5, G_MAXUINT64, id), "0000000000000fzzzzzzzzzzzz");
    assert_int_equal(strlen(id), EVENT_ID_SIZE - 1);
}

static void
sorts_by_time(void **state)
{
    static const gint64 times[] = {0, 1, 31, 32, 1795297172000000, 1795297172000001, G_MAXINT64};
    char before[EVENT_ID_SIZE], after[EVENT_ID_SIZE];
    (void)state;
    for (size_t i = 1; i < G_N_ELEMENTS(times); i++)
        assert_true(
            strcmp(event_id(times[i - 1], G_MAXUINT64, before), event_id(times[i], 0, after)) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_fixed_form),
        cmocka_unit_test(sorts_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
