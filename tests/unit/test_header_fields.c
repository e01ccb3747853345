/*
 * test_header_fields: fields as they are written, folded, encoded and broken.
 */
#include "test_support.h"

#include <string.h>
#include <time.h>

#include "mail/header_fields.h"
#include "mail/mime_view.h"

typedef struct {
    const char *text;
    const char *name;
    const char *value; /* NULL: no such field */
} FieldCase;

static const FieldCase mail_cases[] = {
    {"Subject: hello\r\n", "subject", "hello"},
    {"Subject: hello", "SUBJECT", "hello"},
    {"Subject:hello\n", "Subject", "hello"},
    {"Subject : hello\n", "Subject", "hello"},
    {"Subject:\n", "Subject", ""},
    {"Subject:\r\n\thello\r\n", "Subject", "hello"},
    {"Subject: a\r\n  b\r\n\tc \r\n", "Subject", "a b c"},
    {"Subject: a\rX: b\r", "X", "b"},
    {"Subject: a\r b\r", "Subject", "a b"},
    {"Subject: a\r\r\nX: b\r\r\n", "X", "b"},
    {"Subject: a\rb\nX: c\n", "Subject", "a b"},
    {"A: 1\nB: 2\nA: 3\n", "A", "1"},
    {"A: 1\n\nB: 2\n", "B", NULL},
    {"From user@example.org Thu Nov 19 10:00:00 2026\nA: 1\n", "A", "1"},
    {">From user@example.org Thu Nov 19 10:00:00 2026\n folded\nA: 1\n", "A", "1"},
    {"no field\n goes with it\nA: 1\n", "A", "1"},
    {"A: 1\nno field\n goes with it\n", "A", "1"},
    {": nothing\nA: 1\n", "A", "1"},
    {"A: gr\xfc\xdf\n", "A", "gr\xc3\xbc\xc3\x9f"},
    {"A: gr\xc3\xbc\xc3\x9f\n", "A", "gr\xc3\xbc\xc3\x9f"},
    {"A: =?utf-8?Q?gr=C3=BC=C3=9F?=\n", "A", "gr\xc3\xbc\xc3\x9f"},
    {"A: =?utf-8?Q?gr=C3?=\r\n =?utf-8?Q?=BC=C3=9F?=\n", "A", "gr\xc3\xbc\xc3\x9f"},
    {"A: =?ISO-2022-JP?B?GyRCJSgbKEI=?= x\n", "A", "\xe3\x82\xa8 x"},
    {"A: =?utf-8?Q?two=0D=0Alines?=\n", "A", "two  lines"},
    {"A: =?utf-8?Q?never closed\n", "A", "=?utf-8?Q?never closed"},
    {"A: =?no-such-charset?Q?plain?=\n", "A", "plain"},
    {"A: =?utf-8?B?w6Q=?= =?UTF-8?B?w7w=?=\n", "A", "\xc3\xa4\xc3\xbc"},
    {"A: =?utf-8?B?w6Q?= x\n", "A", "\xc3\xa4 x"},
    {"A: =?ISO-2022-JP?B?GyRCJSgbKEI=?= =?iso-2022-jp?B?GyRCJWkbKEI=?=\n", "A",
     "\xe3\x82\xa8\xe3\x83\xa9"},
    {"A: =?iso-8859-1?Q?=FC?= =?utf-8?Q?=C3=BC?= =? x\n", "A", "\xc3\xbc\xc3\xbc =? x"},
    {"A: =?utf-8*en?Q?a_b?= c =?utf-8?X?d?=\n", "A", "a b c =?utf-8?X?d?="},
    {"A: =?utf-8?Q?=FC=?= =?utf-8?Q?\x3f= =?\x3fQ?x?=\n", "A", "\xc3\xbc= =?\x3fQ?x?="},
    {"A: =?utf-8?Q?a?==?utf-8?Q?b?= =?=?=\n", "A", "ab =?=?="},
    {"Content-Type: text/plain; name=\"=?utf-8?Q?a=22=3B?=\"\n", "Content-Type",
     "text/plain; name=\"=?utf-8?Q?a=22=3B?=\""},
};

static void
test_mail_header(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(mail_cases); i++) {
        const FieldCase *c = &mail_cases[i];
        g_autoptr(HeaderFields) fields = header_fields_parse(c->text, strlen(c->text), TRUE, NULL);
        const char *value = header_fields_get(fields, c->name);
        if (c->value == NULL)
            assert_null(value);
        else if (value == NULL)
            fail_msg("no %s in %s", c->name, c->text);
        else
            assert_string_equal(value, c->value);
    }
}

