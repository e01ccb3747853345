/*
 * filter_verdict: what a filter behind us says in the end.
 */
#include "filters/filter_verdict.h"

const char *
filter_verdict_name(FilterVerdict verdict)
{
    static const char *const names[] = {
        [FILTER_VERDICT_CONTINUE] = "continue", [FILTER_VERDICT_ACCEPT] = "accept",
        [FILTER_VERDICT_REPLY] = "reply",       [FILTER_VERDICT_REJECT] = "reject",
        [FILTER_VERDICT_TEMPFAIL] = "tempfail", [FILTER_VERDICT_DISCARD] = "discard",
        [FILTER_VERDICT_SHUTDOWN] = "shutdown", [FILTER_VERDICT_CONN_FAIL] = "conn-fail",
        [FILTER_VERDICT_FAILED] = "failed",
    };
    return names[verdict];
}

gboolean
filter_verdict_refuses(FilterVerdict verdict)
{
    return verdict != FILTER_VERDICT_CONTINUE && verdict != FILTER_VERDICT_ACCEPT &&
           verdict != FILTER_VERDICT_DISCARD;
}
