/*
 * session_filters: the filters behind one session of the milter door: their chain, the message that
 * is held for them, and what is to be done to it.
 *
 * Only the protocol: what a refusal becomes is the session's. NULL stands for a policy without
 * filters and is fine everywhere. Threads: one owner.
 */
#pragma once

#include "filters/filter_chain.h"
#include "policy/policy.h"

typedef struct SessionFilters SessionFilters;

/* NULL: the policy has no filters. Both must outlive it; `host` is copied. */
SessionFilters *session_filters_new(const Policy *policy, FilterStates *states,
                                    const FilterHost *host);
void session_filters_free(SessionFilters *filters);

/* What the MTA offers, and then what to ask of it: what we need by ourselves together with what the
 * filters need. An MTA that does not negotiate offers nothing. Once, before all others. */
void session_filters_begin(SessionFilters *filters, guint32 offered_actions, guint32 offered_steps);
guint32 session_filters_actions(const SessionFilters *filters, guint32 own);
guint32 session_filters_steps(const SessionFilters *filters, guint32 own);

/* The macros to ask for at a stage; NULL: none. `own`: the names that we need. The caller frees
 * them. */
char *session_filters_macros(const SessionFilters *filters, MilterStage stage, const char *own);

/* As in filters/filter_chain.h; CONTINUE where there are no filters. */
FilterResult session_filters_connect(SessionFilters *filters, const char *name, MilterFamily family,
                                     guint port, const char *address);
FilterResult session_filters_helo(SessionFilters *filters, const char *helo);
FilterResult session_filters_mail(SessionFilters *filters, const char *const *arguments);
FilterResult session_filters_rcpt(SessionFilters *filters, const char *const *arguments,
                                  gboolean refused);
FilterResult session_filters_data(SessionFilters *filters);
FilterResult session_filters_unknown(SessionFilters *filters, const char *line);

/* Does any of them want to be told more of this message? */
gboolean session_filters_want_more(const SessionFilters *filters);

/* A part of the message as libmilter gives it: kept if a filter will want it. */
void session_filters_header(SessionFilters *filters, const char *name, const char *value);
void session_filters_body(SessionFilters *filters, const char *octets, gsize count);

/* The end of the message. `changes`: our own, which the filters see done; theirs are added. */
FilterResult session_filters_message(SessionFilters *filters, ChangeList *changes);

/* Behind it: the body that a filter has put in the place of the message's, or NULL. */
Spool *session_filters_new_body(const SessionFilters *filters);

/* Does the MTA take header values with the space behind the colon? */
gboolean session_filters_leading_space(const SessionFilters *filters);

/* The message is over, however it ended. May be called twice. */
void session_filters_end_message(SessionFilters *filters);
