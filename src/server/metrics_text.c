/*
 * metrics_text: all that the daemon can be asked for, in Prometheus's text format.
 *
 * Samples of a family must stand together, so each part first asks whoever counts, and then goes
 * over the answers family by family.
 */
#include "build_config.h"

#include "server/metrics_text.h"

#include "base/session_memory.h"
#include "server/exposition.h"
#include "server/metrics.h"
#include "server/milter_door.h"
#include "server/process_metrics.h"

#define FAMILY(name) "replymilter_" name

static void
one_counter(GString *out, const char *family, const char *help, guint64 value)
{
    exposition_counter(out, family, help);
    exposition_count(out, family, value, NULL);
}

static void
one_gauge(GString *out, const char *family, const char *help, guint64 value)
{
    exposition_gauge(out, family, help);
    exposition_count(out, family, value, NULL);
}

static void
write_build(GString *out)
{
    exposition_gauge(out, FAMILY("build_info"), "1, with the version that is running.");
    exposition_count(out, FAMILY("build_info"), 1, "version", PACKAGE_VERSION, NULL);
}

/* ---- sessions and connections ---------------------------------------------------------------- */

static void
write_milter(const MilterDoorCounts *counts, GString *out)
{
    one_gauge(out, FAMILY("milter_sessions"), "Sessions of the milter door that are open.",
              counts->sessions);
    one_counter(out, FAMILY("milter_sessions_total"), "Sessions that the milter door has had.",
                counts->all_sessions);
    one_gauge(out, FAMILY("milter_messages"), "Messages that are under way in them.", counts->busy);
    one_counter(out, FAMILY("milter_messages_total"), "Messages that have begun in them.",
                counts->all_messages);
}

static void
write_tables(const TablesCounts *counts, GString *out)
{
    const struct {
        const char *reason;
        guint64 count;
    } ended[] = {
        {"broken", counts->broken}, {"slow", counts->slow}, {"displaced", counts->displaced}};

    one_gauge(out, FAMILY("tables_connections"), "Connections to the tables that are open.",
              counts->connections);
    one_counter(out, FAMILY("tables_connections_total"), "Connections that the tables have had.",
                counts->accepted);
    exposition_counter(out, FAMILY("tables_connections_ended_total"),
                       "Connections that we have ended: for what they sent, for not reading their "
                       "answers, for a newer one.");
    for (gsize i = 0; i < G_N_ELEMENTS(ended); i++)
        exposition_count(out, FAMILY("tables_connections_ended_total"), ended[i].count, "reason",
                         ended[i].reason, NULL);
}

static void
write_limits(const MilterDoorCounts *milter, const TablesCounts *tables,
             const PolicySettings *settings, GString *out)
{
    const struct {
        const char *limit;
        guint64 count;
    } hits[] = {{"sessions", milter->turned_away},
                {"memory", session_memory_refusals()},
                {"tables_connections", tables->displaced}};

    exposition_counter(out, FAMILY("limit_hits_total"),
                       "How often a limit was reached: limits.sessions, limits.memory, or the "
                       "connections to the tables.");
    for (gsize i = 0; i < G_N_ELEMENTS(hits); i++)
        exposition_count(out, FAMILY("limit_hits_total"), hits[i].count, "limit", hits[i].limit,
                         NULL);
    one_gauge(out, FAMILY("milter_sessions_limit"), "limits.sessions of the policy.",
              settings->limits.sessions);
    one_gauge(out, FAMILY("session_memory_bytes"), "Memory that sessions keep of their mail.",
              session_memory_in_use());
    one_gauge(out, FAMILY("session_memory_limit_bytes"), "limits.memory of the policy.",
              settings->limits.memory);
}

/* ---- the event log --------------------------------------------------------------------------- */

static void
write_events(const EventLogCounts *counts, GString *out)
{
    const struct {
        const char *reason;
        guint64 count;
    } losses[] = {{"queue", counts->dropped}, {"sink", counts->failed}, {"rate", counts->limited}};

    one_counter(out, FAMILY("events_written_total"), "Events that are in the event log.",
                counts->written);
    exposition_counter(out, FAMILY("events_dropped_total"),
                       "Events that are not in the event log: its queue was full, it could not be "
                       "written, or log.rate was used up.");
    for (gsize i = 0; i < G_N_ELEMENTS(losses); i++)
        exposition_count(out, FAMILY("events_dropped_total"), losses[i].count, "reason",
                         losses[i].reason, NULL);
    one_gauge(out, FAMILY("event_queue_events"), "Events that wait to be written.", counts->queued);
    one_gauge(out, FAMILY("event_queue_bytes"), "Their octets.", counts->queued_octets);
    one_gauge(out, FAMILY("event_queue_limit_events"), "How many may wait.", EVENT_LOG_QUEUE_LINES);
}

