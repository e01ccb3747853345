/*
 * entry_reader: what the lists of a policy file have in common: groups, each with a name.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"

/*
 * How many entries a list of groups has; 0 and a problem if one of them is no group. NULL has none.
 * `form` says how one looks: "a rule is a group: { ... }".
 */
guint entry_count(Reading *reading, const config_setting_t *list, const char *form);

/*
 * The entry's name, unlike those before it, or NULL and a problem. `seen` is a table of the names
 * so far, by string, without free functions: name -> where it stands. `kind` is "rule".
 */
const char *entry_name(Reading *reading, const config_setting_t *entry, const char *kind,
                       GHashTable *seen);
