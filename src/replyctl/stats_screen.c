/*
 * stats_screen: what the daemon has counted, for people.
 */
#include "replyctl/stats_screen.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "replyctl/columns.h"
#include "replyctl/metric_samples.h"
#include "replyctl/screen.h"
#include "replyctl/shares.h"

#define FAMILY(name) "replymilter_" name
#define COUNT        "%" G_GUINT64_FORMAT

enum { NAME_WIDTH = 14, TIME_SIZE = 16 };

typedef struct {
    const GPtrArray *samples;
    guint most;
} Stats;

static guint64
counted(const Stats *stats, const char *family, const char *label, const char *value)
{
    return metric_samples_whole(metric_samples_sum(stats->samples, family, label, value, NULL));
}

static void
show_by(const Stats *stats, const char *heading, const char *family, const char *label)
{
    g_autoptr(GArray) shares = metric_samples_by(stats->samples, family, label, NULL);
    shares_print(heading, shares, stats->most);
}

/* ---- refusals, bounces ----------------------------------------------------------------------- */

static void
show_refusals(const Stats *stats)
{
    g_autoptr(GArray) categories = metric_samples_by(stats->samples, FAMILY("refusals_total"),
                                                     "category", "joined", "false", NULL);
    guint64 sum = shares_sum(categories);
    if (sum == 0) {
        screen_heading("No refusals yet");
        return;
    }
    g_autofree char *heading =
        g_strdup_printf(COUNT " refusal%s, each counted once", sum, sum == 1 ? "" : "s");
    shares_print(heading, categories, stats->most);
    show_by(stats, "Refusals by door (one that two doors see counts at both)",
            FAMILY("refusals_total"), "door");
    show_by(stats, "What became of the replies", FAMILY("refusal_answers_total"), "answer");
    show_by(stats, "By reply code", FAMILY("refusal_codes_total"), "code");
    show_by(stats, "By enhanced status", FAMILY("refusal_statuses_total"), "status");
    show_by(stats, "What was repaired", FAMILY("repairs_total"), "repair");
}

static void
show_bounces(const Stats *stats)
{
    g_autoptr(GArray) kinds =
        metric_samples_by(stats->samples, FAMILY("bounces_total"), "kind", NULL);
    guint64 sum = shares_sum(kinds);
    g_autofree char *heading = g_strdup_printf(COUNT " recipient%s of bounces and other reports",
                                               sum, sum == 1 ? "" : "s");
    shares_print(heading, kinds, stats->most);
    show_by(stats, "Bounces by category", FAMILY("bounces_total"), "category");
    show_by(stats, "Bounces by provider", FAMILY("bounces_total"), "provider");
    show_by(stats, "Bounces by what shows that the mail was ours", FAMILY("bounce_proofs_total"),
            "proof");
}

/* ---- tables, filters ------------------------------------------------------------------------- */

/* "12 us", "3.4 ms", "2 s". */
static const char *
time_text(double seconds, char text[TIME_SIZE])
{
    if (seconds < 0)
        g_strlcpy(text, "-", TIME_SIZE);
    else if (isinf(seconds))
        g_strlcpy(text, "> 30 s", TIME_SIZE);
    else if (seconds < 1e-3)
        g_snprintf(text, TIME_SIZE, "%.0f us", seconds * 1e6);
    else if (seconds < 1)
        g_snprintf(text, TIME_SIZE, "%.3g ms", seconds * 1e3);
    else
        g_snprintf(text, TIME_SIZE, "%.3g s", seconds);
    return text;
}

static void
put_name(const char *name)
{
    g_autoptr(GString) out = g_string_new(NULL);
    columns_append(out, name, NAME_WIDTH, FALSE);
    printf("  %s", out->str);
}

static void
put_columns(const char *first, const char *second, const char *half, const char *most)
{
    printf("  %*s  %9s  %9s  %9s  %9s\n", NAME_WIDTH, "", first, second, half, most);
}

static void
put_counts(guint64 first, guint64 second)
{
    printf("  %9" G_GUINT64_FORMAT "  %9" G_GUINT64_FORMAT, first, second);
}

static void
put_times(double half, double most)
{
    char first[TIME_SIZE], second[TIME_SIZE];
    printf("  %9s  %9s", time_text(half, first), time_text(most, second));
}

static double
table_time(const Stats *stats, const char *table, double share)
{
    return metric_samples_quantile(stats->samples, FAMILY("table_lookup_duration_seconds"), share,
                                   "table", table, NULL);
}

