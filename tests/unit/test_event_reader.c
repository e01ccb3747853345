/*
 * record/event_reader: whole lines are read, broken ones are skipped and told.
 */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "record/event.h"
#include "record/event_reader.h"

typedef struct {
    GString *told; /* "LINE why;" for each that was skipped */
    char *numbers; /* of the events, "1 2 3 " */
} Outcome;

static void
tell(const char *name, guint64 line, const char *why, gpointer data)
{
    (void)name;
    g_string_append_printf(data, "%d %s;", (int)line, why);
}

static Outcome
read_all(const char *content, gssize size)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("test_event_reader.XXXXXX", &path, &error);
    assert_true(fd >= 0);
    (void)close(fd);
    assert_true(g_file_set_contents(path, content, size, NULL));
    Outcome outcome = {.told = g_string_new(NULL)};
    GString *numbers = g_string_new(NULL);
    g_autoptr(EventReader) reader = event_reader_open(path, &error);
    assert_non_null(reader);
    event_reader_on_broken(reader, tell, outcome.told);
    json_t *event;
    while ((event = event_reader_next(reader, &error)) != NULL) {
        g_string_append_printf(numbers, "%d ",
                               (int)json_integer_value(json_object_get(event, "n")));
        json_decref(event);
    }
    assert_null(error);
    (void)g_unlink(path);
    outcome.numbers = g_string_free(numbers, FALSE);
    return outcome;
}

static void
skips_what_is_broken(void **state)
{
    static const struct {
        const char *content, *numbers, *told;
    } cases[] = {
        {"", "", ""},
        {"\n\n", "", ""},
        {"{\"v\":1,\"n\":1}\n{\"v\":1,\"n\":2}\n", "1 2 ", ""},
        {"{\"v\":1,\"n\":1}\n{\"v\":1,\"n\":2}", "1 2 ", ""},
        {"{\"v\":1,\"n\":1}\n{\"v\":1,\"te\n{\"v\":1,\"n\":2}\n", "1 2 ", "2 is not JSON;"},
        {"{\"v\":1,\"n\":1}{\"v\":1,\"n\":3}\n\n{\"v\":1,\"n\":2}\n", "2 ", "1 is not JSON;"},
        {"[1]\n7\n\"v\"\nnull\n", "", "1 is no event;2 is not JSON;3 is not JSON;4 is not JSON;"},
        {"{}\n{\"v\":\"1\"}\n{\"v\":2}\n", "",
         "1 is no event;2 is no event;3 is of a version that is not known;"},
        {"{\"v\":1,\"v\":1}\n", "", "1 is not JSON;"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Outcome outcome = read_all(cases[i].content, -1);
        assert_string_equal(outcome.numbers, cases[i].numbers);
        assert_string_equal(outcome.told->str, cases[i].told);
        g_string_free(outcome.told, TRUE);
        g_free(outcome.numbers);
    }
}

static void
skips_nul_octets(void **state)
{
    static const char content[] = "\0\0\0{\"v\":1}\n{\"v\":1,\"n\":5}\n";
    Outcome outcome = read_all(content, sizeof(content) - 1);
    (void)state;
    assert_string_equal(outcome.numbers, "5 ");
    assert_string_equal(outcome.told->str, "1 is not JSON;");
    g_string_free(outcome.told, TRUE);
    g_free(outcome.numbers);
}

/* A line of `length` octets that is an event, between two others. */
static Outcome
read_long(gsize length)
{
    g_autoptr(GString) content = g_string_new("{\"v\":1,\"n\":1}\n{\"v\":1,\"n\":2,\"t\":\"");
    gsize start = strlen("{\"v\":1,\"n\":1}\n");
    while (content->len - start < length - 2)
        g_string_append_c(content, 'x');
    g_string_append(content, "\"}\n{\"v\":1,\"n\":3}\n");
    return read_all(content->str, (gssize)content->len);
}

static void
bounds_the_length_of_a_line(void **state)
{
    static const struct {
        gsize length;
        const char *numbers, *told;
    } cases[] = {
        {EVENT_LINE_MAX, "1 2 3 ", ""},
        {EVENT_LINE_MAX + 1, "1 3 ", "2 is longer than an event can be;"},
        {2 * EVENT_LINE_MAX - 14, "1 3 ", "2 is longer than an event can be;"},
        {2 * EVENT_LINE_MAX, "1 3 ", "2 is longer than an event can be;"},
        {50 * EVENT_LINE_MAX + 17, "1 3 ", "2 is longer than an event can be;"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Outcome outcome = read_long(cases[i].length);
        assert_string_equal(outcome.numbers, cases[i].numbers);
        assert_string_equal(outcome.told->str, cases[i].told);
        g_string_free(outcome.told, TRUE);
        g_free(outcome.numbers);
    }
}

static void
says_what_cannot_be_read(void **state)
{
    g_autoptr(GError) error = NULL;
    (void)state;
    assert_null(event_reader_open("/nonexistent/events", &error));
    assert_non_null(strstr(error->message, "/nonexistent/events"));
    g_clear_error(&error);
    g_autoptr(EventReader) folder = event_reader_open("/", &error);
    assert_non_null(folder);
    assert_null(event_reader_next(folder, &error));
    assert_non_null(error);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skips_what_is_broken),
        cmocka_unit_test(skips_nul_octets),
        cmocka_unit_test(bounds_the_length_of_a_line),
        cmocka_unit_test(says_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
