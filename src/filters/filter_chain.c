/*
 * filter_chain: the filters of one connection from the MTA, in their order.
 */
#include "filters/filter_chain.h"

#include <poll.h>

#include "base/clock.h"
#include "filters/filter_message.h"
#include "filters/filter_needs.h"

struct FilterChain {
    guint count;
    FilterClient **clients;
    FilterState **states;
    FilterHost host;
    MilterNegotiation offer;
    GString *asked_macros; /* by any of them, at any stage */
    GString *packet;       /* the command that is being told */
};

FilterChain *
filter_chain_new(const PolicyFilter *const *filters, guint count, FilterStates *states,
                 const FilterHost *host)
{
    FilterChain *chain = g_new0(FilterChain, 1);
    chain->count = count;
    chain->host = *host;
    chain->clients = g_new0(FilterClient *, count);
    chain->states = g_new0(FilterState *, count);
    chain->packet = g_string_new(NULL);
    chain->asked_macros = g_string_new(NULL);
    chain->host.asked_macros = "";
    for (guint i = 0; i < count; i++) {
        chain->states[i] = filter_states_get(states, filters[i]->socket);
        chain->clients[i] = filter_client_new(filters[i], chain->states[i], &chain->host);
    }
    return chain;
}

void
filter_chain_free(FilterChain *chain)
{
    if (chain == NULL)
        return;
    for (guint i = 0; i < chain->count; i++)
        filter_client_free(chain->clients[i]);
    g_free(chain->clients);
    g_free(chain->states);
    milter_negotiation_clear(&chain->offer);
    g_string_free(chain->packet, TRUE);
    g_string_free(chain->asked_macros, TRUE);
    g_free(chain);
}

/* ---- negotiating ----------------------------------------------------------------------------- */

/* How many still wait, and until when at most. `polled`: one for each client. */
static guint
collect_waiting(const FilterChain *chain, struct pollfd *polled, gint64 *until_us)
{
    guint waiting = 0;
    *until_us = G_MAXINT64;
    for (guint i = 0; i < chain->count; i++) {
        gint64 one_us;
        polled[i] = (struct pollfd){.fd = -1};
        if (!filter_client_wait(chain->clients[i], &polled[i], &one_us))
            continue;
        *until_us = MIN(*until_us, one_us);
        waiting++;
    }
    return waiting;
}

static void
connect_all(FilterChain *chain)
{
    g_autofree struct pollfd *polled = g_new(struct pollfd, chain->count + 1);
    gint64 until_us;
    for (guint i = 0; i < chain->count; i++)
        filter_client_start(chain->clients[i], &chain->offer);
    while (collect_waiting(chain, polled, &until_us) > 0) {
        gint64 left_us = MAX(until_us - clock_monotonic_us(), 0);
        if (poll(polled, chain->count, (int)MIN((left_us + 999) / 1000, G_MAXINT)) < 0)
            for (guint i = 0; i < chain->count; i++)
                polled[i].revents = 0;
        for (guint i = 0; i < chain->count; i++)
            filter_client_go_on(chain->clients[i], polled[i].revents);
    }
}

/* What one filter asks for: now, the last time, or all there is. `macros` is cleared by the
 * caller. */
static void
needs_of(const FilterChain *chain, guint i, MilterNegotiation *needs)
{
    const MilterNegotiation *negotiated = filter_client_negotiated(chain->clients[i]);
    *needs = (MilterNegotiation){0};
    if (negotiated != NULL) {
        needs->actions = negotiated->actions;
        needs->steps = negotiated->steps;
        for (guint stage = 0; stage < MILTER_STAGES; stage++)
            needs->macros[stage] = g_strdup(negotiated->macros[stage]);
        return;
    }
    if (!filter_state_needs(chain->states[i], &needs->actions, &needs->steps, needs->macros)) {
        needs->actions = MILTER_ACTIONS_V6;
        needs->steps = MILTER_STEP_RCPT_REJ;
    }
    if (filter_client_is_in(chain->clients[i]))
        needs->steps &= ~(guint32)(MILTER_STEP_NOMAIL | MILTER_STEP_NR_MAIL);
}

static void
collect_asked_macros(FilterChain *chain)
{
    for (guint i = 0; i < chain->count; i++) {
        g_auto(MilterNegotiation) needs = {0};
        needs_of(chain, i, &needs);
        for (guint stage = 0; stage < MILTER_STAGES; stage++)
            filter_needs_add_macros(chain->asked_macros, needs.macros[stage]);
    }
    chain->host.asked_macros = chain->asked_macros->str;
}

