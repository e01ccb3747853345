/*
 * filters/change: from a filter's answer to a change, new bodies, and lists with their limits.
 */
#include <string.h>

#include "test_support.h"

#include "filters/change.h"

#define PLENTY (G_GUINT64_CONSTANT(1) << 30)

static void
answers_become_changes(void **state)
{
    (void)state;
    static const struct {
        MilterAnswer answer;
        gboolean leading_space;
        struct {
            ChangeKind kind;
            guint32 index;
            const char *name, *value, *address, *arguments, *reason;
        } expected;
    } cases[] = {
        {{.code = MILTER_ANSWER_ADDHEADER, .name = "A", .value = "x"},
         FALSE,
         {.kind = CHANGE_ADD_HEADER, .name = "A", .value = " x"}},
        {{.code = MILTER_ANSWER_ADDHEADER, .name = "A", .value = "x"},
         TRUE,
         {.kind = CHANGE_ADD_HEADER, .name = "A", .value = "x"}},
        {{.code = MILTER_ANSWER_ADDHEADER, .name = "A", .value = ""},
         FALSE,
         {.kind = CHANGE_ADD_HEADER, .name = "A", .value = " "}},
        {{.code = MILTER_ANSWER_INSHEADER, .index = 0, .name = "A", .value = "\tx\n y"},
         FALSE,
         {.kind = CHANGE_INSERT_HEADER, .name = "A", .value = " \tx\n y"}},
        {{.code = MILTER_ANSWER_INSHEADER, .index = G_MAXUINT32, .name = "A", .value = " x"},
         TRUE,
         {.kind = CHANGE_INSERT_HEADER, .index = G_MAXINT32, .name = "A", .value = " x"}},
        {{.code = MILTER_ANSWER_CHGHEADER, .index = 0, .name = "A", .value = "x"},
         FALSE,
         {.kind = CHANGE_SET_HEADER, .index = 1, .name = "A", .value = " x"}},
        {{.code = MILTER_ANSWER_CHGHEADER, .index = 3, .name = "A", .value = ""},
         FALSE,
         {.kind = CHANGE_DELETE_HEADER, .index = 3, .name = "A"}},
        {{.code = MILTER_ANSWER_CHGHEADER, .index = 0, .name = "A", .value = ""},
         TRUE,
         {.kind = CHANGE_DELETE_HEADER, .index = 1, .name = "A"}},
        {{.code = MILTER_ANSWER_CHGHEADER, .index = 1, .name = "A", .value = " "},
         TRUE,
         {.kind = CHANGE_SET_HEADER, .index = 1, .name = "A", .value = " "}},
        {{.code = MILTER_ANSWER_ADDRCPT, .address = "<a@b>"},
         FALSE,
         {.kind = CHANGE_ADD_RECIPIENT, .address = "<a@b>"}},
        {{.code = MILTER_ANSWER_ADDRCPT_PAR, .address = "<a@b>", .arguments = "NOTIFY=NEVER"},
         FALSE,
         {.kind = CHANGE_ADD_RECIPIENT_PAR, .address = "<a@b>", .arguments = "NOTIFY=NEVER"}},
        {{.code = MILTER_ANSWER_ADDRCPT_PAR, .address = "<a@b>"},
         FALSE,
         {.kind = CHANGE_ADD_RECIPIENT_PAR, .address = "<a@b>"}},
        {{.code = MILTER_ANSWER_DELRCPT, .address = "<a@b>"},
         FALSE,
         {.kind = CHANGE_DELETE_RECIPIENT, .address = "<a@b>"}},
        {{.code = MILTER_ANSWER_CHGFROM, .address = "<>", .arguments = "BODY=8BITMIME"},
         FALSE,
         {.kind = CHANGE_SENDER, .address = "<>", .arguments = "BODY=8BITMIME"}},
        {{.code = MILTER_ANSWER_QUARANTINE, .octets = "why\0", .length = 3},
         FALSE,
         {.kind = CHANGE_QUARANTINE, .reason = "why"}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Change) found = change_from_answer(&cases[i].answer, cases[i].leading_space);
        assert_int_equal(found->kind, cases[i].expected.kind);
        assert_int_equal(found->index, cases[i].expected.index);
        assert_int_equal(g_strcmp0(found->name, cases[i].expected.name), 0);
        assert_int_equal(g_strcmp0(found->value, cases[i].expected.value), 0);
        assert_int_equal(g_strcmp0(found->address, cases[i].expected.address), 0);
        assert_int_equal(g_strcmp0(found->arguments, cases[i].expected.arguments), 0);
        assert_int_equal(g_strcmp0(found->reason, cases[i].expected.reason), 0);
        assert_null(found->body);
    }
}

