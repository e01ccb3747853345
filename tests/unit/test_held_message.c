/*
 * filters/held_message: what is kept of a message, and what each change makes of it.
 *
 * A message is written as "A: 1|B: 2"; the value is what stands behind the colon.
 */
#include <string.h>

#include "test_support.h"

#include "base/session_memory.h"
#include "filters/held_message.h"

#define PLENTY (G_GUINT64_CONSTANT(1) << 30)

static HeldMessage *
message_of(const char *headers)
{
    HeldMessage *message = held_message_new(PLENTY);
    g_auto(GStrv) lines = g_strsplit(headers, "|", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        char *colon = strchr(*line, ':');
        *colon = '\0';
        held_message_header(message, *line, colon + 1);
    }
    return message;
}

static void
check_headers(const HeldMessage *message, const char *expected)
{
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint i = 0; i < held_message_header_count(message); i++) {
        const HeldHeader *header = held_message_header_get(message, i);
        g_string_append_printf(found, "%s%s:%s", i > 0 ? "|" : "", header->name, header->value);
    }
    assert_string_equal(found->str, expected);
}

static void
headers_come_back_byte_for_byte(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "A: 1",
        "A:1|A:\t2|a:  3",
        "A:|B: |C:   ",
        "Subject: h\xc3\xa9llo \x80\xff",
        "Folded: one\n two\n\tthree\r\n  four\n five ",
        "A: 1|B: 2|A: 3|B: 4",
        "Bad Name : x|-: y",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HeldMessage) message = message_of(cases[i]);
        check_headers(message, cases[i]);
        assert_null(held_message_gap(message));
    }
    assert_int_equal(session_memory_in_use(), 0);
}

#define ADD(n, v)                                                                                  \
    {                                                                                              \
        .kind = CHANGE_ADD_HEADER, .name = (char *)(n), .value = (char *)(v)                       \
    }
#define INSERT(i, n, v)                                                                            \
    {                                                                                              \
        .kind = CHANGE_INSERT_HEADER, .index = (i), .name = (char *)(n), .value = (char *)(v)      \
    }
#define SET(i, n, v)                                                                               \
    {                                                                                              \
        .kind = CHANGE_SET_HEADER, .index = (i), .name = (char *)(n), .value = (char *)(v)         \
    }
#define DELETE(i, n)                                                                               \
    {                                                                                              \
        .kind = CHANGE_DELETE_HEADER, .index = (i), .name = (char *)(n)                            \
    }

