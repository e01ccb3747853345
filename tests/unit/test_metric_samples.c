/*
 * replyctl/metric_samples: the text format read, and what can be said of it.
 */
#include <math.h>
#include <string.h>

#include "test_support.h"

#include "replyctl/metric_samples.h"
#include "replyctl/shares.h"

static void
test_samples(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) samples =
        metric_samples_read("# HELP a Help.\n"
                            "# TYPE a counter\n"
                            "a 5\n"
                            "\n"
                            "b_total{x=\"1\",y=\"a\\\"b\\\\c\\nd\"} 1e-05\n"
                            "c{} +Inf\n"
                            "d{x=\"\",} -2.5",
                            NULL);
    assert_non_null(samples);
    assert_int_equal(samples->len, 4);
    const MetricSample *a = samples->pdata[0], *b = samples->pdata[1], *c = samples->pdata[2],
                       *d = samples->pdata[3];
    assert_string_equal(a->name, "a");
    assert_true(a->value == 5);
    assert_null(metric_sample_label(a, "x"));
    assert_string_equal(b->name, "b_total");
    assert_true(b->value == 1e-05);
    assert_string_equal(metric_sample_label(b, "x"), "1");
    assert_string_equal(metric_sample_label(b, "y"), "a\"b\\c\nd");
    assert_null(metric_sample_label(b, "z"));
    assert_true(isinf(c->value));
    assert_string_equal(metric_sample_label(d, "x"), "");
    assert_true(d->value == -2.5);
}

static void
test_no_samples(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a",
        "a ",
        " a 1",
        "1a 1",
        "a  ",
        "a x",
        "a 1 2",
        "a 1x",
        "a{ 1",
        "a{x} 1",
        "a{x=} 1",
        "a{x=1} 1",
        "a{x=\"} 1",
        "a{x=\"1} 1",
        "a{x=\"1\"",
        "a{x=\"1\"}1",
        "a{x=\"\\q\"} 1",
        "a{x=\"\\",
        "a{=\"1\"} 1",
        "{x=\"1\"} 1",
        "a{,} 1",
        "\x1b[31m 1",
        "a{x=\"1\"\"2\"} 1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat("good 1\n", texts[i], "\n", NULL);
        g_autoptr(GPtrArray) samples = metric_samples_read(text, &error);
        if (samples != NULL)
            fail_msg("%s was taken", texts[i]);
        assert_non_null(strstr(error->message, "line 2 "));
    }
}

static GPtrArray *
some(void)
{
    return metric_samples_read("n_total{door=\"a\",what=\"x\"} 3\n"
                               "n_total{door=\"a\",what=\"y\"} 4\n"
                               "n_total{door=\"b\",what=\"x\"} 5\n"
                               "n_total{door=\"b\",what=\"z\"} 0\n"
                               "n_totals{door=\"b\",what=\"x\"} 100\n"
                               "t_bucket{of=\"a\",le=\"1\"} 0\n"
                               "t_bucket{of=\"a\",le=\"2\"} 10\n"
                               "t_bucket{of=\"a\",le=\"4\"} 10\n"
                               "t_bucket{of=\"a\",le=\"+Inf\"} 10\n"
                               "t_bucket{of=\"b\",le=\"1\"} 0\n"
                               "t_bucket{of=\"b\",le=\"2\"} 0\n"
                               "t_bucket{of=\"b\",le=\"4\"} 10\n"
                               "t_bucket{of=\"b\",le=\"+Inf\"} 20\n"
                               "t_bucket{of=\"c\",le=\"1\"} 0\n"
                               "t_bucket{of=\"c\",le=\"+Inf\"} 0\n",
                               NULL);
}

static void
test_sums(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) samples = some();
    assert_true(metric_samples_sum(samples, "n_total", NULL) == 12);
    assert_true(metric_samples_sum(samples, "n_total", "door", "a", NULL) == 7);
    assert_true(metric_samples_sum(samples, "n_total", "what", "x", "door", "b", NULL) == 5);
    assert_true(metric_samples_sum(samples, "n_total", "door", "c", NULL) == 0);
    assert_true(metric_samples_sum(samples, "n_total", "other", "a", NULL) == 0);
    assert_true(metric_samples_sum(samples, "other", NULL) == 0);
}

static void
test_by(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) samples = some();
    g_autoptr(GArray) shares = metric_samples_by(samples, "n_total", "what", NULL);
    assert_int_equal(shares->len, 2);
    assert_string_equal(g_array_index(shares, Share, 0).name, "x");
    assert_int_equal(g_array_index(shares, Share, 0).count, 8);
    assert_string_equal(g_array_index(shares, Share, 1).name, "y");
    assert_int_equal(shares_sum(shares), 12);
    g_autoptr(GArray) part = metric_samples_by(samples, "n_total", "what", "door", "b", NULL);
    assert_int_equal(part->len, 1);
    assert_int_equal(shares_sum(part), 5);
}

static void
test_quantiles(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) samples = some();
    assert_true(metric_samples_quantile(samples, "t", 0.5, "of", "a", NULL) == 1.5);
    assert_true(metric_samples_quantile(samples, "t", 1, "of", "a", NULL) == 2);
    assert_true(metric_samples_quantile(samples, "t", 0.25, "of", "b", NULL) == 3);
    assert_true(isinf(metric_samples_quantile(samples, "t", 0.9, "of", "b", NULL)));
    assert_true(metric_samples_quantile(samples, "t", 0.5, "of", "c", NULL) < 0);
    assert_true(metric_samples_quantile(samples, "t", 0.5, "of", "d", NULL) < 0);
    /* All of them: 10 to 2, 20 to 4, 30 in all. */
    assert_true(metric_samples_quantile(samples, "t", 0.5, NULL) == 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),   cmocka_unit_test(test_no_samples),
        cmocka_unit_test(test_sums),      cmocka_unit_test(test_by),
        cmocka_unit_test(test_quantiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
