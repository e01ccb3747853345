/*
 * base/text: escaping, cleaning, nearest names.
 */
#include <string.h>

#include "test_support.h"

#include "base/text.h"

static void
escapes_for_a_log(void **state)
{
    static const struct {
        const char *raw, *escaped;
    } cases[] = {
        {"plain", "plain"},
        {"two\nlines\r\n", "two\\nlines\\r\\n"},
        {"tab\tback\\slash", "tab\\tback\\\\slash"},
        {"\x1b[31mred\x7f", "\\x1b[31mred\\x7f"},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {"broken \xc3(", "broken \\xc3("},
        {"line separator \xe2\x80\xa8", "line separator \\xe2\\x80\\xa8"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *escaped = text_escape(cases[i].raw);
        assert_string_equal(escaped, cases[i].escaped);
    }
}

static void
cleans_for_a_reply(void **state)
{
    static const struct {
        const char *raw;
        gsize limit;
        const char *clean;
    } cases[] = {
        {"mx.example.org", 64, "mx.example.org"},
        {"a\r\n550 5.1.1 b", 64, "a  550 5.1.1 b"},
        {"caf\xc3\xa9", 64, "caf??"},
        {"0123456789", 10, "0123456789"},
        {"0123456789a", 10, "0123456..."},
        {"abc", 2, "..."},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = text_clean(cases[i].raw, cases[i].limit);
        assert_string_equal(clean, cases[i].clean);
        assert_true(text_is_printable(clean));
    }
    assert_false(text_is_printable("a\x01"));
}

static void
finds_the_nearest_name(void **state)
{
    static const char *const names[] = {"mode", "text", "status", "disclosure", NULL};
    (void)state;
    assert_string_equal(text_nearest("mod", names), "mode");
    assert_string_equal(text_nearest("txet", names), "text");
    assert_string_equal(text_nearest("STATUS", names), "status");
    assert_string_equal(text_nearest("discloseure", names), "disclosure");
    assert_null(text_nearest("completely", names));
    assert_null(text_nearest("", names));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_for_a_log),
        cmocka_unit_test(cleans_for_a_reply),
        cmocka_unit_test(finds_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