/* ---- filters --------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    FilterCounters counters;
} FilterMetrics;

static void
write_filter_answers(const FilterMetrics *filters, guint count, GString *out)
{
    exposition_counter(out, FAMILY("filter_answers_total"),
                       "Answers of the filters behind us. Of the many within a message only the "
                       "last, and each that is not to continue.");
    for (guint i = 0; i < count; i++)
        for (guint verdict = 0; verdict < FILTER_VERDICT_FAILED; verdict++)
            exposition_count(out, FAMILY("filter_answers_total"),
                             filters[i].counters.verdicts[verdict], "filter", filters[i].name,
                             "verdict", filter_verdict_name((FilterVerdict)verdict), NULL);
}

static void
write_filter_failures(const FilterMetrics *filters, guint count, GString *out)
{
    exposition_counter(out, FAMILY("filter_failures_total"),
                       "How often a filter could not be asked, or has broken off. limit: there was "
                       "no room for the message, or for what it wanted.");
    for (guint i = 0; i < count; i++)
        for (guint trouble = 0; trouble < FILTER_TROUBLES; trouble++)
            exposition_count(out, FAMILY("filter_failures_total"),
                             filters[i].counters.troubles[trouble], "filter", filters[i].name,
                             "reason", filter_trouble_name((FilterTrouble)trouble), NULL);
}

static void
write_filter_times(const FilterMetrics *filters, guint count, GString *out)
{
    exposition_histogram(out, FAMILY("filter_duration_seconds"),
                         "How long filters take to answer, at connect to DATA (part envelope) and "
                         "to a message as a whole (part message).");
    for (guint i = 0; i < count; i++)
        for (guint part = 0; part < FILTER_PARTS; part++)
            exposition_times(out, FAMILY("filter_duration_seconds"),
                             &filters[i].counters.times[part], "filter", filters[i].name, "part",
                             filter_part_name((FilterPart)part), NULL);
    exposition_counter(out, FAMILY("filter_wait_seconds_total"),
                       "How long filters have been waited for in all, in vain too.");
    for (guint i = 0; i < count; i++)
        exposition_seconds(out, FAMILY("filter_wait_seconds_total"), filters[i].counters.spent_us,
                           "filter", filters[i].name, NULL);
}

static void
write_filter_links(const FilterMetrics *filters, guint count, GString *out)
{
    exposition_counter(out, FAMILY("filter_connections_total"),
                       "Connections to the filters behind us.");
    for (guint i = 0; i < count; i++)
        exposition_count(out, FAMILY("filter_connections_total"), filters[i].counters.connections,
                         "filter", filters[i].name, NULL);
    exposition_gauge(out, FAMILY("filter_given_up"),
                     "1: the filter has not answered several times in a row, and is hardly waited "
                     "for now.");
    for (guint i = 0; i < count; i++)
        exposition_count(out, FAMILY("filter_given_up"), filters[i].counters.open ? 1 : 0, "filter",
                         filters[i].name, NULL);
}

static void
write_filters(const Policy *policy, FilterStates *states, GString *out)
{
    guint count = states != NULL ? policy_filter_count(policy) : 0;
    g_autofree FilterMetrics *filters = g_new0(FilterMetrics, MAX(count, 1));
    for (guint i = 0; i < count; i++) {
        filters[i].name = policy_filter(policy, i)->name;
        filters[i].counters = filter_states_counters(states, policy_filter(policy, i)->socket);
    }
    write_filter_answers(filters, count, out);
    write_filter_failures(filters, count, out);
    write_filter_times(filters, count, out);
    write_filter_links(filters, count, out);
}

static void
write_site_rules(const Policy *policy, GString *out)
{
    exposition_counter(out, FAMILY("site_rule_hits_total"),
                       "How often a rule of classify.rules has decided since the policy was "
                       "loaded.");
    for (guint i = 0; i < policy_site_rule_count(policy); i++)
        exposition_count(out, FAMILY("site_rule_hits_total"), policy_site_rule_hits(policy, i),
                         "rule", policy_site_rule(policy, i)->name, NULL);
}

static void
write_policy(const PolicyHistory *history, GString *out)
{
    exposition_gauge(out, FAMILY("policy_loaded_timestamp_seconds"),
                     "When the policy in force was loaded, in seconds since the epoch.");
    exposition_seconds(out, FAMILY("policy_loaded_timestamp_seconds"), (guint64)history->loaded_us,
                       NULL);
    exposition_counter(out, FAMILY("policy_reloads_total"),
                       "Reloads of the policy. failed: the old one was kept.");
    exposition_count(out, FAMILY("policy_reloads_total"), history->loads - 1, "result", "ok", NULL);
    exposition_count(out, FAMILY("policy_reloads_total"), history->failures, "result", "failed",
                     NULL);
    one_gauge(out, FAMILY("policy_last_reload_successful"),
              "0: the policy file was not good when it was last loaded, and an older policy is in "
              "force.",
              history->failed_us > history->loaded_us ? 0 : 1);
}

void
metrics_text(const DaemonView *view, GString *out)
{
    const DoorContext *context = view->context;
    g_autoptr(Policy) policy = policy_holder_get(context->policies);
    g_auto(PolicyHistory) history = policy_holder_history(context->policies);
    EventLogCounts events = event_log_counts(context->events);
    MilterDoorCounts milter = milter_door_counts();
    TablesCounts tables = {0};
    if (view->tables != NULL)
        tables = tables_door_counts(view->tables);
    write_build(out);
    metrics_write(context->metrics, out);
    write_policy(&history, out);
    write_filters(policy, context->filters, out);
    write_site_rules(policy, out);
    write_milter(&milter, out);
    write_tables(&tables, out);
    write_limits(&milter, &tables, policy_settings(policy), out);
    write_events(&events, out);
    process_metrics_write(out);
}
