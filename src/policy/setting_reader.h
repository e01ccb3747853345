/*
 * setting_reader: the plain settings of a policy file, read by the rows of settings.h.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"
#include "policy/settings.h"

/* Fills `settings`, which has its defaults; also the key of the hashes. Whatever is wrong becomes a
 * problem. What is no plain setting is left to rule_reader.h, filter_reader.h and
 * site_rule_reader.h.
 */
void settings_read(Reading *reading, const config_setting_t *root, PolicySettings *settings);
