/*
 * site_rule_counts: how often each of classify.rules has decided, in the daemon's log.
 *
 * Threads: any.
 */
#pragma once

#include "policy/policy.h"

/* One line, or several where there are many rules; none where there are none. */
void site_rule_counts_log(const Policy *policy);
