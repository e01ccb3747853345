/*
 * event_filter: conditions on the members of an event.
 */
#include "replyctl/event_filter.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Of doc/events.md; "original" and "final" by their members. */
static const char *const members[] = {
    "v",
    "time",
    "id",
    "joins",
    "event",
    "door",
    "stage",
    "queue_id",
    "client.addr",
    "client.name",
    "client.helo",
    "sender",
    "recipient",
    "original.code",
    "original.status",
    "original.text",
    "final.code",
    "final.status",
    "final.text",
    "verdict",
    "changed",
    "repairs",
    "reference",
    "rule",
    "check",
    "filter",
    "category",
    "permanent",
    "action",
    "confidence",
    "evidence.rule",
    "evidence.match",
    "proof",
    "provider",
    "reporting_mta",
    "remote_mta",
    "message_id",
    "retry_after",
    "dnsbl",
    "incomplete",
    "reason",
    "filter_ms",
    "on_failure",
    "count",
    NULL,
};

typedef struct {
    char **path; /* "client", "addr" */
    GPatternSpec *pattern;
    gboolean negated;
} Condition;

struct EventFilter {
    GArray *conditions;
};

static void
condition_clear(gpointer data)
{
    Condition *condition = data;
    g_strfreev(condition->path);
    g_pattern_spec_free(condition->pattern);
}

static gboolean
fail(GError **error, const char *word, const char *why, const char *nearest)
{
    if (nearest != NULL)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                    "\"%s\": %s: did you mean \"%s\"?", word, why, nearest);
    else
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX, "\"%s\": %s", word, why);
    return FALSE;
}

static gboolean
condition_read(Condition *condition, const char *word, GError **error)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word)
        return fail(error, word, "not of the form MEMBER=PATTERN", NULL);
    condition->negated = equals[-1] == '!';
    g_autofree char *name = g_strndup(word, (gsize)(equals - word) - (condition->negated ? 1 : 0));
    if (!g_strv_contains(members, name))
        return fail(error, word, "no event has such a member", text_nearest(name, members));
    g_autofree char *folded = g_utf8_casefold(equals + 1, -1);
    condition->path = g_strsplit(name, ".", 2);
    condition->pattern = g_pattern_spec_new(folded);
    return TRUE;
}

EventFilter *
event_filter_new(const char *const *conditions, GError **error)
{
    EventFilter *filter = g_new0(EventFilter, 1);
    filter->conditions = g_array_new(FALSE, TRUE, sizeof(Condition));
    g_array_set_clear_func(filter->conditions, condition_clear);
    for (; *conditions != NULL; conditions++) {
        Condition condition = {.path = NULL};
        if (!g_utf8_validate(*conditions, -1, NULL)) {
            (void)fail(error, "...", "a condition is not UTF-8", NULL);
        } else if (condition_read(&condition, *conditions, error)) {
            g_array_append_val(filter->conditions, condition);
            continue;
        }
        event_filter_free(filter);
        return NULL;
    }
    return filter;
}

void
event_filter_free(EventFilter *filter)
{
    if (filter == NULL)
        return;
    g_array_unref(filter->conditions);
    g_free(filter);
}

static gboolean
text_matches(GPatternSpec *pattern, const char *text)
{
    g_autofree char *folded = g_utf8_casefold(text, -1);
    return g_pattern_spec_match_string(pattern, folded);
}

/* Of a list, one entry must match. */
static gboolean
value_matches(GPatternSpec *pattern, const json_t *value)
{
    if (json_is_string(value))
        return text_matches(pattern, json_string_value(value));
    if (json_is_boolean(value))
        return text_matches(pattern, json_is_true(value) ? "true" : "false");
    if (json_is_integer(value)) {
        g_autofree char *number =
            g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return text_matches(pattern, number);
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (value_matches(pattern, json_array_get(value, i)))
            return TRUE;
    return FALSE;
}

static const json_t *
value_at(const json_t *event, char *const *path)
{
    const json_t *value = event;
    for (; *path != NULL && value != NULL; path++)
        value = json_object_get(value, *path);
    return value;
}

gboolean
event_filter_matches(const EventFilter *filter, const json_t *event)
{
    for (guint i = 0; i < filter->conditions->len; i++) {
        const Condition *condition = &g_array_index(filter->conditions, Condition, i);
        const json_t *value = value_at(event, condition->path);
        if ((value != NULL && value_matches(condition->pattern, value)) == condition->negated)
            return FALSE;
    }
    return TRUE;
}
