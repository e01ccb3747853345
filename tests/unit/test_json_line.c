/*
 * record/json_line: what it writes is what Jansson reads.
 */
#include <string.h>

#include <jansson.h>

#include "test_support.h"

#include "record/json_line.h"

/* {"s": value} as a line, read back. */
static json_t *
round_trip(const char *value, gsize limit, char **text)
{
    JsonLine line;
    json_line_begin(&line, limit);
    json_line_string(&line, "s", value);
    *text = json_line_end(&line);
    for (const char *octet = *text; *octet != '\0'; octet++)
        assert_true(*octet >= 0x20 && *octet < 0x7f);
    json_t *object = json_loads(*text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    return object;
}

static void
escapes_strings(void **state)
{
    static const struct {
        const char *raw, *back;
    } cases[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"a \"quoted\" \\ word", "a \"quoted\" \\ word"},
        {"two\r\nlines\t\x01\x1f\x7f", "two\r\nlines\t\x01\x1f\x7f"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"\xf0\x9f\x93\xa7 mail", "\xf0\x9f\x93\xa7 mail"},
        {"\xe2\x80\xae turned", "\xe2\x80\xae turned"},
        {"cut \xf0\x9f\x93", "cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"latin \xfc.", "latin \xef\xbf\xbd."},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;
        json_t *object = round_trip(cases[i].raw, 1000, &text);
        assert_string_equal(json_string_value(json_object_get(object, "s")), cases[i].back);
        json_decref(object);
    }
}

/* At every limit, whatever stands at the cut. */
static void
cuts_long_values(void **state)
{
    static const char *const units[] = {"a",       "\n", "\"", "\xc3\xbc", "\xf0\x9f\x93\xa7",
                                        "ab\n\xff"};
    (void)state;
    for (size_t u = 0; u < G_N_ELEMENTS(units); u++) {
        g_autoptr(GString) value = g_string_new(NULL);
        for (int i = 0; i < 100; i++)
            g_string_append(value, units[u]);
        for (gsize limit = 16; limit < 64; limit++) {
            g_autofree char *text = NULL;
            json_t *object = round_trip(value->str, limit, &text);
            const char *back = json_string_value(json_object_get(object, "s"));
            assert_true(strlen(text) - strlen("{\"s\":\"\"}") <= limit);
            assert_true(strlen(text) - strlen("{\"s\":\"\"}") > limit - 12);
            assert_true(g_str_has_suffix(back, "..."));
            json_decref(object);
        }
    }
}

static void
leaves_what_fits(void **state)
{
    g_autofree char *text = NULL;
    (void)state;
    json_t *object = round_trip("0123456789abcdef", 16, &text);
    assert_string_equal(text, "{\"s\":\"0123456789abcdef\"}");
    json_decref(object);
}

static void
nests_and_separates(void **state)
{
    JsonLine line;
    (void)state;
    json_line_begin(&line, 100);
    json_line_open_object(&line, "o");
    json_line_string(&line, "gone", NULL);
    json_line_close_object(&line);
    json_line_open_array(&line, "a");
    json_line_element(&line, "x");
    json_line_element(&line, "y");
    json_line_close_array(&line);
    json_line_number(&line, "n", G_MININT64);
    json_line_boolean(&line, "t", 7);
    json_line_boolean(&line, "f", FALSE);
    json_line_null(&line, "z");
    g_autofree char *text = json_line_end(&line);
    assert_string_equal(text, "{\"o\":{},\"a\":[\"x\",\"y\"],\"n\":-9223372036854775808,\"t\":true,"
                              "\"f\":false,\"z\":null}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_strings),
        cmocka_unit_test(cuts_long_values),
        cmocka_unit_test(leaves_what_fits),
        cmocka_unit_test(nests_and_separates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
