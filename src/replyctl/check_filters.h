/*
 * check_filters: the filters of a policy, what the MTA must know of them, and whether they answer.
 */
#pragma once

#include "policy/policy.h"

/* Nothing where there are none. */
void check_filters_print(const Policy *policy);

/*
 * Connects to all of them and negotiates. FALSE: one does not answer, which is said on standard
 * error. Of those that do it is said what they want, unless `quiet`.
 */
gboolean check_filters_connect(const Policy *policy, gboolean quiet);
