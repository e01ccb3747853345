/*
 * site_rule_counts: how often each of classify.rules has decided, in the daemon's log.
 */
#include "server/site_rule_counts.h"

#include "base/log.h"

/* A line that syslog takes as a whole. */
enum { RULES_A_LINE = 10 };

void
site_rule_counts_log(const Policy *policy)
{
    guint count = policy_site_rule_count(policy);
    for (guint first = 0; first < count; first += RULES_A_LINE) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (guint i = first; i < MIN(count, first + RULES_A_LINE); i++)
            g_string_append_printf(line, "%s%s %" G_GUINT64_FORMAT, i > first ? ", " : "",
                                   policy_site_rule(policy, i)->name,
                                   policy_site_rule_hits(policy, i));
        log_notice("site rules have decided since the policy was loaded: %s", line->str);
    }
}
