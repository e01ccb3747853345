/*
 * try_filters: the filters of a policy, really asked about a session that is tried.
 *
 * They are told what an MTA would tell them, with macros made of what is known. One owner.
 */
#pragma once

#include "engine/engine.h"
#include "engine/facts.h"
#include "filters/filter_chain.h"
#include "replyctl/try_options.h"

/* What one filter had to say at one point. */
typedef struct {
    const char *filter; /* belongs to the policy */
    FilterVerdict verdict;
    char *failure;      /* FAILED: what happened; else NULL */
    guint change_count; /* at the end of the message */
    GPtrArray *changes; /* of Change: what it wants done to the message; owned by the filters */
    gint64 spent_us;
} TryHeard;

typedef struct TryFilters TryFilters;

/* Connects to them. The policy and the options must outlive it. */
TryFilters *try_filters_new(const Policy *policy, const TryOptions *options);
void try_filters_free(TryFilters *filters);

/*
 * Asks them at a point, and where one refuses, holds or discards decides about it: its name is
 * returned, which belongs to the policy, and the decision, which was initialised, is made. Else
 * NULL. `heard` gets a TryHeard for each that spoke; it must be let go before the filters are.
 * `recipient` at RCPT.
 */
const char *try_filters_ask(TryFilters *filters, CheckPoint point, const char *recipient,
                            Facts *facts, const EngineMoment *moment, GPtrArray *heard,
                            Decision *decision);

/* An array for TryHeard, which it owns. */
GPtrArray *try_heard_new(void);
