/*
 * site_rule_reader: classify.rules of a policy file.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"

void policy_site_rule_free(gpointer rule);

/* Adds a PolicySiteRule * for each good entry; whatever is wrong becomes a problem. */
void site_rules_read(Reading *reading, const config_setting_t *root, GPtrArray *rules);
