/*
 * try_filters: the filters of a policy, really asked about a session that is tried.
 */
#include "replyctl/try_filters.h"
#include "build_config.h"

#include <string.h>

#include "engine/filter_reply.h"
#include "replyctl/try_held.h"

struct TryFilters {
    const Policy *policy;
    const TryOptions *options;
    FilterStates *states;
    FilterChain *chain;
    GHashTable *macros; /* name -> value */
    GPtrArray *heard;   /* what is being collected; borrowed */
    ChangeList *changes;
    guint changes_taken; /* of them, by filters that have been heard */
};

/* ---- what they are told ------------------------------------------------------------------------
 */

static const char *
macro(gpointer data, const char *name)
{
    const TryFilters *filters = data;
    g_autofree char *bare = name[0] == '{' ? g_strndup(name + 1, strcspn(name + 1, "}")) : NULL;
    return g_hash_table_lookup(filters->macros, bare != NULL ? bare : name);
}

/* NULL: it has no value. */
static void
set_macro(TryFilters *filters, const char *name, const char *value)
{
    if (value != NULL)
        g_hash_table_replace(filters->macros, g_strdup(name), g_strdup(value));
}

static void
set_macros(TryFilters *filters)
{
    const TryOptions *options = filters->options;
    const char *host = g_get_host_name();
    const char *client = options->client != NULL ? options->client : "127.0.0.1";
    const char *name = options->client_name != NULL ? options->client_name : "unknown";
    g_autofree char *both = g_strdup_printf("%s [%s]", name, client);
    set_macro(filters, "j", host);
    set_macro(filters, "_", both);
    set_macro(filters, "v", "replyctl " PACKAGE_VERSION);
    set_macro(filters, "daemon_name", options->daemon != NULL ? options->daemon : host);
    set_macro(filters, "client_addr", options->client);
    set_macro(filters, "client_name", name);
    set_macro(filters, "client_ptr", name);
    set_macro(filters, "client_port", "25");
    set_macro(filters, "tls_version", options->tls);
    set_macro(filters, "auth_authen", options->auth_user);
    set_macro(filters, "auth_type", options->auth_user != NULL ? "PLAIN" : NULL);
    set_macro(filters, "mail_addr", options->sender);
    set_macro(filters, "mail_mailer", "smtp");
    set_macro(filters, "rcpt_mailer", "local");
    set_macro(filters, "i", options->queue_id != NULL ? options->queue_id : "TRY");
}

static void
heard_free(gpointer data)
{
    TryHeard *heard = data;
    g_free(heard->failure);
    g_ptr_array_unref(heard->changes);
    g_free(heard);
}

GPtrArray *
try_heard_new(void)
{
    return g_ptr_array_new_with_free_func(heard_free);
}

/* How many changes it wants is known now, which they are when all have been asked. */
static void
hear(gpointer data, const FilterNews *news)
{
    TryFilters *filters = data;
    if (news->stage == MILTER_COMMAND_OPTNEG && news->verdict != FILTER_VERDICT_FAILED)
        return;
    TryHeard *heard = g_new0(TryHeard, 1);
    heard->filter = news->filter->name;
    heard->verdict = news->verdict;
    heard->failure = g_strdup(news->failure);
    heard->spent_us = news->spent_us;
    heard->changes = g_ptr_array_new();
    heard->change_count = news->verdict == FILTER_VERDICT_FAILED ? 0 : news->changes;
    g_ptr_array_add(filters->heard, heard);
}

TryFilters *
try_filters_new(const Policy *policy, const TryOptions *options)
{
    TryFilters *filters = g_new0(TryFilters, 1);
    guint count = policy_filter_count(policy);
    g_autofree const PolicyFilter **list = g_new(const PolicyFilter *, count);
    const FilterHost host = {.macro = macro,
                             .heard = hear,
                             .data = filters,
                             .memory_limit = policy_settings(policy)->limits.memory};
    for (guint i = 0; i < count; i++)
        list[i] = policy_filter(policy, i);
    filters->policy = policy;
    filters->options = options;
    filters->macros = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    filters->changes = change_list_new();
    filters->states = filter_states_new();
    filters->chain = filter_chain_new(list, count, filters->states, &host);
    set_macros(filters);
    return filters;
}

void
try_filters_free(TryFilters *filters)
{
    if (filters == NULL)
        return;
    filter_chain_free(filters->chain);
    filter_states_free(filters->states);
    change_list_free(filters->changes);
    g_hash_table_unref(filters->macros);
    g_free(filters);
}

static FilterResult
tell_connect(TryFilters *filters)
{
    const TryOptions *options = filters->options;
    const char *name = options->client_name != NULL ? options->client_name : "unknown";
    filter_chain_begin(filters->chain, MILTER_ACTIONS_V6, MILTER_STEPS_V6);
    if (options->client == NULL)
        return filter_chain_connect(filters->chain, name, MILTER_FAMILY_UNKNOWN, 0, NULL);
    gboolean six = strchr(options->client, ':') != NULL;
    return filter_chain_connect(
        filters->chain, name, six ? MILTER_FAMILY_INET6 : MILTER_FAMILY_INET, 25, options->client);
}

