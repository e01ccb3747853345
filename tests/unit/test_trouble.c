/*
 * server/trouble: the first at once, the others counted.
 */
#include "test_support.h"

#include "base/log.h"
#include "server/trouble.h"

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

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_said_seldom)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