/* As Postfix does it; the MTA's own Received line stands before all and is not seen. */
static void
changes_have_their_effect(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        Change changes[4]; /* up to one without a name */
        const char *after;
    } cases[] = {
        {"A: 1|B: 2", {ADD("C", " 3")}, "A: 1|B: 2|C: 3"},
        {"A: 1|B: 2", {ADD("A", "3")}, "A: 1|B: 2|A:3"},
        {"", {ADD("A", " ")}, "A: "},
        /* Before the MTA's own line, behind it, in between, at the end, far behind the end. */
        {"A: 1|B: 2", {INSERT(0, "X", " 0")}, "X: 0|A: 1|B: 2"},
        {"A: 1|B: 2", {INSERT(1, "X", " 0")}, "X: 0|A: 1|B: 2"},
        {"A: 1|B: 2", {INSERT(2, "X", " 0")}, "A: 1|X: 0|B: 2"},
        {"A: 1|B: 2", {INSERT(3, "X", " 0")}, "A: 1|B: 2|X: 0"},
        {"A: 1|B: 2", {INSERT(G_MAXINT32, "X", " 0")}, "A: 1|B: 2|X: 0"},
        {"", {INSERT(0, "X", " 0"), INSERT(1, "Y", " 1"), INSERT(2, "Z", " 2")}, "X: 0|Y: 1|Z: 2"},
        /* What was put before the MTA's line moves it: 1 is still before it, 2 behind it. */
        {"A: 1", {INSERT(0, "X", " 0"), INSERT(0, "Y", " 1")}, "Y: 1|X: 0|A: 1"},
        {"A: 1", {INSERT(0, "X", " 0"), INSERT(1, "Y", " 1")}, "X: 0|Y: 1|A: 1"},
        {"A: 1", {INSERT(0, "X", " 0"), INSERT(2, "Y", " 1")}, "X: 0|Y: 1|A: 1"},
        {"A: 1", {INSERT(0, "X", " 0"), INSERT(3, "Y", " 1")}, "X: 0|A: 1|Y: 1"},
        {"A: 1", {INSERT(1, "X", " 0"), INSERT(1, "Y", " 1")}, "Y: 1|X: 0|A: 1"},
        {"A: 1", {INSERT(1, "X", " 0"), INSERT(2, "Y", " 1")}, "X: 0|Y: 1|A: 1"},
        {"A: 1", {INSERT(0, "X", " 0"), DELETE(1, "X"), INSERT(2, "Y", " 1")}, "A: 1|Y: 1"},
        /* The nth of a name, in any letters; the new name takes the place of the old. */
        {"A: 1|B: 2|a: 3", {SET(1, "A", " x")}, "A: x|B: 2|a: 3"},
        {"A: 1|B: 2|a: 3", {SET(2, "A", " x")}, "A: 1|B: 2|A: x"},
        {"A: 1|B: 2|a: 3", {SET(3, "A", " x")}, "A: 1|B: 2|a: 3|A: x"},
        {"A: 1|AA: 2", {SET(2, "A", " x")}, "A: 1|AA: 2|A: x"},
        {"", {SET(1, "A", " x")}, "A: x"},
        {"A: 1|B: 2", {SET(1, "A", " \n\n x")}, "A: \n\t\n x|B: 2"},
        {"Received: a|Received: b", {SET(1, "Received", " x")}, "Received: x|Received: b"},
        /* What is deleted does not count any more. */
        {"A: 1|A: 2|A: 3", {DELETE(2, "a")}, "A: 1|A: 3"},
        {"A: 1|A: 2|A: 3", {DELETE(1, "A"), DELETE(1, "A")}, "A: 3"},
        {"A: 1|A: 2|A: 3", {DELETE(1, "A"), SET(1, "A", " x")}, "A: x|A: 3"},
        {"A: 1|B: 2", {DELETE(2, "A")}, "A: 1|B: 2"},
        {"A: 1|B: 2", {DELETE(1, "C")}, "A: 1|B: 2"},
        {"A: 1", {DELETE(1, "A"), ADD("A", " 2")}, "A: 2"},
        {"A: 1|B: 2", {DELETE(1, "A"), INSERT(2, "X", " 0")}, "B: 2|X: 0"},
        /* Lines that go on begin with a space or a tab. */
        {"", {ADD("A", " 1\n 2\n\t3\n4\n")}, "A: 1\n 2\n\t3\n\t4\n\t"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HeldMessage) message = message_of(cases[i].before);
        for (gsize j = 0; j < G_N_ELEMENTS(cases[i].changes) && cases[i].changes[j].name; j++) {
            Change change = cases[i].changes[j];
            held_message_change(message, &change);
        }
        check_headers(message, cases[i].after);
        assert_null(held_message_gap(message));
    }
    assert_int_equal(session_memory_in_use(), 0);
}

/* ---- what an MTA makes of the changes ------------------------------------------------------- */

/* Header lines of an MTA, its own Received line first; NULL values are deleted. */
typedef struct {
    char *name, *value;
} Line;

static Line *
line_of(GArray *lines, guint i)
{
    return &g_array_index(lines, Line, i);
}

/* The place of the index-th; the end if there is none. `name` NULL: any. Its own line is not found
 * by its name. */
static guint
place_of(GArray *lines, const char *name, guint index, gboolean counts_deleted)
{
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = line_of(lines, i);
        gboolean own = strcmp(line->name, "Received") == 0;
        if (name == NULL ? TRUE : !own && g_ascii_strcasecmp(line->name, name) == 0)
            if ((line->value != NULL || counts_deleted) && --index == 0)
                return i;
    }
    return lines->len;
}

/* As Postfix does it, or with `counts_deleted` as Sendmail. */
static void
tell_mta(GArray *lines, const Change *change, gboolean counts_deleted)
{
    gboolean insert = change->kind == CHANGE_INSERT_HEADER;
    guint index = insert ? change->index + 1 : change->index;
    guint at = change->kind == CHANGE_ADD_HEADER
                   ? lines->len
                   : place_of(lines, insert ? NULL : change->name, index, counts_deleted);
    if (change->kind == CHANGE_DELETE_HEADER) {
        if (at < lines->len)
            line_of(lines, at)->value = NULL;
        return;
    }
    Line fresh = {change->name, change->value};
    if (change->kind == CHANGE_SET_HEADER && at < lines->len)
        *line_of(lines, at) = fresh;
    else
        g_array_insert_val(lines, at, fresh);
}

