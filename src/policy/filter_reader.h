/*
 * filter_reader: filters of a policy file, the other milters behind us, and the rules that speak of
 * them.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"

void policy_filter_free(gpointer filter);

/* Adds a PolicyFilter * for each good entry of filters; whatever is wrong becomes a problem. */
void filters_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
                  GPtrArray *filters);

/* Warns of conditions of the rules that name no filter of these. */
void rules_check_filters(Reading *reading, const config_setting_t *root, const GPtrArray *rules,
                         const GPtrArray *filters);