void
filter_chain_begin(FilterChain *chain, guint32 actions, guint32 steps)
{
    chain->offer = (MilterNegotiation){
        .version = filter_needs_version(actions, steps),
        .actions = actions & MILTER_ACTIONS_V6,
        .steps = steps & MILTER_STEPS_V6,
    };
    connect_all(chain);
    collect_asked_macros(chain);
}

guint32
filter_chain_actions(const FilterChain *chain)
{
    guint32 actions = 0;
    for (guint i = 0; i < chain->count; i++) {
        g_auto(MilterNegotiation) needs = {0};
        needs_of(chain, i, &needs);
        actions |= needs.actions;
    }
    return actions & chain->offer.actions;
}

guint32
filter_chain_steps(const FilterChain *chain)
{
    /* Nobody wants anything, to begin with. */
    guint32 steps = MILTER_STEPS_NO | MILTER_STEPS_NR;
    for (guint i = 0; i < chain->count; i++) {
        g_auto(MilterNegotiation) needs = {0};
        needs_of(chain, i, &needs);
        steps = filter_needs_join(steps, needs.steps);
    }
    steps |= MILTER_STEP_NR_HDR | MILTER_STEP_NR_EOH | MILTER_STEP_NR_BODY;
    steps |= MILTER_STEP_HDR_LEADSPC;
    return steps & ~(guint32)MILTER_STEP_SKIP & chain->offer.steps;
}

char *
filter_chain_macros(const FilterChain *chain, MilterStage stage, const char *own)
{
    const char *defaults = filter_needs_default_macros(stage);
    g_autoptr(GString) wanted = g_string_new(NULL);
    gboolean any_does = FALSE;
    filter_needs_add_macros(wanted, own);
    for (guint i = 0; i < chain->count; i++) {
        g_auto(MilterNegotiation) needs = {0};
        needs_of(chain, i, &needs);
        filter_needs_add_macros(wanted, needs.macros[stage]);
        any_does |= needs.macros[stage] == NULL;
    }
    if (wanted->len == 0 || (any_does && filter_needs_has_macros(defaults, wanted->str)))
        return NULL;
    if (any_does)
        filter_needs_add_macros(wanted, defaults);
    return g_strdup(wanted->str);
}

FilterStanding
filter_chain_standing(const FilterChain *chain, guint i)
{
    const FilterClient *client = chain->clients[i];
    const MilterNegotiation *negotiated = filter_client_negotiated(client);
    FilterStanding standing = {
        .filter = filter_client_filter(client),
        .negotiated = negotiated != NULL,
        .failure = filter_client_failure(client),
    };
    if (negotiated == NULL)
        return standing;
    standing.version = negotiated->version;
    standing.actions = negotiated->actions;
    standing.steps = negotiated->steps;
    for (guint stage = 0; stage < MILTER_STAGES; stage++)
        standing.macros[stage] = negotiated->macros[stage];
    return standing;
}

/* ---- events ---------------------------------------------------------------------------------- */

gboolean
filter_chain_is_in(const FilterChain *chain)
{
    for (guint i = 0; i < chain->count; i++)
        if (filter_client_is_in(chain->clients[i]))
            return TRUE;
    return FALSE;
}

static gboolean
lets_on(FilterVerdict verdict)
{
    return verdict == FILTER_VERDICT_CONTINUE || verdict == FILTER_VERDICT_ACCEPT;
}

static FilterResult
passed(const FilterChain *chain, gint64 begun_us)
{
    return (FilterResult){
        .verdict = filter_chain_is_in(chain) ? FILTER_VERDICT_CONTINUE : FILTER_VERDICT_ACCEPT,
        .spent_us = clock_monotonic_us() - begun_us,
    };
}

static FilterResult
stopped(const FilterClient *client, FilterVerdict verdict, gboolean asked, gint64 begun_us)
{
    FilterResult result = {
        .verdict = verdict,
        .filter = filter_client_filter(client),
        .repeated = !asked,
        .spent_us = clock_monotonic_us() - begun_us,
    };
    if (verdict == FILTER_VERDICT_REPLY) {
        result.reply = filter_client_reply(client)->str;
        result.reply_length = filter_client_reply(client)->len;
    }
    if (verdict == FILTER_VERDICT_FAILED) {
        result.on_failure = filter_client_on_failure(client);
        result.failure = filter_client_failure(client);
    }
    return result;
}

