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

/* ---- shared by rules and checks
 * ------------------------------------------------------------------------ */

/* The condition on that fact, or NULL. */
const Matcher *conditions_find(const GArray *conditions, Fact fact);

/* Does the condition on the stage, if there is one, take this stage? */
gboolean conditions_take_stage(const GArray *conditions, SmtpStage stage);

/* Does any line use the variable? */
gboolean reply_template_uses(const ReplyTemplate *reply, Variable variable);