static Change *
random_change(GRand *chance)
{
    static const char *const names[] = {"A", "a", "B", "C"};
    static const char *const values[] = {" 1", " 2", " 3"};
    ChangeKind kind =
        (ChangeKind)g_rand_int_range(chance, CHANGE_ADD_HEADER, CHANGE_DELETE_HEADER + 1);
    return change_header(kind, (guint32)g_rand_int_range(chance, 0, 6),
                         names[g_rand_int_range(chance, 0, G_N_ELEMENTS(names))],
                         values[g_rand_int_range(chance, 0, G_N_ELEMENTS(values))]);
}

/* The lines of the MTA after all changes, without its own one. */
static char *
told_mta(const char *const *before, const ChangeList *changes, gboolean counts_deleted)
{
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(Line));
    GString *text = g_string_new(NULL);
    Line own = {(char *)"Received", (char *)" by us"};
    g_array_append_val(lines, own);
    for (; *before != NULL; before++) {
        Line line = {(char *)*before, (char *)" x"};
        g_array_append_val(lines, line);
    }
    for (guint i = 0; i < change_list_count(changes); i++)
        tell_mta(lines, change_list_get(changes, i), counts_deleted);
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = line_of(lines, i);
        if (line->value != NULL && strcmp(line->name, "Received") != 0)
            g_string_append_printf(text, "%s%s:%s", text->len > 0 ? "|" : "", line->name,
                                   line->value);
    }
    return g_string_free(text, FALSE);
}

/* Whatever several filters want: each MTA ends with the message that the last of them saw. */
static void
mtas_end_with_what_filters_saw(void **state)
{
    (void)state;
    static const char *const before[] = {"A", "B", "A", "a", "C", NULL};
    g_autoptr(GRand) chance = g_rand_new_with_seed(7);
    for (int turn = 0; turn < 2000; turn++) {
        g_autoptr(HeldMessage) message = message_of("A: x|B: x|A: x|a: x|C: x");
        g_autoptr(ChangeList) changes = change_list_new();
        for (int i = g_rand_int_range(chance, 1, 9); i > 0; i--) {
            Change *change = random_change(chance);
            held_message_change(message, change);
            assert_true(change_list_add(changes, change));
        }
        held_message_put_deletions_last(message, changes);
        g_autofree char *postfix = told_mta(before, changes, FALSE);
        g_autofree char *sendmail = told_mta(before, changes, TRUE);
        check_headers(message, postfix);
        check_headers(message, sendmail);
    }
    assert_int_equal(session_memory_in_use(), 0);
}

/* Filters that see no header change blindly. */
static void
what_is_not_seen_is_told_as_it_was_said(void **state)
{
    (void)state;
    g_autoptr(HeldMessage) message = held_message_new(PLENTY);
    g_autoptr(ChangeList) changes = change_list_new();
    static const ChangeKind kinds[] = {CHANGE_DELETE_HEADER, CHANGE_SET_HEADER,
                                       CHANGE_INSERT_HEADER};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        change_list_add(changes, change_header(kinds[i], 7, "A", " 1"));
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        held_message_change(message, change_list_get(changes, (guint)i));
    held_message_put_deletions_last(message, changes);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        assert_int_equal(change_list_get(changes, (guint)i)->kind, kinds[i]);
        assert_int_equal(change_list_get(changes, (guint)i)->index, 7);
    }
}

static void
the_envelope_is_not_part_of_it(void **state)
{
    (void)state;
    static const ChangeKind kinds[] = {CHANGE_ADD_RECIPIENT, CHANGE_ADD_RECIPIENT_PAR,
                                       CHANGE_DELETE_RECIPIENT, CHANGE_SENDER, CHANGE_QUARANTINE};
    g_autoptr(HeldMessage) message = message_of("A: 1");
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        Change change = {.kind = kinds[i], .address = (char *)"<a@b>", .reason = (char *)"why"};
        held_message_change(message, &change);
    }
    check_headers(message, "A: 1");
    assert_false(held_message_body_changed(message));
}

