/*
 * status_screen: how the daemon is, for people.
 */
#include "replyctl/status_screen.h"

#include <string.h>

#include "replyctl/screen.h"

static const char *
text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static gint64
number_of(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

/* "2 d 4 h", "4 h 12 min", "12 min", "7 s". The caller frees it. */
static char *
duration(gint64 seconds)
{
    gint64 minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days > 0)
        return g_strdup_printf("%d d %d h", (int)days, (int)(hours % 24));
    if (hours > 0)
        return g_strdup_printf("%d h %d min", (int)hours, (int)(minutes % 60));
    return minutes > 0 ? g_strdup_printf("%d min", (int)minutes)
                       : g_strdup_printf("%d s", (int)seconds);
}

static char *
time_of(const json_t *object, const char *member)
{
    return screen_time(text_of(object, member), "%Y-%m-%d %H:%M:%S");
}

/* ", 3 dropped": stays away with its number. */
static void
add(GString *out, const json_t *object, const char *member, const char *words)
{
    gint64 count = number_of(object, member);
    if (count != 0)
        g_string_append_printf(out, ", %" G_GINT64_FORMAT " %s", count, words);
}

/* "1 session", "3 sessions". */
static void
put_count(GString *out, gint64 count, const char *singular)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT " %s%s", count, singular,
                           count == 1 ? "" : "s");
}

/* ", 1 answer", ", 3 answers": stays away with its number. */
static void
add_count(GString *out, const json_t *object, const char *member, const char *singular)
{
    gint64 count = number_of(object, member);
    if (count == 0)
        return;
    g_string_append(out, ", ");
    put_count(out, count, singular);
}

static void
show_head(const json_t *status)
{
    g_autofree char *age = duration(number_of(status, "uptime"));
    g_autofree char *since = time_of(status, "started");
    gboolean stopping = strcmp(text_of(status, "state"), "stopping") == 0;
    screen_heading("replymilter %s %s as process %d, since %s (%s)", text_of(status, "version"),
                   stopping ? "is stopping" : "runs", (int)number_of(status, "pid"), since, age);
}

static void
show_failure(const json_t *failure)
{
    gsize i;
    const json_t *problem;
    g_autofree char *when = time_of(failure, "time");
    gboolean mended = json_is_true(json_object_get(failure, "mended"));
    screen_labelledf("reload",
                     mended ? "failed %s, has gone well since"
                            : "FAILED %s: what was loaded before stays in force",
                     when);
    if (mended)
        return;
    json_array_foreach(json_object_get(failure, "problems"), i, problem)
        screen_paragraph(STYLE_BAD, SCREEN_COLUMN, json_string_value(problem));
}

static void
show_policy(const json_t *policy)
{
    g_autofree char *when = time_of(policy, "loaded");
    g_autofree char *age = duration(number_of(policy, "age"));
    screen_labelledf("policy", "%s, loaded %s (%s ago)", text_of(policy, "file"), when, age);
    const json_t *failure = json_object_get(policy, "last_failure");
    if (failure != NULL)
        show_failure(failure);
}

static void
show_milter(const json_t *milter)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (milter == NULL)
        return;
    put_count(line, number_of(milter, "sessions"), "session");
    g_string_append_printf(line, " of %d at most", (int)number_of(milter, "limit"));
    add(line, milter, "busy", "with a message under way");
    screen_labelledf("milter", "%s: %s", text_of(milter, "socket"), line->str);
}

static void
show_tables(const json_t *tables)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (tables == NULL)
        return;
    put_count(line, number_of(tables, "connections"), "connection");
    g_string_append(line, ", ");
    put_count(line, number_of(tables, "lookups"), "lookup");
    add(line, tables, "found", "of them found");
    add(line, tables, "broken", "clients not understood");
    add(line, tables, "slow", "clients that did not read");
    add(line, tables, "displaced", "clients too many");
    screen_labelledf("tables", "%s: %s", text_of(tables, "socket"), line->str);
}

static void
show_doors(const json_t *doors)
{
    show_milter(json_object_get(doors, "milter"));
    show_tables(json_object_get(doors, "tables"));
    screen_labelled("control", text_of(json_object_get(doors, "control"), "socket"));
    screen_labelled("metrics", text_of(json_object_get(doors, "metrics"), "socket"));
}

static void
show_events(const json_t *events)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (text_of(events, "log")[0] == '\0') {
        screen_labelled("events", "none are kept (log.events is not set)");
        return;
    }
    g_string_append_printf(line, "%" G_GINT64_FORMAT " written", number_of(events, "written"));
    add(line, events, "limited", "left out as more than log.rate a second");
    add(line, events, "dropped", "LOST: the log was too slow");
    add(line, events, "failed", "LOST: the log could not be written");
    screen_labelledf("events", "%s: %s", text_of(events, "log"), line->str);
}

static void
show_filter(const char *name, const json_t *filter)
{
    static const struct {
        const char *member, *singular;
    } failures[] = {{"connect", "failed connection"},
                    {"timeout", "late answer"},
                    {"closed", "broken connection"},
                    {"protocol", "malformed answer"},
                    {"limit", "refused request"}};
    g_autoptr(GString) line = g_string_new(NULL);
    const char *state = text_of(filter, "state");
    gboolean known = strcmp(state, "unknown") != 0;
    g_string_append_printf(line, "%s at %s: %s", name, text_of(filter, "socket"),
                           known ? state : "not asked yet");
    add_count(line, filter, "connections", "connection");
    add_count(line, filter, "answers", "answer");
    add_count(line, filter, "refusals", "refusal");
    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++)
        add_count(line, json_object_get(filter, "failures"), failures[i].member,
                  failures[i].singular);
    screen_labelled("filter", line->str);
}

static void
show_log(const json_t *log)
{
    screen_labelledf("log", "level %s, traces %s", text_of(log, "level"), text_of(log, "trace"));
}

void
status_screen_show(const json_t *status)
{
    const char *name;
    json_t *filter;
    show_head(status);
    show_policy(json_object_get(status, "policy"));
    show_doors(json_object_get(status, "doors"));
    show_events(json_object_get(status, "events"));
    json_object_foreach(json_object_get(status, "filters"), name, filter) show_filter(name, filter);
    show_log(json_object_get(status, "log"));
}