static void
values_for_an_mta(void **state)
{
    (void)state;
    static const struct {
        const char *value, *with_space, *without;
    } cases[] = {
        {" x", " x", "x"},     {"x", "x", "x"}, {"  x", "  x", " x"},
        {"\tx", "\tx", "\tx"}, {" ", " ", ""},  {"", "", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Change) change = change_header(CHANGE_ADD_HEADER, 0, "A", cases[i].value);
        assert_string_equal(change_value(change, TRUE), cases[i].with_space);
        assert_string_equal(change_value(change, FALSE), cases[i].without);
    }
    g_autoptr(Change) gone = change_header(CHANGE_DELETE_HEADER, 1, "A", " x");
    assert_null(change_value(gone, FALSE));
}

/* Each body comes in every two pieces. */
static void
bodies_have_whole_lines(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"a", "a\r\n"},
        {"a\n", "a\r\n"},
        {"a\r\n", "a\r\n"},
        {"a\r", "a\r\r\n"},
        {"\n\nb", "\r\n\r\nb\r\n"},
        {"a\rb\r\r\nc\n\rd\r\n", "a\rb\r\r\nc\r\n\rd\r\n"},
        {"h\xc3\xa9\x80\n.\n", "h\xc3\xa9\x80\r\n.\r\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize length = strlen(cases[i][0]), expected = strlen(cases[i][1]);
        for (gsize cut = 0; cut <= length; cut++) {
            MilterAnswer piece = {.code = MILTER_ANSWER_REPLBODY, .octets = "", .length = 0};
            g_autoptr(Change) change = change_from_answer(&piece, FALSE);
            const char *octets = cases[i][0];
            assert_true(change_body_append(change, octets, cut, PLENTY, NULL));
            assert_true(change_body_append(change, octets + cut, length - cut, PLENTY, NULL));
            assert_true(change_body_end(change, PLENTY, NULL));
            assert_int_equal(spool_length(change->body), expected);
            assert_memory_equal(spool_octets(change->body, NULL), cases[i][1], expected);
        }
    }
}

static void
lists_have_limits(void **state)
{
    (void)state;
    g_autoptr(ChangeList) list = change_list_new();
    for (int i = 0; i < CHANGE_LIST_MAX; i++)
        assert_true(change_list_add(list, change_header(CHANGE_ADD_HEADER, 0, "A", " x")));
    assert_false(change_list_add(list, change_header(CHANGE_ADD_HEADER, 0, "A", " x")));
    assert_int_equal(change_list_count(list), CHANGE_LIST_MAX);

    g_autoptr(ChangeList) large = change_list_new();
    g_autofree char *value = g_strnfill(CHANGE_LIST_OCTETS_MAX, 'x');
    assert_false(change_list_add(large, change_header(CHANGE_ADD_HEADER, 0, "A", value)));
    assert_true(change_list_add(large, change_header(CHANGE_ADD_HEADER, 0, "A", value + 1)));
    assert_false(change_list_add(large, change_header(CHANGE_DELETE_HEADER, 1, "A", NULL)));
}

static void
lists_move_in_order(void **state)
{
    (void)state;
    g_autoptr(ChangeList) all = change_list_new();
    g_autoptr(ChangeList) some = change_list_new();
    assert_true(change_list_add(all, change_header(CHANGE_ADD_HEADER, 0, "A", " 1")));
    for (guint i = 0; i < 2; i++) {
        assert_true(change_list_add(some, change_header(CHANGE_ADD_HEADER, 0, "B", " 2")));
        change_list_move(all, some);
        assert_int_equal(change_list_count(some), 0);
        assert_int_equal(change_list_count(all), i + 2);
    }
    assert_string_equal(change_list_get(all, 0)->name, "A");
    assert_string_equal(change_list_get(all, 2)->name, "B");
    change_list_move(all, some);
    assert_int_equal(change_list_count(all), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_become_changes),  cmocka_unit_test(values_for_an_mta),
        cmocka_unit_test(bodies_have_whole_lines), cmocka_unit_test(lists_have_limits),
        cmocka_unit_test(lists_move_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
