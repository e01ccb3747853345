/*
 * filters/filter_needs: steps joined, lists of macros.
 */
#include "test_support.h"

#include "filters/filter_needs.h"

static void
test_version(void **state)
{
    (void)state;
    assert_int_equal(filter_needs_version(MILTER_ACTIONS_V2, MILTER_STEPS_V2), 2);
    assert_int_equal(filter_needs_version(MILTER_ACTIONS_V2, MILTER_STEPS_V3), 3);
    assert_int_equal(filter_needs_version(MILTER_ACTIONS_V2, MILTER_STEPS_V4), 4);
    assert_int_equal(filter_needs_version(MILTER_ACTIONS_V6, MILTER_STEPS_V4), 6);
    assert_int_equal(filter_needs_version(MILTER_ACTIONS_V2, MILTER_STEPS_V6), 6);
}

static void
test_join(void **state)
{
    (void)state;
    enum { NO = MILTER_STEP_NOMAIL, NR = MILTER_STEP_NR_MAIL };
    static const struct {
        guint32 one, other, both;
    } cases[] = {
        {0, 0, 0},
        {NO, NO, NO | NR}, /* so it is not answered either */
        {NO, 0, 0},
        {NR, 0, 0},
        {NR, NR, NR},
        {NO, NR, NR},
        {NO | NR, NR, NR},
        {MILTER_STEP_RCPT_REJ, 0, MILTER_STEP_RCPT_REJ},
        {MILTER_STEP_HDR_LEADSPC, MILTER_STEP_SKIP, MILTER_STEP_HDR_LEADSPC | MILTER_STEP_SKIP},
        {MILTER_STEPS_NO | MILTER_STEPS_NR, 0, 0},
        {MILTER_STEPS_NO, MILTER_STEPS_NR, MILTER_STEPS_NR},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(filter_needs_join(cases[i].one, cases[i].other), cases[i].both);
        assert_int_equal(filter_needs_join(cases[i].other, cases[i].one), cases[i].both);
    }
}

static void
test_macro_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list, *added, *result;
    } cases[] = {
        {"", "i {x}", "i {x}"},  {"i", "{i},j", "i j"},
        {"{i}", "i", "{i}"},     {"a", NULL, "a"},
        {"a", "", "a"},          {"a", " ,\t", "a"},
        {"a", "{} {", "a {} {"}, {"{ab}", "a b", "{ab} a b"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) list = g_string_new(cases[i].list);
        filter_needs_add_macros(list, cases[i].added);
        assert_string_equal(list->str, cases[i].result);
    }
    assert_true(filter_needs_has_macro("a,{i} b", "i"));
    assert_false(filter_needs_has_macro("a {ii} b", "i"));
    assert_true(filter_needs_has_macros("a,{i} b", "i b"));
    assert_true(filter_needs_has_macros("", " ,"));
    assert_false(filter_needs_has_macros("a b", "a i"));
    for (guint stage = 0; stage < MILTER_STAGES; stage++) {
        assert_non_null(filter_needs_default_macros((MilterStage)stage));
        assert_non_null(filter_needs_extra_macros((MilterStage)stage));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_macro_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
