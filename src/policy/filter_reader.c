/*
 * filter_reader: filters of a policy file.
 *
 * An entry is {name, socket, timeout, connect_timeout, on_failure}.
 */
#include "policy/filter_reader.h"

#include "base/text.h"
#include "policy/condition_reader.h"
#include "policy/entry_reader.h"
#include "policy/pattern.h"
#include "policy/settings.h"
#include "policy/socket_name.h"

static const char *const entry_names[] = {"name",       "socket", "timeout", "connect_timeout",
                                          "on_failure", NULL};

/* In seconds. */
typedef struct {
    const char *name;
    double preset, least, most;
} TimeLimits;

static const TimeLimits command_time = {"timeout", 10, 0.1, 600};
static const TimeLimits connect_time = {"connect_timeout", 3, 0.1, 60};

void
policy_filter_free(gpointer data)
{
    PolicyFilter *filter = data;
    g_free(filter->name);
    g_free(filter->socket);
    g_free(filter->file);
    g_free(filter);
}

/* ---- one entry
 * --------------------------------------------------------------------------------------- */

static gboolean
number_of(const config_setting_t *at, double *number)
{
    switch (config_setting_type(at)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        *number = (double)config_setting_get_int64(at);
        return TRUE;
    case CONFIG_TYPE_FLOAT:
        *number = config_setting_get_float(at);
        return TRUE;
    default:
        return FALSE;
    }
}

/* In microseconds. */
static gint64
read_time(Reading *reading, const config_setting_t *entry, const TimeLimits *limits)
{
    const config_setting_t *at = config_setting_get_member(entry, limits->name);
    double seconds = limits->preset;
    if (at != NULL && !number_of(at, &seconds))
        reading_problem(reading, at, "\"%s\" must be a number of seconds: 10 or 2.5", limits->name);
    else if (!(seconds >= limits->least && seconds <= limits->most))
        reading_problem(reading, at, "\"%s\" is outside its limits: %g to %g seconds", limits->name,
                        limits->least, limits->most);
    else
        return (gint64)(seconds * G_USEC_PER_SEC + 0.5);
    return 0;
}

/* Mail that came to us again by way of a filter would never come to an end. */
static void
check_own_sockets(Reading *reading, const config_setting_t *at, const PolicySettings *settings,
                  const char *socket)
{
    const struct {
        const char *setting, *name, *link;
    } own[] = {{"milter", settings->milter.socket, settings->milter.link},
               {"tables", settings->tables.socket, settings->tables.link},
               {"control", settings->control.socket, NULL}};
    const char *path = socket_name_path(socket);
    for (guint i = 0; i < G_N_ELEMENTS(own); i++)
        if (socket_name_reaches(socket, own[i].name))
            reading_problem(reading, at, "\"%s\" is our own socket: \"%s.socket\"", socket,
                            own[i].setting);
        else if (path != NULL && own[i].link != NULL && strcmp(path, own[i].link) == 0)
            reading_problem(reading, at, "\"%s\" is our own socket: \"%s.link\"", socket,
                            own[i].setting);
}

static char *
read_socket(Reading *reading, const config_setting_t *entry, const PolicySettings *settings)
{
    g_autoptr(GError) error = NULL;
    const config_setting_t *at = reading_member(reading, entry, "socket", CONFIG_TYPE_STRING);
    if (at == NULL) {
        if (config_setting_get_member(entry, "socket") == NULL)
            reading_problem(reading, entry, "a filter needs a socket");
        return NULL;
    }
    const char *socket = config_setting_get_string(at);
    if (socket_name_check_peer(socket, &error))
        check_own_sockets(reading, at, settings, socket);
    else
        reading_problem(reading, at, "%s", error->message);
    return g_strdup(socket);
}

static FilterFailure
read_failure(Reading *reading, const config_setting_t *entry)
{
    const config_setting_t *at = reading_member(reading, entry, "on_failure", CONFIG_TYPE_STRING);
    int index = at != NULL ? reading_choice(reading, at, config_setting_get_string(at),
                                            filter_failure_names)
                           : -1;
    return index >= 0 ? (FilterFailure)index : FILTER_FAILURE_TEMPFAIL;
}

