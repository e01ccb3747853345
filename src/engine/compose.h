/*
 * compose: makes what is said out of what was chosen, as each kind of door can say it.
 *
 * A full reply for the milter, the filters and the reject table; added lines for the footer table;
 * one line of text behind a status for the delivery table; a template for the rbl table. Threads:
 * any, each with its own Decision.
 */
#pragma once

#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/facts.h"
#include "engine/lint.h"

/* Who speaks, and how. */
typedef struct {
    const PolicyRule *rule; /* NULL: the default */
    ReplyMode mode;
    Disclosure disclosure;
    MatchCaptures captures;
} Choice;

/* For the repair of what is said at that door. */
LintContext compose_lint_context(const Facts *facts, const Classification *cause,
                                 gboolean hangup_intended);

/* Fills the decision, which holds original and cause; it stays VERDICT_PASS if nothing changes. */
void compose_decision(const Policy *policy, const Facts *facts, const Choice *choice,
                      const EngineMoment *moment, Decision *decision);

/* The reply of a check, likewise. */
void compose_refusal(const Policy *policy, const Facts *facts, const PolicyCheck *check,
                     const MatchCaptures *captures, const EngineMoment *moment, Decision *decision);
