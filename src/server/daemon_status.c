/*
 * daemon_status: how the daemon is, as one JSON object.
 */
#include "build_config.h"

#include "server/daemon_status.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/session_memory.h"
#include "record/json_line.h"
#include "server/milter_door.h"

enum { STRING_MAX = 1000 }; /* octets of a path or a problem that are shown */

static void
put_count(JsonLine *line, const char *key, guint64 count)
{
    json_line_number(line, key, (gint64)MIN(count, (guint64)G_MAXINT64));
}

static void
put_time(JsonLine *line, const char *key, gint64 time_us)
{
    g_autofree char *text = clock_format(time_us);
    json_line_string(line, key, text);
}

/* The clock may have been set back. */
static gint64
seconds_since(gint64 time_us, gint64 now_us)
{
    return MAX(now_us - time_us, 0) / G_USEC_PER_SEC;
}

static void
put_failure(JsonLine *line, const PolicyHistory *history)
{
    json_line_open_object(line, "last_failure");
    put_time(line, "time", history->failed_us);
    json_line_boolean(line, "mended", history->loaded_us > history->failed_us);
    json_line_open_array(line, "problems");
    for (char **problem = history->problems; *problem != NULL; problem++)
        json_line_element(line, *problem);
    json_line_close_array(line);
    json_line_close_object(line);
}

static void
put_policy(JsonLine *line, const DaemonView *view, gint64 now_us)
{
    g_auto(PolicyHistory) history = policy_holder_history(view->context->policies);
    json_line_open_object(line, "policy");
    json_line_string(line, "file", view->policy_file);
    put_time(line, "loaded", history.loaded_us);
    json_line_number(line, "age", seconds_since(history.loaded_us, now_us));
    put_count(line, "loads", history.loads);
    put_count(line, "failures", history.failures);
    if (history.failed_us != 0)
        put_failure(line, &history);
    json_line_close_object(line);
}

static void
put_milter(JsonLine *line, const DaemonView *view, const Policy *policy)
{
    MilterDoorCounts counts = milter_door_counts();
    json_line_open_object(line, "milter");
    json_line_string(line, "socket", listener_address(view->milter_listener));
    json_line_number(line, "sessions", counts.sessions);
    json_line_number(line, "busy", counts.busy);
    json_line_number(line, "limit", policy_settings(policy)->limits.sessions);
    json_line_close_object(line);
}

static void
put_tables(JsonLine *line, const DaemonView *view)
{
    TablesCounts counts = tables_door_counts(view->tables);
    json_line_open_object(line, "tables");
    json_line_string(line, "socket", listener_address(view->tables_listener));
    put_count(line, "connections", counts.connections);
    put_count(line, "lookups", counts.lookups);
    put_count(line, "found", counts.found);
    put_count(line, "broken", counts.broken);
    put_count(line, "slow", counts.slow);
    put_count(line, "displaced", counts.displaced);
    json_line_close_object(line);
}

/* A door of which there is no more to tell; NULL: it is shut. */
static void
put_socket(JsonLine *line, const char *door, const Listener *listener)
{
    if (listener == NULL)
        return;
    json_line_open_object(line, door);
    json_line_string(line, "socket", listener_address(listener));
    json_line_close_object(line);
}

static void
put_doors(JsonLine *line, const DaemonView *view, const Policy *policy)
{
    json_line_open_object(line, "doors");
    if (view->milter_listener != NULL)
        put_milter(line, view, policy);
    if (view->tables != NULL)
        put_tables(line, view);
    put_socket(line, "control", view->control_listener);
    put_socket(line, "metrics", view->metrics_listener);
    json_line_close_object(line);
}

static void
put_memory(JsonLine *line, const Policy *policy)
{
    json_line_open_object(line, "memory");
    put_count(line, "in_use", session_memory_in_use());
    put_count(line, "limit", policy_settings(policy)->limits.memory);
    json_line_close_object(line);
}

static void
put_events(JsonLine *line, const DaemonView *view)
{
    EventLogCounts counts = event_log_counts(view->context->events);
    json_line_open_object(line, "events");
    if (view->events != NULL)
        json_line_string(line, "log", view->events);
    else
        json_line_null(line, "log");
    put_count(line, "written", counts.written);
    put_count(line, "limited", counts.limited);
    put_count(line, "dropped", counts.dropped);
    put_count(line, "failed", counts.failed);
    json_line_close_object(line);
}

static const char *
filter_state_name(const FilterCounters *counters)
{
    if (counters->open)
        return "down";
    if (counters->in_a_row > 0)
        return "failing";
    return counters->connections > 0 ? "up" : "unknown";
}

static void
put_filter(JsonLine *line, const PolicyFilter *filter, const FilterCounters *counters)
{
    json_line_open_object(line, filter->name);
    json_line_string(line, "socket", filter->socket);
    json_line_string(line, "state", filter_state_name(counters));
    put_count(line, "connections", counters->connections);
    put_count(line, "answers", counters->answers);
    put_count(line, "refusals", counters->refusals);
    put_count(line, "waited_ms", counters->spent_us / 1000);
    json_line_open_object(line, "failures");
    for (guint i = 0; i < FILTER_TROUBLES; i++)
        put_count(line, filter_trouble_name((FilterTrouble)i), counters->troubles[i]);
    json_line_close_object(line);
    json_line_close_object(line);
}

static void
put_filters(JsonLine *line, const DaemonView *view, const Policy *policy)
{
    json_line_open_object(line, "filters");
    for (guint i = 0; i < policy_filter_count(policy); i++) {
        const PolicyFilter *filter = policy_filter(policy, i);
        FilterCounters counters = filter_states_counters(view->context->filters, filter->socket);
        put_filter(line, filter, &counters);
    }
    json_line_close_object(line);
}

static void
put_log(JsonLine *line)
{
    g_autofree char *areas = log_trace_areas();
    json_line_open_object(line, "log");
    json_line_string(line, "level", log_level());
    json_line_string(line, "trace", areas);
    json_line_close_object(line);
}

char *
daemon_status_json(const DaemonView *view, gint64 now_us)
{
    JsonLine line;
    g_autoptr(Policy) policy = policy_holder_get(view->context->policies);
    json_line_begin(&line, STRING_MAX);
    json_line_string(&line, "version", PACKAGE_VERSION);
    json_line_number(&line, "pid", getpid());
    json_line_string(&line, "state", milter_door_counts().stopping ? "stopping" : "running");
    put_time(&line, "started", view->started_us);
    json_line_number(&line, "uptime", seconds_since(view->started_us, now_us));
    put_policy(&line, view, now_us);
    put_doors(&line, view, policy);
    put_memory(&line, policy);
    put_events(&line, view);
    put_filters(&line, view, policy);
    put_log(&line);
    return json_line_end(&line);
}
