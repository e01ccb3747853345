/*
 * setting_reader: the plain settings of a policy file, read by the rows of settings.h.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"
#include "policy/settings.h"

/* Fills `settings`, which has its defaults; also the key of the hashes. Whatever is wrong becomes a
 * problem. Members of `replies` and `checks` that are not plain settings are left to rule_reader.h.
 */
void settings_read(Reading *reading, const config_setting_t *root, PolicySettings *settings);
