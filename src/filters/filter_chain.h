/*
 * filter_chain: the filters of one connection from the MTA, in their order.
 *
 * What the MTA tells us is told to each filter in turn, and the first one that refuses ends that
 * event: those behind it do not see it. At the end of a message each filter is shown it as those
 * before left it. A filter that accepts is out, for the message or (at connect and HELO) for the
 * connection, and the others still decide. One that fails is out for the connection, its socket
 * closed; what then happens is its on_failure. Nothing here knows of the engine, of events or of
 * libmilter: whoever calls turns a refusal into a decision.
 *
 * Calls block, at most for the timeouts of the filters that they ask. Threads: one at a time for a
 * chain; chains share nothing but their FilterStates.
 */
#pragma once

#include <glib.h>

#include "filters/change.h"
#include "filters/filter_client.h"
#include "filters/filter_state.h"
#include "filters/held_message.h"
#include "policy/policy.h"
#include "wire/milter_command.h"
#include "wire/milter_negotiation.h"

typedef struct FilterChain FilterChain;

/* What is borrowed belongs to the chain until its next call. */
typedef struct {
    FilterVerdict verdict;
    const PolicyFilter *filter; /* whose verdict it is; NULL with CONTINUE and ACCEPT */
    const char *reply;          /* REPLY: exactly as it came, and a NUL behind it; else NULL */
    gsize reply_length;         /* which may have NULs in it, and may be 0 */
    FilterFailure on_failure;   /* FAILED: TEMPFAIL or REJECT */
    const char *failure;        /* FAILED: what happened, for the log; else NULL */
    gboolean repeated;          /* the filter has refused the connection before, or has failed
                                 * before: it was not asked now */
    gint64 spent_us;            /* by all filters at this event */
} FilterResult;

/*
 * `filters`: `count` of them, which must outlive the chain (as in a pinned policy), as must
 * `states`. `host` is copied. Nothing is connected yet.
 */
FilterChain *filter_chain_new(const PolicyFilter *const *filters, guint count, FilterStates *states,
                              const FilterHost *host);

/* Tells the filters that the connection is over (ABORT, QUIT), waits for none. NULL is fine. */
void filter_chain_free(FilterChain *chain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FilterChain, filter_chain_free)

/*
 * Connects to all filters at once and negotiates with each. `actions` and `steps`: what the MTA
 * offers (MILTER_ACTION_*, MILTER_STEP_*), and the filters are offered the same. Once, before all
 * others.
 */
void filter_chain_begin(FilterChain *chain, guint32 actions, guint32 steps);

/*
 * Behind begin: what the filters need of what the MTA offered, all of them together. `actions`:
 * those that any of them uses. `steps`: NO* only if no filter wants the command; NR_* if none
 * answers it, and always for headers, their end and the body, which are held until the end of the
 * message; SKIP never; RCPT_REJ and HDR_LEADSPC. A filter that cannot be reached counts with what
 * it last asked for, else with everything; MAIL is then answered. Two needs are joined by
 * filter_needs_join() (filter_needs.h).
 */
guint32 filter_chain_actions(const FilterChain *chain);
guint32 filter_chain_steps(const FilterChain *chain);

/*
 * The macros to ask the MTA for at a stage, between spaces, for all filters and `own` (names in the
 * same form; may be NULL). NULL: ask for none: what the MTA sends by itself holds all of them. The
 * caller frees it.
 */
char *filter_chain_macros(const FilterChain *chain, MilterStage stage, const char *own);

/* `address`: NULL with MILTER_FAMILY_UNKNOWN. */
FilterResult filter_chain_connect(FilterChain *chain, const char *host_name, MilterFamily family,
                                  guint16 port, const char *address);
FilterResult filter_chain_helo(FilterChain *chain, const char *name);

/* `arguments`: the address as the MTA gives it, ESMTP arguments, NULL. A message that is under way
 * is aborted first. */
FilterResult filter_chain_mail(FilterChain *chain, const char *const *arguments);

/*
 * `refused`: the MTA itself has refused this recipient, and only filters that asked for such are
 * told. What they answer means nothing for the recipient: then do not use the result, but the
 * state of the chain has changed as the MTA's would have.
 */
FilterResult filter_chain_rcpt(FilterChain *chain, const char *const *arguments, gboolean refused);

FilterResult filter_chain_data(FilterChain *chain);

/* A command that SMTP does not have, without its line's end. */
FilterResult filter_chain_unknown(FilterChain *chain, const char *line);

/*
 * The whole message, at its end. Each filter that is still in gets headers, end of headers, body
 * and end of message. `message` becomes what they made of it. `changes`: what they asked for, in
 * order, is added to it: of those filters only that gave a verdict, and to be used only with
 * CONTINUE and ACCEPT; a new body is in the message (held_message_body_changed()). A message that
 * is not whole (held_message_gap()) is shown to nobody, and put off: FAILED, by the filter that was
 * to see it, whatever its on_failure.
 * The transaction is over then, whatever the verdict.
 */
FilterResult filter_chain_message(FilterChain *chain, HeldMessage *message, ChangeList *changes);

/* The transaction has ended otherwise: RSET, a refusal, the client is gone. Without one: nothing.
 * Waits for no filter. */
void filter_chain_abort(FilterChain *chain);

/* How a filter stands now, for those who ask (`replyctl check`). */
typedef struct {
    const PolicyFilter *filter;
    gboolean negotiated;               /* these hold: */
    guint32 version;                   /* of the protocol */
    guint32 actions;                   /* MILTER_ACTION_* that it may use */
    guint32 steps;                     /* MILTER_STEP_* */
    const char *macros[MILTER_STAGES]; /* NULL: it asked for none of its own choice */
    const char *failure;               /* what happened to it, or NULL; belongs to the chain */
} FilterStanding;

FilterStanding filter_chain_standing(const FilterChain *chain, guint i);

/* Does any filter want to be told more of this message? FALSE as with FILTER_VERDICT_ACCEPT. */
gboolean filter_chain_is_in(const FilterChain *chain);
