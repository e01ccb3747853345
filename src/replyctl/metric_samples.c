/*
 * metric_samples: metrics in Prometheus's text format, and what can be said of them.
 */
#include "replyctl/metric_samples.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "replyctl/shares.h"

/* ---- reading --------------------------------------------------------------------------------- */

static void
sample_free(gpointer data)
{
    MetricSample *sample = data;
    g_free(sample->name);
    g_strfreev(sample->labels);
    g_free(sample);
}

/* A name at *at, which is moved behind it; NULL: there is none. */
static char *
read_name(const char **at)
{
    const char *begin = *at;
    if (g_ascii_isdigit(*begin))
        return NULL;
    while (g_ascii_isalnum(**at) || **at == '_' || **at == ':')
        (*at)++;
    return *at > begin ? g_strndup(begin, (gsize)(*at - begin)) : NULL;
}

/* What a backslash and this octet stand for; NUL: nothing. */
static char
unescape(char octet)
{
    switch (octet) {
    case 'n':
        return '\n';
    case '\\':
    case '"':
        return octet;
    default:
        return '\0';
    }
}

/* What stands between quotes. NULL: no quote ends it, or an escape is unknown. */
static char *
read_value(const char **at)
{
    g_autoptr(GString) value = g_string_new(NULL);
    const char *next = *at;
    for (; *next != '"'; next++) {
        char octet = *next == '\\' ? unescape(*++next) : *next;
        if (octet == '\0')
            return NULL;
        g_string_append_c(value, octet);
    }
    *at = next + 1;
    return g_strdup(value->str);
}

/* One label, and a comma behind it. FALSE: it is none. */
static gboolean
read_label(const char **at, GPtrArray *labels)
{
    g_autofree char *name = read_name(at);
    if (name == NULL || !g_str_has_prefix(*at, "=\""))
        return FALSE;
    *at += strlen("=\"");
    char *value = read_value(at);
    if (value == NULL)
        return FALSE;
    g_ptr_array_add(labels, g_steal_pointer(&name));
    g_ptr_array_add(labels, value);
    if (**at == ',')
        (*at)++;
    return TRUE;
}

/* What stands between braces, if there are any. NULL: it is not right. */
static char **
read_labels(const char **at)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    if (**at == '{') {
        (*at)++;
        while (**at != '}')
            if (!read_label(at, labels))
                return NULL;
        (*at)++;
    }
    g_ptr_array_set_free_func(labels, NULL);
    g_ptr_array_add(labels, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&labels), FALSE);
}

/* NULL: the line is no sample. */
static MetricSample *
read_sample(const char *line)
{
    const char *at = line;
    char *end = NULL;
    g_autofree char *name = read_name(&at);
    g_auto(GStrv) labels = name != NULL ? read_labels(&at) : NULL;
    if (labels == NULL || *at != ' ')
        return NULL;
    double value = g_ascii_strtod(at + 1, &end);
    if (end == at + 1 || *end != '\0')
        return NULL;
    MetricSample *sample = g_new0(MetricSample, 1);
    *sample = (MetricSample){g_steal_pointer(&name), g_steal_pointer(&labels), value};
    return sample;
}

GPtrArray *
metric_samples_read(const char *text, GError **error)
{
    g_autoptr(GPtrArray) samples = g_ptr_array_new_with_free_func(sample_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '\0' || lines[i][0] == '#')
            continue;
        MetricSample *sample = read_sample(lines[i]);
        if (sample == NULL) {
            error_fail(error, REPLYMILTER_ERROR_PROTOCOL, "line %u is no metric: \"%s\"", i + 1,
                       lines[i]);
            return NULL;
        }
        g_ptr_array_add(samples, sample);
    }
    return g_steal_pointer(&samples);
}

const char *
metric_sample_label(const MetricSample *sample, const char *label)
{
    for (char **at = sample->labels; *at != NULL; at += 2)
        if (strcmp(at[0], label) == 0)
            return at[1];
    return NULL;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Is it of the family, with these labels? */
static gboolean
is_asked(const MetricSample *sample, const char *family, va_list pairs)
{
    va_list rest;
    const char *label;
    gboolean asked = strcmp(sample->name, family) == 0;
    va_copy(rest, pairs);
    while (asked && (label = va_arg(rest, const char *)) != NULL)
        asked = g_strcmp0(metric_sample_label(sample, label), va_arg(rest, const char *)) == 0;
    va_end(rest);
    return asked;
}

double
metric_samples_sum(const GPtrArray *samples, const char *family, ...)
{
    va_list pairs;
    double sum = 0;
    va_start(pairs, family);
    for (guint i = 0; i < samples->len; i++) {
        const MetricSample *sample = g_ptr_array_index(samples, i);
        sum += is_asked(sample, family, pairs) ? sample->value : 0;
    }
    va_end(pairs);
    return sum;
}

guint64
metric_samples_whole(double sum)
{
    return sum > 0 && sum < 1e18 ? (guint64)sum : 0;
}

GArray *
metric_samples_by(const GPtrArray *samples, const char *family, const char *label, ...)
{
    va_list pairs;
    GArray *shares = shares_new();
    va_start(pairs, label);
    for (guint i = 0; i < samples->len; i++) {
        const MetricSample *sample = g_ptr_array_index(samples, i);
        const char *name = metric_sample_label(sample, label);
        if (name != NULL && is_asked(sample, family, pairs))
            shares_add(shares, name, metric_samples_whole(sample->value));
    }
    va_end(pairs);
    return shares;
}

/* One end of a histogram's ranges, and how many are below. */
typedef struct {
    double end, below;
} Bucket;

static gint
compare_ends(gconstpointer a, gconstpointer b)
{
    const Bucket *one = a, *two = b;
    return one->end < two->end ? -1 : one->end > two->end;
}

static double
quantile(GArray *buckets, double share)
{
    Bucket before = {0, 0};
    g_array_sort(buckets, compare_ends);
    double all = buckets->len > 0 ? g_array_index(buckets, Bucket, buckets->len - 1).below : 0;
    if (all <= 0)
        return -1;
    for (guint i = 0; i < buckets->len; i++) {
        Bucket here = g_array_index(buckets, Bucket, i);
        if (here.below >= share * all && here.below > before.below) {
            double part = (share * all - before.below) / (here.below - before.below);
            return isinf(here.end) ? here.end : before.end + part * (here.end - before.end);
        }
        before = here;
    }
    return HUGE_VAL;
}

/* Series that differ in other labels have the same ends. */
static void
add_bucket(GArray *buckets, double end, double below)
{
    for (guint i = 0; i < buckets->len; i++) {
        Bucket *bucket = &g_array_index(buckets, Bucket, i);
        if (bucket->end == end || (isinf(bucket->end) && isinf(end))) {
            bucket->below += below;
            return;
        }
    }
    const Bucket bucket = {end, below};
    g_array_append_val(buckets, bucket);
}

double
metric_samples_quantile(const GPtrArray *samples, const char *family, double share, ...)
{
    va_list pairs;
    g_autofree char *name = g_strconcat(family, "_bucket", NULL);
    g_autoptr(GArray) buckets = g_array_new(FALSE, FALSE, sizeof(Bucket));
    va_start(pairs, share);
    for (guint i = 0; i < samples->len; i++) {
        const MetricSample *sample = g_ptr_array_index(samples, i);
        const char *end = metric_sample_label(sample, "le");
        if (end != NULL && is_asked(sample, name, pairs))
            add_bucket(buckets, g_ascii_strtod(end, NULL), sample->value);
    }
    va_end(pairs);
    return quantile(buckets, share);
}
