/*
 * base/histogram: which range a time is counted in.
 */
#include "test_support.h"

#include "base/histogram.h"

static void
test_bounds_ascend(void **state)
{
    (void)state;
    for (guint i = 1; i < HISTOGRAM_BOUNDS; i++)
        assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
    assert_int_equal(histogram_bounds_us[HISTOGRAM_BOUNDS - 1], 30 * G_USEC_PER_SEC);
}

static void
test_ranges(void **state)
{
    (void)state;
    static const struct {
        gint64 spent_us;
        guint range;
    } cases[] = {
        {-5, 0},
        {0, 0},
        {10, 0}, /* a bound belongs to what is below it */
        {11, 1},
        {30 * G_USEC_PER_SEC, HISTOGRAM_BOUNDS - 1},
        {30 * G_USEC_PER_SEC + 1, HISTOGRAM_BOUNDS},
        {G_MAXINT64 / 2, HISTOGRAM_BOUNDS},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Histogram histogram = {0};
        histogram_note(&histogram, cases[i].spent_us);
        HistogramCounts read = histogram_read(&histogram);
        for (guint range = 0; range <= HISTOGRAM_BOUNDS; range++)
            assert_int_equal(read.counts[range], range == cases[i].range ? 1 : 0);
        assert_int_equal(read.sum_us, MAX(cases[i].spent_us, 0));
    }
}

static void
test_sum(void **state)
{
    (void)state;
    Histogram histogram = {0};
    histogram_note(&histogram, 7);
    histogram_note(&histogram, 8);
    histogram_note(&histogram, 1000);
    HistogramCounts read = histogram_read(&histogram);
    assert_int_equal(read.counts[0], 2);
    assert_int_equal(read.sum_us, 1015);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_ascend),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
