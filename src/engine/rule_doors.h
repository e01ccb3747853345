/*
 * rule_doors: at which doors a rule works in full, in part, or never.
 *
 * For `replyctl check`: what a rule asks for, held against what each door knows (a table query
 * carries the reply's text and nothing else) and what it can say. Pure; threads: any.
 */
#pragma once

#include "engine/facts.h"
#include "policy/policy.h"

typedef enum {
    RULE_REACH_FULL,
    RULE_REACH_PART,
    RULE_REACH_NEVER,
} RuleReach;

/*
 * `why`, which may be NULL, gets the reasons in one line ("client is not known"; NULL if in full).
 * The caller frees it. DOOR_COMMAND knows what it is told: in full.
 */
RuleReach rule_reach(const PolicyRule *rule, Door door, char **why);

/* "in full", "in part", "never". */
const char *rule_reach_name(RuleReach reach);
