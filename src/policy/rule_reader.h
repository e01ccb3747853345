/*
 * rule_reader: replies.rules and checks of a policy file, each entry checked by itself.
 *
 * What a whole check can do at its point is check_plan.h's. One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"

void policy_rule_free(gpointer rule);
void policy_check_free(gpointer check);

/* Adds a PolicyRule * for each good entry of replies.rules; whatever is wrong becomes a problem. */
void rules_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
                GPtrArray *rules);

/* Likewise a PolicyCheck * for each entry of checks. */
void checks_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
                 GPtrArray *checks);

/* Does any line use the variable? */
gboolean reply_template_uses(const ReplyTemplate *reply, Variable variable);
