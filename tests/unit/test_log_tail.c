/*
 * replyctl/log_tail: no line twice and none missing, through every kind of rotation and restart.
 */
#include "test_support.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "replyctl/log_tail.h"

typedef struct {
    char *folder, *path, *old;
    LogTail *tail;
    GString *lines;
} Fixture;

static int
set_up(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("log-tail-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "mail.log", NULL);
    fixture->old = g_build_filename(fixture->folder, "mail.log.1", NULL);
    fixture->lines = g_string_new(NULL);
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    g_clear_pointer(&fixture->tail, log_tail_free);
    g_remove(fixture->path);
    g_remove(fixture->old);
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->old);
    g_string_free(fixture->lines, TRUE);
    g_free(fixture);
    return 0;
}

static void
append(const char *path, const char *text)
{
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void
copy(const char *from, const char *to)
{
    g_autofree char *text = NULL;
    gsize length;
    assert_true(g_file_get_contents(from, &text, &length, NULL));
    assert_true(g_file_set_contents(to, text, (gssize)length, NULL));
}

static void
note_line(const char *line, gsize length, gpointer data)
{
    Fixture *fixture = data;
    g_string_append_len(fixture->lines, line, (gssize)length);
    g_string_append_c(fixture->lines, '|');
}

/* Reads to the end: what has come since. */
static void
assert_lines(Fixture *fixture, const char *wanted)
{
    LogTailState state;
    guint rounds = 0;
    do {
        g_autoptr(GError) error = NULL;
        state = log_tail_read(fixture->tail, note_line, fixture, &error);
        assert_true(++rounds < 1000);
    } while (state == LOG_TAIL_MORE);
    assert_string_equal(fixture->lines->str, wanted);
    g_string_truncate(fixture->lines, 0);
}

static void
restart(Fixture *fixture, gboolean found, gboolean loses)
{
    gboolean lost;
    json_t *place = log_tail_to_json(fixture->tail);
    log_tail_free(fixture->tail);
    fixture->tail = log_tail_new(fixture->path, FALSE);
    assert_int_equal(log_tail_from_json(fixture->tail, place, &lost), found);
    assert_int_equal(lost, loses);
    json_decref(place);
}

static void
reads_as_it_grows(void **state)
{
    Fixture *fixture = *state;
    append(fixture->path, "before\n");
    fixture->tail = log_tail_new(fixture->path, FALSE);
    assert_lines(fixture, "");
    append(fixture->path, "one\ntw");
    assert_lines(fixture, "one|");
    append(fixture->path, "o\n\nthree\n");
    assert_lines(fixture, "two|three|");
    assert_lines(fixture, "");
}

static void
reads_from_the_start(void **state)
{
    Fixture *fixture = *state;
    append(fixture->path, "before\n");
    fixture->tail = log_tail_new(fixture->path, TRUE);
    assert_lines(fixture, "before|");
}

static void
waits_for_the_file(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL, again = NULL;
    fixture->tail = log_tail_new(fixture->path, FALSE);
    assert_int_equal(log_tail_read(fixture->tail, note_line, fixture, &error), LOG_TAIL_FAULT);
    assert_non_null(error);
    assert_int_equal(log_tail_read(fixture->tail, note_line, fixture, &again), LOG_TAIL_FAULT);
    assert_null(again);
    append(fixture->path, "one\n");
    assert_lines(fixture, "one|");
}

static void
follows_a_renamed_file(void **state)
{
    Fixture *fixture = *state;
    append(fixture->path, "one\n");
    fixture->tail = log_tail_new(fixture->path, TRUE);
    assert_lines(fixture, "one|");
    append(fixture->path, "two\n");
    g_rename(fixture->path, fixture->old);
    append(fixture->old, "three\n"); /* the writer has not yet noticed */
    assert_lines(fixture, "two|three|");
    append(fixture->path, "");
    append(fixture->old, "four\nfi");
    assert_lines(fixture, "four|");
    append(fixture->old, "ve");
    append(fixture->path, "six\n");
    assert_lines(fixture, "five|six|");
    append(fixture->path, "seven\n");
    assert_lines(fixture, "seven|");
}

static void
follows_an_emptied_file(void **state)
{
    Fixture *fixture = *state;
    append(fixture->path, "one\n");
    fixture->tail = log_tail_new(fixture->path, TRUE);
    assert_lines(fixture, "one|");
    append(fixture->path, "two\n");
    copy(fixture->path, fixture->old);
    assert_int_equal(truncate(fixture->path, 0), 0);
    assert_lines(fixture, "two|");
    append(fixture->path, "three\n");
    assert_lines(fixture, "three|");
    /* emptied, and grown beyond where it was, before anybody looked */
    g_remove(fixture->old);
    assert_int_equal(truncate(fixture->path, 0), 0);
    append(fixture->path, "quite something else that is longer\n");
    assert_lines(fixture, "quite something else that is longer|");
}

static void
goes_on_after_a_restart(void **state)
{
    Fixture *fixture = *state;
    append(fixture->path, "one\ntw");
    fixture->tail = log_tail_new(fixture->path, TRUE);
    assert_lines(fixture, "one|");
    append(fixture->path, "o\n");
    restart(fixture, TRUE, FALSE);
    assert_lines(fixture, "two|");
    restart(fixture, TRUE, FALSE);
    assert_lines(fixture, "");
    /* rotated meanwhile */
    append(fixture->path, "three\n");
    g_rename(fixture->path, fixture->old);
    append(fixture->path, "four\n");
    restart(fixture, TRUE, FALSE);
    assert_lines(fixture, "three|four|");
    /* copied and emptied meanwhile */
    append(fixture->path, "five\n");
    copy(fixture->path, fixture->old);
    assert_int_equal(truncate(fixture->path, 0), 0);
    append(fixture->path, "six\n");
    restart(fixture, TRUE, FALSE);
    assert_lines(fixture, "five|six|");
    /* gone meanwhile */
    g_remove(fixture->path);
    append(fixture->path, "seven\n");
    restart(fixture, FALSE, TRUE);
    assert_lines(fixture, "seven|");
}

static void
takes_no_other_place(void **state)
{
    static const char *const broken[] = {"{}", "[]", "{\"head\": 1, \"offset\": 1}",
                                         "{\"head\": \"!\", \"offset\": -1}",
                                         "{\"head\": \"eHh4\", \"offset\": 1000000, \"inode\": 1}"};
    Fixture *fixture = *state;
    append(fixture->path, "xxx\n");
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        gboolean lost;
        json_t *place = json_loads(broken[i], 0, NULL);
        g_autoptr(LogTail) tail = log_tail_new(fixture->path, TRUE);
        assert_false(log_tail_from_json(tail, place, &lost));
        json_decref(place);
    }
}

static void
bounds_lines(void **state)
{
    enum { LONG = 3 * LOG_TAIL_LINE };
    Fixture *fixture = *state;
    g_autofree char *letters = g_strnfill(LONG, 'x');
    append(fixture->path, letters);
    fixture->tail = log_tail_new(fixture->path, TRUE);
    while (log_tail_read(fixture->tail, note_line, fixture, NULL) == LOG_TAIL_MORE)
        ;
    assert_true(fixture->lines->len <= LOG_TAIL_LINE + 1);
    g_string_truncate(fixture->lines, 0);
    append(fixture->path, letters);
    append(fixture->path, "\nnext\n");
    assert_lines(fixture, "next|");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_as_it_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_from_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_a_renamed_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_an_emptied_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_other_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounds_lines, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