/* A filter that is asked twice signs twice. */
static void
warn_of_twin(Reading *reading, const config_setting_t *entry, const char *socket,
             const GPtrArray *filters)
{
    for (guint i = 0; socket != NULL && i < filters->len; i++) {
        const PolicyFilter *earlier = g_ptr_array_index(filters, i);
        if (earlier->name != NULL && g_strcmp0(earlier->socket, socket) == 0)
            reading_warning(reading, config_setting_get_member(entry, "socket"),
                            "the filter \"%s\" has this socket already: it is asked twice",
                            earlier->name);
    }
}

static void
read_filter(Reading *reading, const config_setting_t *entry, const PolicySettings *settings,
            GHashTable *seen, GPtrArray *filters)
{
    PolicyFilter *filter = g_new0(PolicyFilter, 1);
    filter->file = g_strdup(reading_place(reading, entry, &filter->line));
    reading_check_names(reading, entry, entry_names);
    filter->name = g_strdup(entry_name(reading, entry, "filter", seen));
    filter->socket = read_socket(reading, entry, settings);
    filter->timeout_us = read_time(reading, entry, &command_time);
    filter->connect_timeout_us = read_time(reading, entry, &connect_time);
    filter->on_failure = read_failure(reading, entry);
    warn_of_twin(reading, entry, filter->socket, filters);
    g_ptr_array_add(filters, filter);
}

void
filters_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
             GPtrArray *filters)
{
    const config_setting_t *list = reading_member(reading, root, "filters", CONFIG_TYPE_LIST);
    guint count =
        entry_count(reading, list, "a filter is a group: { name = \"...\"; socket = \"...\"; }");
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++)
        read_filter(reading, config_setting_get_elem(list, i), settings, seen, filters);
}

/* ---- rules that speak of filters
 * --------------------------------------------------------------------- */

/* The names of those that have one; ends with NULL. They belong to the filters. */
static GPtrArray *
names_of(const GPtrArray *filters)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < filters->len; i++) {
        const PolicyFilter *filter = g_ptr_array_index(filters, i);
        if (filter->name != NULL)
            g_ptr_array_add(names, filter->name);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static gboolean
hits_any(const Pattern *pattern, const GPtrArray *names)
{
    for (guint i = 0; i + 1 < names->len; i++)
        if (pattern_hits(pattern, g_ptr_array_index(names, i), NULL))
            return TRUE;
    return FALSE;
}

static void
warn_of_unknown(Reading *reading, const config_setting_t *at, const char *text,
                const GPtrArray *names)
{
    const char *nearest = text_nearest(text, (const char *const *)names->pdata);
    if (nearest != NULL)
        reading_warning(reading, at, "there is no filter \"%s\": did you mean \"%s\"?", text,
                        nearest);
    else
        reading_warning(reading, at, "there is no filter \"%s\"", text);
}

static void
check_rule(Reading *reading, const config_setting_t *entry, const PolicyRule *rule,
           const GPtrArray *names)
{
    const Matcher *matcher = conditions_find(rule->conditions, FACT_FILTER);
    const config_setting_t *when = config_setting_get_member(entry, "when");
    if (matcher == NULL || when == NULL)
        return;
    const config_setting_t *at = config_setting_get_member(when, fact_name(FACT_FILTER));
    const Pattern *pattern;
    for (guint i = 0; (pattern = matcher_plain(matcher, i)) != NULL; i++)
        if (*pattern_text(pattern) != '\0' && !hits_any(pattern, names))
            warn_of_unknown(reading, at, pattern_text(pattern), names);
}

void
rules_check_filters(Reading *reading, const config_setting_t *root, const GPtrArray *rules,
                    const GPtrArray *filters)
{
    g_autoptr(GPtrArray) names = names_of(filters);
    const config_setting_t *replies = config_setting_get_member(root, "replies");
    const config_setting_t *list = replies != NULL && config_setting_is_group(replies)
                                       ? config_setting_get_member(replies, "rules")
                                       : NULL;
    for (guint i = 0; i < rules->len; i++)
        check_rule(reading, config_setting_get_elem(list, i), g_ptr_array_index(rules, i), names);
}