static void
bodies_are_replaced(void **state)
{
    (void)state;
    static const char *const bodies[] = {"new\n", "", "newer"};
    static const char *const expected[] = {"new\r\n", "", "newer\r\n"};
    g_autoptr(HeldMessage) message = message_of("A: 1");
    held_message_body(message, "old\r", 4);
    held_message_body(message, "\nlines\0\r\n", 9);
    assert_int_equal(spool_length(held_message_get_body(message)), 13);
    assert_memory_equal(spool_octets(held_message_get_body(message), NULL), "old\r\nlines\0\r\n",
                        13);
    assert_false(held_message_body_changed(message));
    for (gsize i = 0; i < G_N_ELEMENTS(bodies); i++) {
        MilterAnswer piece = {.code = MILTER_ANSWER_REPLBODY, .octets = "", .length = 0};
        g_autoptr(Change) change = change_from_answer(&piece, FALSE);
        assert_true(change_body_append(change, bodies[i], strlen(bodies[i]), PLENTY, NULL));
        assert_true(change_body_end(change, PLENTY, NULL));
        held_message_change(message, change);
        assert_null(change->body);
        assert_true(held_message_body_changed(message));
        assert_int_equal(spool_length(held_message_get_body(message)), strlen(expected[i]));
        assert_memory_equal(spool_octets(held_message_get_body(message), NULL), expected[i],
                            strlen(expected[i]));
    }
}

static void
too_many_headers_are_a_gap(void **state)
{
    (void)state;
    g_autoptr(HeldMessage) message = held_message_new(PLENTY);
    for (int i = 0; i < HELD_MESSAGE_HEADERS_MAX; i++)
        held_message_header(message, "A", "");
    assert_null(held_message_gap(message));
    held_message_header(message, "A", "");
    assert_non_null(held_message_gap(message));
    assert_int_equal(held_message_header_count(message), HELD_MESSAGE_HEADERS_MAX);
}

static void
too_large_headers_are_a_gap(void **state)
{
    (void)state;
    g_autofree char *value = g_strnfill(HELD_MESSAGE_HEADER_OCTETS_MAX, 'x');
    g_autoptr(HeldMessage) message = message_of("A: 1");
    Change change = {.kind = CHANGE_ADD_HEADER, .name = (char *)"A", .value = value};
    held_message_change(message, &change);
    assert_non_null(held_message_gap(message));
    check_headers(message, "A: 1");
}

static void
used_up_memory_is_a_gap(void **state)
{
    (void)state;
    g_autofree char *value = g_strnfill(1000, 'x');
    HeldMessage *message = held_message_new(500);
    held_message_header(message, "A", value);
    assert_string_equal(held_message_gap(message), "limits.memory is used up");
    /* What comes behind a gap is of no use. */
    held_message_header(message, "B", " 2");
    held_message_body(message, value, 1000);
    assert_int_equal(held_message_header_count(message), 0);
    assert_int_equal(spool_length(held_message_get_body(message)), 0);
    held_message_free(message);
    assert_int_equal(session_memory_in_use(), 0);
}

static void
large_bodies_go_to_a_file(void **state)
{
    (void)state;
    g_autofree char *octets = g_strnfill(HELD_MESSAGE_BODY_IN_MEMORY, 'x');
    g_autoptr(HeldMessage) message = message_of("A: 1");
    held_message_body(message, octets, HELD_MESSAGE_BODY_IN_MEMORY);
    assert_false(spool_is_file(held_message_get_body(message)));
    held_message_body(message, octets, 1);
    assert_true(spool_is_file(held_message_get_body(message)));
    assert_null(held_message_gap(message));

    g_setenv("TMPDIR", "/nonexistent/folder", TRUE);
    g_autoptr(HeldMessage) other = message_of("A: 1");
    held_message_body(other, octets, HELD_MESSAGE_BODY_IN_MEMORY);
    held_message_body(other, octets, 1);
    g_unsetenv("TMPDIR");
    assert_non_null(strstr(held_message_gap(other), "/nonexistent/folder"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_come_back_byte_for_byte),
        cmocka_unit_test(changes_have_their_effect),
        cmocka_unit_test(mtas_end_with_what_filters_saw),
        cmocka_unit_test(what_is_not_seen_is_told_as_it_was_said),
        cmocka_unit_test(the_envelope_is_not_part_of_it),
        cmocka_unit_test(bodies_are_replaced),
        cmocka_unit_test(too_many_headers_are_a_gap),
        cmocka_unit_test(too_large_headers_are_a_gap),
        cmocka_unit_test(used_up_memory_is_a_gap),
        cmocka_unit_test(large_bodies_go_to_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
