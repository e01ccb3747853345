/*
 * filter_counts: what each filter behind us has done so far, in the daemon's log.
 */
#include "server/filter_counts.h"

#include "base/log.h"

#define COUNT "%" G_GUINT64_FORMAT

static void
log_filter(const PolicyFilter *filter, const FilterCounters *counts)
{
    const guint64 *troubles = counts->troubles;
    log_notice("filter %s since the start: " COUNT " connections, " COUNT " answers, " COUNT
               " refusals in " COUNT " ms; failed: " COUNT " to connect, " COUNT " too late, " COUNT
               " closed, " COUNT " not understood%s",
               filter->name, counts->connections, counts->answers, counts->refusals,
               counts->spent_us / 1000, troubles[FILTER_TROUBLE_CONNECT],
               troubles[FILTER_TROUBLE_TIMEOUT], troubles[FILTER_TROUBLE_CLOSED],
               troubles[FILTER_TROUBLE_PROTOCOL], counts->open ? "; not waited for now" : "");
}

void
filter_counts_log(const Policy *policy, FilterStates *states)
{
    for (guint i = 0; i < policy_filter_count(policy); i++) {
        const PolicyFilter *filter = policy_filter(policy, i);
        FilterCounters counts = filter_states_counters(states, filter->socket);
        log_filter(filter, &counts);
    }
}
