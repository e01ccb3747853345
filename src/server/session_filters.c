/*
 * session_filters: the filters behind one session of the milter door.
 */
#include "server/session_filters.h"

#include "filters/filter_needs.h"

struct SessionFilters {
    FilterChain *chain;
    guint64 memory_limit;
    guint32 steps; /* what the filters need, once begun */
    gboolean begun;
    HeldMessage *message; /* NULL: none is held */
};

static const FilterResult go_on = {.verdict = FILTER_VERDICT_CONTINUE};

SessionFilters *
session_filters_new(const Policy *policy, FilterStates *states, const FilterHost *host)
{
    guint count = policy_filter_count(policy);
    if (count == 0)
        return NULL;
    g_autofree const PolicyFilter **list = g_new(const PolicyFilter *, count);
    for (guint i = 0; i < count; i++)
        list[i] = policy_filter(policy, i);
    SessionFilters *filters = g_new0(SessionFilters, 1);
    filters->memory_limit = policy_settings(policy)->limits.memory;
    FilterHost told = *host;
    told.memory_limit = filters->memory_limit;
    filters->chain = filter_chain_new(list, count, states, &told);
    return filters;
}

void
session_filters_free(SessionFilters *filters)
{
    if (filters == NULL)
        return;
    held_message_free(filters->message);
    filter_chain_free(filters->chain);
    g_free(filters);
}

void
session_filters_begin(SessionFilters *filters, guint32 offered_actions, guint32 offered_steps)
{
    if (filters == NULL)
        return;
    filter_chain_begin(filters->chain, offered_actions, offered_steps);
    filters->steps = filter_chain_steps(filters->chain);
    filters->begun = TRUE;
}

guint32
session_filters_actions(const SessionFilters *filters, guint32 own)
{
    return filters != NULL ? own | filter_chain_actions(filters->chain) : own;
}

guint32
session_filters_steps(const SessionFilters *filters, guint32 own)
{
    return filters != NULL ? filter_needs_join(own, filters->steps) : own;
}

char *
session_filters_macros(const SessionFilters *filters, MilterStage stage, const char *own)
{
    return filters != NULL ? filter_chain_macros(filters->chain, stage, own) : g_strdup(own);
}

/* One who has not said what it offers offers nothing. */
static FilterChain *
begun_chain(SessionFilters *filters)
{
    if (!filters->begun)
        session_filters_begin(filters, 0, 0);
    return filters->chain;
}

FilterResult
session_filters_connect(SessionFilters *filters, const char *name, MilterFamily family, guint port,
                        const char *address)
{
    if (filters == NULL)
        return go_on;
    return filter_chain_connect(begun_chain(filters), name, family, (guint16)port, address);
}

FilterResult
session_filters_helo(SessionFilters *filters, const char *helo)
{
    return filters != NULL ? filter_chain_helo(begun_chain(filters), helo) : go_on;
}

FilterResult
session_filters_mail(SessionFilters *filters, const char *const *arguments)
{
    return filters != NULL ? filter_chain_mail(begun_chain(filters), arguments) : go_on;
}

FilterResult
session_filters_rcpt(SessionFilters *filters, const char *const *arguments, gboolean refused)
{
    return filters != NULL ? filter_chain_rcpt(begun_chain(filters), arguments, refused) : go_on;
}

FilterResult
session_filters_data(SessionFilters *filters)
{
    return filters != NULL ? filter_chain_data(filters->chain) : go_on;
}

FilterResult
session_filters_unknown(SessionFilters *filters, const char *line)
{
    return filters != NULL ? filter_chain_unknown(begun_chain(filters), line) : go_on;
}

gboolean
session_filters_want_more(const SessionFilters *filters)
{
    return filters != NULL && filter_chain_is_in(filters->chain);
}

/* Where what `unwanted` says is kept; NULL: no filter will want it. */
static HeldMessage *
held(SessionFilters *filters, guint32 unwanted)
{
    if (!session_filters_want_more(filters) || filters->steps & unwanted)
        return NULL;
    if (filters->message == NULL)
        filters->message = held_message_new(filters->memory_limit);
    return filters->message;
}

gboolean
session_filters_leading_space(const SessionFilters *filters)
{
    return filters != NULL && filters->steps & MILTER_STEP_HDR_LEADSPC;
}

void
session_filters_header(SessionFilters *filters, const char *name, const char *value)
{
    HeldMessage *message = held(filters, MILTER_STEP_NOHDRS);
    if (message == NULL)
        return;
    if (session_filters_leading_space(filters)) {
        held_message_header(message, name, value);
    } else {
        g_autofree char *spaced = g_strconcat(" ", value, NULL);
        held_message_header(message, name, spaced);
    }
}

void
session_filters_body(SessionFilters *filters, const char *octets, gsize count)
{
    HeldMessage *message = held(filters, MILTER_STEP_NOBODY);
    if (message != NULL)
        held_message_body(message, octets, count);
}

FilterResult
session_filters_message(SessionFilters *filters, ChangeList *changes)
{
    HeldMessage *message = held(filters, 0);
    if (message == NULL)
        return go_on;
    for (guint i = 0; i < change_list_count(changes); i++)
        held_message_change(message, change_list_get(changes, i));
    FilterResult result = filter_chain_message(filters->chain, message, changes);
    held_message_put_deletions_last(message, changes);
    return result;
}

Spool *
session_filters_new_body(const SessionFilters *filters)
{
    if (filters == NULL || filters->message == NULL || !held_message_body_changed(filters->message))
        return NULL;
    return held_message_get_body(filters->message);
}

void
session_filters_end_message(SessionFilters *filters)
{
    if (filters == NULL)
        return;
    filter_chain_abort(filters->chain);
    g_clear_pointer(&filters->message, held_message_free);
}
