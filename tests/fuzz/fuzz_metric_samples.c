/*
 * Metrics in Prometheus's text format, as another process writes them.
 */
#include <stdint.h>
#include <string.h>

#include "replyctl/metric_samples.h"
#include "replyctl/shares.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every sample has what it was found by. */
static void
check_sample(const GPtrArray *samples, const MetricSample *sample)
{
    g_assert(*sample->name != '\0');
    for (char **label = sample->labels; *label != NULL; label += 2) {
        g_assert(metric_sample_label(sample, label[0]) != NULL);
        g_autoptr(GArray) shares = metric_samples_by(samples, sample->name, label[0], NULL);
        shares_sum(shares);
    }
    metric_samples_sum(samples, sample->name, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { LONGEST = 2000 };
    g_autofree char *text = g_strndup((const char *)data, MIN(size, LONGEST));
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) samples = metric_samples_read(text, &error);
    g_assert((samples == NULL) == (error != NULL));
    for (guint i = 0; samples != NULL && i < samples->len; i++)
        check_sample(samples, g_ptr_array_index(samples, i));
    if (samples != NULL)
        metric_samples_quantile(samples, "t", 0.5, NULL);
    return 0;
}
