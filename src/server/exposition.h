/*
 * exposition: numbers as Prometheus reads them (its text format, version 0.0.4).
 *
 * First a family with its help, then its samples, which stand together. Names of families and
 * labels are ours and right; label values may be anything: they are made valid UTF-8 and escaped.
 * Threads: any, each with its own `out`.
 */
#pragma once

#include <glib.h>

#include "base/histogram.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void exposition_counter(GString *out, const char *family, const char *help);
void exposition_gauge(GString *out, const char *family, const char *help);
void exposition_histogram(GString *out, const char *family, const char *help);

/* One sample. Then pairs of a label's name and its value, ending with NULL. */
void exposition_count(GString *out, const char *family, guint64 value, ...) G_GNUC_NULL_TERMINATED;

/* Likewise, if there is anything to count: for families that could have very many samples. */
void exposition_count_some(GString *out, const char *family, guint64 value,
                           ...) G_GNUC_NULL_TERMINATED;

/* Likewise a time, which is written in seconds. */
void exposition_seconds(GString *out, const char *family, guint64 value_us,
                        ...) G_GNUC_NULL_TERMINATED;

/* The samples of one histogram, in seconds. */
void exposition_times(GString *out, const char *family, const HistogramCounts *times,
                      ...) G_GNUC_NULL_TERMINATED;