/* For a message as a whole: what it says before is said at once. */
static double
filter_time(const Stats *stats, const char *filter, double share)
{
    return metric_samples_quantile(stats->samples, FAMILY("filter_duration_seconds"), share,
                                   "filter", filter, "part", "message", NULL);
}

static void
show_tables(const Stats *stats)
{
    g_autoptr(GArray) tables =
        metric_samples_by(stats->samples, FAMILY("table_lookups_total"), "table", NULL);
    if (tables->len == 0)
        return;
    screen_heading("Tables");
    put_columns("lookups", "found", "50 % in", "99 % in");
    for (guint i = 0; i < tables->len; i++) {
        const Share *table = &g_array_index(tables, Share, i);
        put_name(table->name);
        put_counts(table->count, metric_samples_whole(metric_samples_sum(
                                     stats->samples, FAMILY("table_lookups_total"), "table",
                                     table->name, "answer", "found", NULL)));
        put_times(table_time(stats, table->name, 0.5), table_time(stats, table->name, 0.99));
        putchar('\n');
    }
}

/* Some answers are no refusals. */
static guint64
refusals_of(const Stats *stats, const char *filter)
{
    static const char *const verdicts[] = {"reply", "reject", "tempfail", "shutdown", "conn-fail"};
    double sum = 0;
    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++)
        sum += metric_samples_sum(stats->samples, FAMILY("filter_answers_total"), "filter", filter,
                                  "verdict", verdicts[i], NULL);
    return metric_samples_whole(sum);
}

static void
show_filter(const Stats *stats, const char *name)
{
    put_name(name);
    put_counts(counted(stats, FAMILY("filter_answers_total"), "filter", name),
               refusals_of(stats, name));
    put_times(filter_time(stats, name, 0.5), filter_time(stats, name, 0.99));
    guint64 failures = counted(stats, FAMILY("filter_failures_total"), "filter", name);
    if (failures > 0)
        printf("  failed: " COUNT, failures);
    putchar('\n');
}

static void
show_filters(const Stats *stats)
{
    gboolean any = FALSE;
    for (guint i = 0; i < stats->samples->len; i++) {
        const MetricSample *sample = g_ptr_array_index(stats->samples, i);
        if (g_strcmp0(sample->name, FAMILY("filter_given_up")) != 0)
            continue;
        if (!any) {
            screen_heading("Filters");
            put_columns("answers", "refusals", "50 % in", "99 % in");
        }
        any = TRUE;
        show_filter(stats, metric_sample_label(sample, "filter"));
    }
}

/* ---- the daemon ------------------------------------------------------------------------------ */

static guint64
one(const Stats *stats, const char *family)
{
    return metric_samples_whole(metric_samples_sum(stats->samples, family, NULL));
}

static void
show_daemon(const Stats *stats)
{
    const char *dropped = FAMILY("events_dropped_total"), *hits = FAMILY("limit_hits_total");
    screen_heading("The daemon");
    screen_labelledf("sessions", COUNT " open, " COUNT " in all; " COUNT " messages",
                     one(stats, FAMILY("milter_sessions")),
                     one(stats, FAMILY("milter_sessions_total")),
                     one(stats, FAMILY("milter_messages_total")));
    screen_labelledf(
        "events",
        COUNT " written, " COUNT " waiting; not written: " COUNT " for log.rate, " COUNT " lost",
        one(stats, FAMILY("events_written_total")), one(stats, FAMILY("event_queue_events")),
        counted(stats, dropped, "reason", "rate"),
        counted(stats, dropped, "reason", "queue") + counted(stats, dropped, "reason", "sink"));
    screen_labelledf("limits", "reached " COUNT " times (sessions), " COUNT " times (memory)",
                     counted(stats, hits, "limit", "sessions"),
                     counted(stats, hits, "limit", "memory"));
    screen_labelledf("reloads", COUNT " ok, " COUNT " failed",
                     counted(stats, FAMILY("policy_reloads_total"), "result", "ok"),
                     counted(stats, FAMILY("policy_reloads_total"), "result", "failed"));
}

static void
show_head(const Stats *stats)
{
    double started = metric_samples_sum(stats->samples, "process_start_time_seconds", NULL);
    g_autofree char *utc = clock_format((gint64)metric_samples_whole(started * G_USEC_PER_SEC));
    g_autofree char *since = screen_time(utc, "%Y-%m-%d %H:%M:%S");
    screen_heading("Counted since %s", since);
}

void
stats_screen_show(const GPtrArray *samples, guint most)
{
    const Stats stats = {samples, most};
    show_head(&stats);
    show_refusals(&stats);
    show_bounces(&stats);
    show_tables(&stats);
    show_filters(&stats);
    show_daemon(&stats);
}
