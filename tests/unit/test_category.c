/*
 * catalog/category: the table's names, and that its texts may stand in an SMTP reply.
 */
#include "test_support.h"

#include <string.h>

#include "base/text.h"
#include "catalog/category.h"

/* What an annotation may add (three lines, 400 octets), less a line with a help page. */
#define SENTENCE_LIMIT 120
#define ADVICE_LIMIT   160

static void
rows_are_reachable_by_name(void **state)
{
    (void)state;
    for (guint i = 0; i < CATEGORY_COUNT; i++) {
        const CategoryInfo *info = category_info((Category)i);
        Category found = CATEGORY_COUNT;
        assert_true(category_from_name(info->name, &found));
        assert_int_equal(found, i);
        assert_string_equal(category_names()[i], info->name);
    }
    assert_null(category_names()[CATEGORY_COUNT]);
}

static void
known_rows(void **state)
{
    static const struct {
        Category category;
        const char *name, *group;
        gboolean permanent;
        Action action;
        EnhancedStatus status;
        const char *sisimai;
    } cases[] = {
        {CATEGORY_USER_UNKNOWN,
         "user-unknown",
         "recipient",
         TRUE,
         ACTION_SUPPRESS,
         {5, 1, 1},
         "userunknown"},
        {CATEGORY_MAILBOX_FULL,
         "mailbox-full",
         "recipient",
         FALSE,
         ACTION_RETRY,
         {5, 2, 2},
         "mailboxfull"},
        {CATEGORY_DOMAIN_REFUSES_MAIL,
         "domain-refuses-mail",
         "domain",
         TRUE,
         ACTION_SUPPRESS,
         {5, 1, 10},
         "notaccept"},
        {CATEGORY_HOST_BLOCKED,
         "host-blocked",
         "reputation",
         FALSE,
         ACTION_FIX_REPUTATION,
         {5, 7, 1},
         "blocked"},
        {CATEGORY_RELAY_DENIED,
         "relay-denied",
         "access",
         FALSE,
         ACTION_FIX_CONFIGURATION,
         {5, 7, 1},
         "norelaying"},
        {CATEGORY_MESSAGE_TOO_LARGE,
         "message-too-large",
         "content",
         FALSE,
         ACTION_FIX_MESSAGE,
         {5, 3, 4},
         "mesgtoobig"},
        {CATEGORY_UNCLASSIFIED,
         "unclassified",
         "unclassified",
         FALSE,
         ACTION_REVIEW,
         {5, 0, 0},
         "undefined"},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const CategoryInfo *info = category_info(cases[i].category);
        assert_string_equal(info->name, cases[i].name);
        assert_string_equal(info->group, cases[i].group);
        assert_int_equal(info->permanent, cases[i].permanent);
        assert_int_equal(info->action, cases[i].action);
        assert_true(enhanced_status_equal(info->status, cases[i].status));
        assert_string_equal(info->aliases[0], cases[i].sisimai);
    }
}

static void
unknown_names(void **state)
{
    static const char *const cases[] = {"", "user", "User-Unknown", "user-unknown ", "none"};
    Category category = CATEGORY_SPAM;
    Action action = ACTION_REVIEW;
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_false(category_from_name(cases[i], &category));
    assert_int_equal(category, CATEGORY_SPAM);
    assert_false(action_from_name("retry-faster", &action));
    assert_int_equal(action, ACTION_REVIEW);
}

static void
actions_have_names(void **state)
{
    (void)state;
    for (guint i = 0; i < ACTION_COUNT; i++) {
        Action found = ACTION_COUNT;
        assert_true(action_from_name(action_name((Action)i), &found));
        assert_int_equal(found, i);
    }
    assert_string_equal(action_name(ACTION_FIX_SENDER), "fix-sender");
}

static void
assert_fit_for_reply(const char *text, gsize limit)
{
    assert_true(strlen(text) > 0);
    assert_true(strlen(text) <= limit);
    assert_true(text_is_printable(text));
    assert_null(strpbrk(text, "%$\\"));
    assert_true(g_str_has_suffix(text, "."));
}

static void
texts_fit_a_reply(void **state)
{
    (void)state;
    for (guint i = 0; i < CATEGORY_COUNT; i++) {
        const CategoryInfo *info = category_info((Category)i);
        assert_fit_for_reply(info->sentence, SENTENCE_LIMIT);
        assert_fit_for_reply(info->advice, ADVICE_LIMIT);
        assert_null(strstr(info->sentence, ". ")); /* one sentence that stands alone */
        assert_int_equal(info->status.class, 5);
        for (guint alias = 0; alias < G_N_ELEMENTS(info->aliases); alias++)
            assert_true(strlen(info->aliases[alias]) > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_reachable_by_name),
        cmocka_unit_test(known_rows),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(actions_have_names),
        cmocka_unit_test(texts_fit_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
