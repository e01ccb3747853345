/*
 * check_plan: at which point of a session a check speaks, and what it can say there.
 *
 * One owner, while a policy is loaded.
 */
#pragma once

#include "policy/reading.h"

/*
 * Works out known_at, speaks_at and all_recipients from the conditions, all of which a check can
 * know, and completes code and status. `entry` is the check's group; what the check cannot do or
 * say at its point becomes a problem.
 */
void check_plan(Reading *reading, const config_setting_t *entry, PolicyCheck *check);
