/*
 * trace: why a rule or a check spoke, or did not.
 *
 * For `replyctl try`: the same conditions, tried again one by one. Pure; threads: any.
 */
#pragma once

#include "engine/engine.h"

typedef struct {
    const char *name; /* of the rule or check; belongs to the policy */
    gboolean matched;
    char *why; /* "category is "spam", not "user-unknown"": one line, escaped */
} TraceStep;

void trace_step_free(TraceStep *step);

/* The rules of replies.rules in their order, up to the one that speaks: GPtrArray of TraceStep. The
 * caller unrefs it. */
GPtrArray *trace_rules(const Policy *policy, const Facts *facts, const SmtpReply *reply,
                       const Classification *cause);

/*
 * Likewise the checks that speak at this point, up to the one that does. `recipients`, which ends
 * with NULL, are those that have been accepted: a check that looks at the recipient behind RCPT is
 * tried with each of them.
 */
GPtrArray *trace_checks(const Policy *policy, const Facts *facts, CheckPoint point,
                        const char *const *recipients);
