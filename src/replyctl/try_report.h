/*
 * try_report: what a message that is tried reports, as the milter door reads it.
 */
#pragma once

#include "engine/decision.h"
#include "engine/facts.h"
#include "policy/policy.h"

/* Of one recipient that it speaks of. */
typedef struct {
    char *recipient; /* NULL: not known */
    Decision decision;
} TryReported;

typedef struct {
    MailKind kind;
    GPtrArray *reported;                        /* of TryReported; empty for not-a-bounce */
    const char *categories[CATEGORY_COUNT + 1]; /* for conditions; ends with NULL */
} TryReport;

/* Does the policy have this message read? `recipients` are those that were accepted, ending with
 * NULL. */
gboolean try_report_is_read(const Policy *policy, const Facts *facts,
                            const char *const *recipients);

/* Reads it. The policy must outlive the report, which the caller frees. */
TryReport *try_report_new(const Policy *policy, const Facts *facts, const char *const *recipients,
                          const GString *message);
void try_report_free(TryReport *report);
