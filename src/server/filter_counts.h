/*
 * filter_counts: what each filter behind us has done so far, in the daemon's log.
 *
 * Threads: any.
 */
#pragma once

#include "filters/filter_state.h"
#include "policy/policy.h"

/* One line a filter; none where there are none. */
void filter_counts_log(const Policy *policy, FilterStates *states);
