/*
 * metric_samples: metrics in Prometheus's text format, and what can be said of them.
 *
 * Threads: any, each with its own samples.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *name;
    char **labels; /* name and value in turn, ends with NULL */
    double value;
} MetricSample;

/* An array of MetricSample *, which it owns, in their order; comments are passed over. NULL and an
 * error that names the line: the text is in no such format. */
GPtrArray *metric_samples_read(const char *text, GError **error);

/* NULL: it has no such label. */
const char *metric_sample_label(const MetricSample *sample, const char *label);

/*
 * Of those of a family that have these labels (pairs of a name and a value, ending with NULL):
 * their sum; 0 if there are none.
 */
double metric_samples_sum(const GPtrArray *samples, const char *family, ...) G_GNUC_NULL_TERMINATED;

/* A sum as a count; 0 for what is none, such as a negative number. */
guint64 metric_samples_whole(double sum);

/* Likewise their sums by the values of a label, as shares (shares.h), which borrow the names. */
GArray *metric_samples_by(const GPtrArray *samples, const char *family, const char *label,
                          ...) G_GNUC_NULL_TERMINATED;

/*
 * Likewise, of a histogram: a value that so much of all is below (0.5: the median), in even shares
 * within a range. Negative: there is nothing in it. Infinite: it is above all bounds.
 */
double metric_samples_quantile(const GPtrArray *samples, const char *family, double share,
                               ...) G_GNUC_NULL_TERMINATED;
