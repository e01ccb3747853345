/*
 * server/exposition: the text format, octet by octet.
 */
#include <locale.h>

#include "test_support.h"

#include "server/exposition.h"

static void
test_samples(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);
    exposition_counter(out, "mails_total", "Mails.");
    exposition_count(out, "mails_total", G_MAXUINT64, NULL);
    exposition_gauge(out, "age_seconds", "Age.");
    exposition_seconds(out, "age_seconds", 1500, NULL);
    exposition_seconds(out, "age_seconds", G_GUINT64_CONSTANT(1804668012345678), "of", "x", "at",
                       "y", NULL);
    assert_string_equal(out->str, "# HELP mails_total Mails.\n"
                                  "# TYPE mails_total counter\n"
                                  "mails_total 18446744073709551615\n"
                                  "# HELP age_seconds Age.\n"
                                  "# TYPE age_seconds gauge\n"
                                  "age_seconds 0.0015\n"
                                  "age_seconds{of=\"x\",at=\"y\"} 1804668012.345678\n");
}

static void
test_some(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);
    exposition_count_some(out, "x_total", 0, "a", "b", NULL);
    assert_string_equal(out->str, "");
    exposition_count_some(out, "x_total", 1, "a", "b", NULL);
    assert_string_equal(out->str, "x_total{a=\"b\"} 1\n");
}

/* Whatever a value is made of, the line stays one line and can be read back. */
static void
test_label_values(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"", "x{a=\"\"} 1\n"},
        {"plain-1.2", "x{a=\"plain-1.2\"} 1\n"},
        {"a\"b\\c\nd", "x{a=\"a\\\"b\\\\c\\nd\"} 1\n"},
        {"} 1\ny 2\n", "x{a=\"} 1\\ny 2\\n\"} 1\n"},
        {"\xc3\xa9", "x{a=\"\xc3\xa9\"} 1\n"},
        {"\xff", "x{a=\"\xef\xbf\xbd\"} 1\n"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        exposition_count(out, "x", 1, "a", cases[i].value, NULL);
        assert_string_equal(out->str, cases[i].written);
    }
}

static void
test_times(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new(NULL);
    HistogramCounts times = {.sum_us = 60000042};
    times.counts[0] = 3;
    times.counts[2] = 1;
    times.counts[HISTOGRAM_BOUNDS] = 2;
    exposition_times(out, "t_seconds", &times, "of", "x", NULL);
    g_auto(GStrv) lines = g_strsplit(out->str, "\n", -1);
    assert_int_equal(g_strv_length(lines), HISTOGRAM_BOUNDS + 1 + 2 + 1);
    assert_string_equal(lines[0], "t_seconds_bucket{of=\"x\",le=\"1e-05\"} 3");
    assert_string_equal(lines[1], "t_seconds_bucket{of=\"x\",le=\"2.5e-05\"} 3");
    assert_string_equal(lines[2], "t_seconds_bucket{of=\"x\",le=\"5e-05\"} 4");
    assert_string_equal(lines[HISTOGRAM_BOUNDS - 1], "t_seconds_bucket{of=\"x\",le=\"30\"} 4");
    assert_string_equal(lines[HISTOGRAM_BOUNDS], "t_seconds_bucket{of=\"x\",le=\"+Inf\"} 6");
    assert_string_equal(lines[HISTOGRAM_BOUNDS + 1], "t_seconds_sum{of=\"x\"} 60.000042");
    assert_string_equal(lines[HISTOGRAM_BOUNDS + 2], "t_seconds_count{of=\"x\"} 6");
    g_string_truncate(out, 0);
    exposition_times(out, "t_seconds", &times, NULL);
    assert_true(g_str_has_prefix(out->str, "t_seconds_bucket{le=\"1e-05\"} 3\n"));
    assert_true(g_str_has_suffix(out->str, "\nt_seconds_sum 60.000042\nt_seconds_count 6\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_some),
        cmocka_unit_test(test_label_values),
        cmocka_unit_test(test_times),
    };
    setlocale(LC_ALL, ""); /* a comma is no point */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
