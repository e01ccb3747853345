/*
 * rule_index: which of many rules are worth trying on a reply.
 *
 * Of each rule's conditions one that says most is looked up: an exact value in a table, a glob or a
 * regular expression by a part of it that must occur (gram_index.h). A rule that is not found does
 * not match for certain; one that is found still has to be tried. So the time for a reply depends
 * on the rules that are likely, not on all of them.
 *
 * Immutable; any thread may ask.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct RuleIndex RuleIndex;

/* `rules`: of PolicyRule *; they are not kept. */
RuleIndex *rule_index_new(const GPtrArray *rules);
void rule_index_free(RuleIndex *index);

/* See policy_likely_rules(). */
GArray *rule_index_find(const RuleIndex *index, PolicyFactValues values, gpointer data);