/* As in the command, in brackets. */
static FilterResult
tell_address(TryFilters *filters, CheckPoint point, const char *address)
{
    gboolean bracketed = address[0] == '<';
    g_autofree char *path = bracketed ? g_strdup(address) : g_strdup_printf("<%s>", address);
    gboolean utf8 = point == CHECK_POINT_MAIL && filters->options->smtputf8;
    const char *const arguments[] = {path, utf8 ? "SMTPUTF8" : NULL, NULL};
    if (point == CHECK_POINT_MAIL)
        return filter_chain_mail(filters->chain, arguments);
    set_macro(filters, "rcpt_addr", address);
    return filter_chain_rcpt(filters->chain, arguments, FALSE);
}

static FilterResult
tell_message(TryFilters *filters)
{
    g_autoptr(HeldMessage) message = try_held_new(filters->options, filters->policy);
    return filter_chain_message(filters->chain, message, filters->changes);
}

static FilterResult
tell(TryFilters *filters, CheckPoint point, const char *recipient)
{
    const TryOptions *options = filters->options;
    switch (point) {
    case CHECK_POINT_CONNECT:
        return tell_connect(filters);
    case CHECK_POINT_HELO:
        return filter_chain_helo(filters->chain, options->helo != NULL ? options->helo : "unknown");
    case CHECK_POINT_MAIL:
        return tell_address(filters, point, options->sender);
    case CHECK_POINT_RCPT:
        return tell_address(filters, point, recipient);
    case CHECK_POINT_DATA:
        return filter_chain_data(filters->chain);
    case CHECK_POINT_EOM:
        return tell_message(filters);
    default:
        return (FilterResult){.verdict = FILTER_VERDICT_CONTINUE};
    }
}

/* ---- what is made of it ------------------------------------------------------------------------
 */

static FilterAnswer
answer_of(const FilterResult *result)
{
    static const FilterAnswerKind kinds[] = {
        [FILTER_VERDICT_REPLY] = FILTER_ANSWER_REPLY,
        [FILTER_VERDICT_REJECT] = FILTER_ANSWER_REJECT,
        [FILTER_VERDICT_TEMPFAIL] = FILTER_ANSWER_TEMPFAIL,
        [FILTER_VERDICT_SHUTDOWN] = FILTER_ANSWER_SHUTDOWN,
        [FILTER_VERDICT_CONN_FAIL] = FILTER_ANSWER_CONN_FAIL,
        [FILTER_VERDICT_FAILED] = FILTER_ANSWER_FAILED_TEMPFAIL,
    };
    FilterAnswer answer = {.kind = kinds[result->verdict],
                           .filter = result->filter->name,
                           .text = result->reply,
                           .length = result->reply_length,
                           .spent_us = result->spent_us};
    if (result->verdict == FILTER_VERDICT_FAILED && result->on_failure == FILTER_FAILURE_REJECT)
        answer.kind = FILTER_ANSWER_FAILED_REJECT;
    return answer;
}

/* In the order in which they were heard. One that then was not to be had in the end has none. */
static void
share_out_changes(TryFilters *filters)
{
    for (guint i = 0; i < filters->heard->len; i++) {
        TryHeard *heard = g_ptr_array_index(filters->heard, i);
        for (guint k = 0; k < heard->change_count; k++)
            if (filters->changes_taken < change_list_count(filters->changes))
                g_ptr_array_add(heard->changes,
                                change_list_get(filters->changes, filters->changes_taken++));
    }
}

static const TryHeard *
who_holds(const TryFilters *filters, const char **reason)
{
    for (guint i = 0; i < filters->heard->len; i++) {
        const TryHeard *heard = g_ptr_array_index(filters->heard, i);
        for (guint k = 0; k < heard->changes->len; k++) {
            const Change *change = g_ptr_array_index(heard->changes, k);
            *reason = change->reason;
            if (change->kind == CHANGE_QUARANTINE)
                return heard;
        }
    }
    return NULL;
}

/* Who has decided; NULL: nobody. */
static const char *
decide(TryFilters *filters, const FilterResult *result, Facts *facts, const EngineMoment *moment,
       Decision *decision)
{
    const char *reason = NULL;
    gboolean goes_on =
        result->verdict == FILTER_VERDICT_CONTINUE || result->verdict == FILTER_VERDICT_ACCEPT;
    const TryHeard *holder = goes_on ? who_holds(filters, &reason) : NULL;
    const char *name = holder != NULL ? holder->filter : goes_on ? NULL : result->filter->name;
    if (name == NULL)
        return NULL;
    if (goes_on || result->verdict == FILTER_VERDICT_DISCARD) {
        filter_reply_act(filters->policy, facts, name,
                         goes_on ? VERDICT_QUARANTINE : VERDICT_DISCARD, reason, result->spent_us,
                         decision);
        return name;
    }
    FilterAnswer answer = answer_of(result);
    filter_reply_decide(filters->policy, facts, &answer, moment, decision);
    decision->verdict = VERDICT_REPLY; /* it is said, changed or not */
    return name;
}

const char *
try_filters_ask(TryFilters *filters, CheckPoint point, const char *recipient, Facts *facts,
                const EngineMoment *moment, GPtrArray *heard, Decision *decision)
{
    filters->heard = heard;
    FilterResult result = tell(filters, point, recipient);
    share_out_changes(filters);
    const char *name = decide(filters, &result, facts, moment, decision);
    if (name != NULL)
        filter_reply_leave(facts);
    filters->heard = NULL;
    return name;
}
