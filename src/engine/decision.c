/*
 * decision: what the engine says about a reply or a message, and why.
 */
#include "engine/decision.h"

void
decision_init(Decision *decision)
{
    *decision = (Decision){
        .verdict = VERDICT_PASS,
        .repairs = g_ptr_array_new(),
        .mode = REPLY_MODE_KEEP,
        .disclosure = DISCLOSURE_FULL,
        .cause = {.category = CATEGORY_UNCLASSIFIED,
                  .action = category_info(CATEGORY_UNCLASSIFIED)->action,
                  .confidence = CONFIDENCE_LOW,
                  .rule = g_strdup("none"),
                  .retry_after = -1},
    };
}

const char *
report_gap_name(ReportGap gap)
{
    static const char *const names[] = {NULL, "max_body", "limits", "memory"};
    g_assert((guint)gap < G_N_ELEMENTS(names));
    return names[gap];
}

const SmtpReply *
decision_said(const Decision *decision)
{
    if (decision->verdict == VERDICT_QUARANTINE || decision->verdict == VERDICT_DISCARD)
        return NULL;
    return decision->final != NULL ? decision->final : decision->original;
}

void
decision_clear(Decision *decision)
{
    g_clear_pointer(&decision->original, smtp_reply_free);
    g_clear_pointer(&decision->final, smtp_reply_free);
    g_clear_pointer(&decision->added, g_ptr_array_unref);
    g_clear_pointer(&decision->repairs, g_ptr_array_unref);
    g_clear_pointer(&decision->reference, g_free);
    g_clear_pointer(&decision->recipient, g_free);
    g_clear_pointer(&decision->reporting_mta, g_free);
    g_clear_pointer(&decision->remote_mta, g_free);
    g_clear_pointer(&decision->message_id, g_free);
    classification_clear(&decision->cause);
}
