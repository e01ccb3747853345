/*
 * exposition: numbers as Prometheus reads them.
 */
#include "server/exposition.h"

#include <string.h>

static void
begin_family(GString *out, const char *family, const char *type, const char *help)
{
    g_string_append_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family, help, family, type);
}

void
exposition_counter(GString *out, const char *family, const char *help)
{
    begin_family(out, family, "counter", help);
}

void
exposition_gauge(GString *out, const char *family, const char *help)
{
    begin_family(out, family, "gauge", help);
}

void
exposition_histogram(GString *out, const char *family, const char *help)
{
    begin_family(out, family, "histogram", help);
}

/* ---- labels ---------------------------------------------------------------------------------- */

static void
append_value(GString *out, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    for (const char *at = valid; *at != '\0'; at++)
        if (*at == '\n')
            g_string_append(out, "\\n");
        else if (*at == '"' || *at == '\\')
            g_string_append_printf(out, "\\%c", *at);
        else
            g_string_append_c(out, *at);
}

static void
append_label(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "%s%s=\"", out->len > 0 ? "," : "", name);
    append_value(out, value);
    g_string_append_c(out, '"');
}

/* Without braces; "" if there are none. The caller frees it. */
static char *
labels_format(va_list pairs)
{
    GString *out = g_string_new(NULL);
    const char *name;
    while ((name = va_arg(pairs, const char *)) != NULL)
        append_label(out, name, va_arg(pairs, const char *));
    return g_string_free(out, FALSE);
}

static void
append_sample(GString *out, const char *name, const char *labels, const char *value)
{
    if (*labels != '\0')
        g_string_append_printf(out, "%s{%s} %s\n", name, labels, value);
    else
        g_string_append_printf(out, "%s %s\n", name, value);
}

static void
append_count(GString *out, const char *name, const char *labels, guint64 value)
{
    char digits[24];
    g_snprintf(digits, sizeof(digits), "%" G_GUINT64_FORMAT, value);
    append_sample(out, name, labels, digits);
}

static void
append_seconds(GString *out, const char *name, const char *labels, guint64 value_us)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(digits, sizeof(digits), "%.16g", (double)value_us / G_USEC_PER_SEC);
    append_sample(out, name, labels, digits);
}

/* ---- samples --------------------------------------------------------------------------------- */

static void
append_labelled(GString *out, const char *family, guint64 value, va_list pairs)
{
    g_autofree char *labels = labels_format(pairs);
    append_count(out, family, labels, value);
}

void
exposition_count(GString *out, const char *family, guint64 value, ...)
{
    va_list pairs;
    va_start(pairs, value);
    append_labelled(out, family, value, pairs);
    va_end(pairs);
}

void
exposition_count_some(GString *out, const char *family, guint64 value, ...)
{
    va_list pairs;
    if (value == 0)
        return;
    va_start(pairs, value);
    append_labelled(out, family, value, pairs);
    va_end(pairs);
}

void
exposition_seconds(GString *out, const char *family, guint64 value_us, ...)
{
    va_list pairs;
    va_start(pairs, value_us);
    g_autofree char *labels = labels_format(pairs);
    va_end(pairs);
    append_seconds(out, family, labels, value_us);
}

/* One of the added up ranges; the last has no end. */
static void
append_bucket(GString *out, const char *family, const char *labels, guint range, guint64 below)
{
    char end[G_ASCII_DTOSTR_BUF_SIZE] = "+Inf";
    if (range < HISTOGRAM_BOUNDS)
        g_ascii_formatd(end, sizeof(end), "%g",
                        (double)histogram_bounds_us[range] / G_USEC_PER_SEC);
    g_autofree char *name = g_strconcat(family, "_bucket", NULL);
    g_autofree char *with =
        g_strconcat(labels, *labels != '\0' ? "," : "", "le=\"", end, "\"", NULL);
    append_count(out, name, with, below);
}

void
exposition_times(GString *out, const char *family, const HistogramCounts *times, ...)
{
    va_list pairs;
    guint64 below = 0;
    va_start(pairs, times);
    g_autofree char *labels = labels_format(pairs);
    va_end(pairs);
    for (guint range = 0; range <= HISTOGRAM_BOUNDS; range++) {
        below += times->counts[range];
        append_bucket(out, family, labels, range, below);
    }
    g_autofree char *sum = g_strconcat(family, "_sum", NULL);
    g_autofree char *count = g_strconcat(family, "_count", NULL);
    append_seconds(out, sum, labels, times->sum_us);
    append_count(out, count, labels, below);
}