static const FieldCase report_cases[] = {
    {"Status: =?x?= 5.1.1\n", "Status", "=?x?= 5.1.1"},
    {"Diagnostic-Code: smtp; 550 one\n550 two\nStatus: 5.1.1\n", "Diagnostic-Code",
     "smtp; 550 one 550 two"},
    {"Here it is\nStatus: 5.1.1\n", "Status", "5.1.1"},
    {"Action: failed\n \t\nStatus: 5.1.1\n", "Status", NULL},
};

static void
test_report_fields(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(report_cases); i++) {
        const FieldCase *c = &report_cases[i];
        g_autoptr(HeaderFields) fields = header_fields_parse(c->text, strlen(c->text), FALSE, NULL);
        const char *value = header_fields_get(fields, c->name);
        if (c->value == NULL)
            assert_null(value);
        else
            assert_string_equal(value, c->value);
    }
}

static void
test_where_it_ends(void **state)
{
    (void)state;
    const char *cases[] = {"A: 1\r\n\r\nbody", "A: 1\n\nbody", "A: 1\r\rbody", "\nbody"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gsize end;
        g_autoptr(HeaderFields) fields =
            header_fields_parse(cases[i], strlen(cases[i]), TRUE, &end);
        assert_string_equal(cases[i] + end, "body");
        assert_true(fields->fields->len <= 1);
    }
}

static void
test_nul_goes(void **state)
{
    (void)state;
    const char text[] = "A: x\0y\r\n\0B: 1\r\nC: 2\r\n";
    g_autoptr(HeaderFields) fields = header_fields_parse(text, sizeof(text) - 1, TRUE, NULL);
    assert_string_equal(header_fields_get(fields, "A"), "xy");
    assert_string_equal(header_fields_get(fields, "C"), "2");
}

static void
test_next(void **state)
{
    (void)state;
    const char *text = "Received: one\nA: 0\nreceived: two\n";
    g_autoptr(HeaderFields) fields = header_fields_parse(text, strlen(text), TRUE, NULL);
    guint at = 0;
    assert_string_equal(header_fields_next(fields, "Received", &at), "one");
    assert_string_equal(header_fields_next(fields, "Received", &at), "two");
    assert_null(header_fields_next(fields, "Received", &at));
}

static void
test_limits(void **state)
{
    (void)state;
    g_autoptr(GString) many = g_string_new(NULL);
    for (guint i = 0; i < HEADER_FIELDS_MAX + 5; i++)
        g_string_append(many, "A: 1\n");
    g_autoptr(HeaderFields) fields = header_fields_parse(many->str, many->len, TRUE, NULL);
    assert_int_equal(fields->fields->len, HEADER_FIELDS_MAX);
    assert_true(fields->truncated);

    /* A letter of two octets stands across the limit. */
    g_autoptr(GString) wide = g_string_new("A: x");
    for (guint i = 0; i < HEADER_FIELD_OCTETS; i++)
        g_string_append(wide, "\xc3\xbc");
    g_string_append(wide, "\nB: 2\n");
    g_autoptr(HeaderFields) cut = header_fields_parse(wide->str, wide->len, TRUE, NULL);
    const char *value = header_fields_get(cut, "A");
    assert_true(strlen(value) <= HEADER_FIELD_OCTETS);
    assert_true(g_utf8_validate(value, -1, NULL));
    assert_true(cut->truncated);
    assert_string_equal(header_fields_get(cut, "B"), "2");
}

/* Nothing that looks like the beginning of a word costs more for what follows it. */
static void
test_time_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {"=? ", "=?a?q?", "=?a?q", "=?a?b?=", "?=", "=?a?b?a?= "};
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) value = g_string_new(NULL);
        while (value->len < 2000000)
            g_string_append(value, pieces[i]);
        g_string_append(value, "?=");
        clock_t begin = clock();
        g_autofree char *decoded = header_words_decode(value->str);
        assert_non_null(decoded);
        assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
    }
}

static void
test_add(void **state)
{
    (void)state;
    g_autoptr(HeaderFields) fields = header_fields_new();
    header_fields_add(fields, "A", "1");
    assert_string_equal(header_fields_get(fields, "a"), "1");
    assert_null(header_fields_get(fields, "B"));
    assert_false(fields->truncated);
}

int
main(void)
{
    mime_view_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_header),   cmocka_unit_test(test_report_fields),
        cmocka_unit_test(test_where_it_ends), cmocka_unit_test(test_nul_goes),
        cmocka_unit_test(test_next),          cmocka_unit_test(test_limits),
        cmocka_unit_test(test_add),           cmocka_unit_test(test_time_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