/* `asked_for`: MILTER_STEP_* that a filter must have asked for to be told. */
static FilterResult
tell_those(FilterChain *chain, MilterCommandCode code, guint32 asked_for)
{
    gint64 begun_us = clock_monotonic_us();
    for (guint i = 0; i < chain->count; i++) {
        FilterClient *client = chain->clients[i];
        const MilterNegotiation *negotiated = filter_client_negotiated(client);
        gboolean asked;
        if (asked_for != 0 && (negotiated == NULL || (asked_for & ~negotiated->steps) != 0))
            continue;
        FilterVerdict verdict = filter_client_tell(client, code, chain->packet, &asked);
        if (!lets_on(verdict))
            return stopped(client, verdict, asked, begun_us);
    }
    return passed(chain, begun_us);
}

static FilterResult
tell_all(FilterChain *chain, MilterCommandCode code)
{
    return tell_those(chain, code, 0);
}

static GString *
new_packet(FilterChain *chain)
{
    return g_string_truncate(chain->packet, 0);
}

FilterResult
filter_chain_connect(FilterChain *chain, const char *host_name, MilterFamily family, guint16 port,
                     const char *address)
{
    milter_command_append_connect(new_packet(chain), host_name, family, port, address);
    return tell_all(chain, MILTER_COMMAND_CONNECT);
}

FilterResult
filter_chain_helo(FilterChain *chain, const char *name)
{
    milter_command_append_helo(new_packet(chain), name);
    return tell_all(chain, MILTER_COMMAND_HELO);
}

FilterResult
filter_chain_mail(FilterChain *chain, const char *const *arguments)
{
    filter_chain_abort(chain);
    milter_command_append_address(new_packet(chain), MILTER_COMMAND_MAIL, arguments);
    return tell_all(chain, MILTER_COMMAND_MAIL);
}

FilterResult
filter_chain_rcpt(FilterChain *chain, const char *const *arguments, gboolean refused)
{
    milter_command_append_address(new_packet(chain), MILTER_COMMAND_RCPT, arguments);
    return tell_those(chain, MILTER_COMMAND_RCPT, refused ? MILTER_STEP_RCPT_REJ : 0);
}

FilterResult
filter_chain_data(FilterChain *chain)
{
    milter_command_append(new_packet(chain), MILTER_COMMAND_DATA);
    return tell_all(chain, MILTER_COMMAND_DATA);
}

FilterResult
filter_chain_unknown(FilterChain *chain, const char *line)
{
    milter_command_append_unknown(new_packet(chain), line);
    return tell_all(chain, MILTER_COMMAND_UNKNOWN);
}

/* ---- the message ----------------------------------------------------------------------------- */

/* FALSE: there is no room for what it made of the message, which cannot go on then. */
static gboolean
commit(HeldMessage *message, ChangeList *all, ChangeList *own)
{
    if (change_list_count(own) == 0)
        return TRUE;
    for (guint i = 0; i < change_list_count(own); i++)
        held_message_change(message, change_list_get(own, i));
    change_list_move(all, own);
    return held_message_gap(message) == NULL;
}

static FilterResult
no_room(FilterClient *client, const HeldMessage *message, gint64 begun_us)
{
    FilterVerdict verdict = filter_client_give_up(client, held_message_gap(message));
    return stopped(client, verdict, TRUE, begun_us);
}

static FilterResult
show_to_all(FilterChain *chain, HeldMessage *message, ChangeList *changes)
{
    gint64 begun_us = clock_monotonic_us();
    for (guint i = 0; i < chain->count; i++) {
        FilterClient *client = chain->clients[i];
        g_autoptr(ChangeList) own = change_list_new();
        gboolean asked;
        FilterVerdict verdict = filter_message_show(client, message, own, &asked);
        if (!lets_on(verdict))
            return stopped(client, verdict, asked, begun_us);
        if (filter_client_negotiated(client) != NULL && !commit(message, changes, own))
            return no_room(client, message, begun_us);
        if (i + 1 < chain->count)
            filter_host_progress(&chain->host);
    }
    return passed(chain, begun_us);
}

FilterResult
filter_chain_message(FilterChain *chain, HeldMessage *message, ChangeList *changes)
{
    chain->host.progressed_us = clock_monotonic_us();
    FilterResult result = show_to_all(chain, message, changes);
    filter_chain_abort(chain);
    return result;
}

void
filter_chain_abort(FilterChain *chain)
{
    for (guint i = 0; i < chain->count; i++)
        filter_client_abort(chain->clients[i]);
}
