/*
 * try_report: what a message that is tried reports, as the milter door reads it.
 */
#include "replyctl/try_report.h"

#include <string.h>

#include "engine/report.h"

gboolean
try_report_is_read(const Policy *policy, const Facts *facts, const char *const *recipients)
{
    gboolean takes_reports = FALSE;
    for (; *recipients != NULL && !takes_reports; recipients++)
        takes_reports = proof_address_takes_reports(policy, *recipients);
    return report_is_expected(policy, facts_get(facts, FACT_SENDER), takes_reports);
}

static void
reported_free(TryReported *reported)
{
    decision_clear(&reported->decision);
    g_free(reported->recipient);
    g_free(reported);
}

void
try_report_free(TryReport *report)
{
    if (report == NULL)
        return;
    g_ptr_array_unref(report->reported);
    g_free(report);
}

/* Up to bounces.max_body behind the header. */
static gsize
octets_read(const Policy *policy, const GString *message)
{
    const char *lf = strstr(message->str, "\n\n"), *crlf = strstr(message->str, "\r\n\r\n");
    const char *end = lf == NULL || (crlf != NULL && crlf < lf) ? crlf : lf;
    gsize header = end != NULL ? (gsize)(end - message->str) : message->len;
    gsize most = header + 4 + (gsize)policy_settings(policy)->bounces.max_body;
    return MIN(message->len, most);
}

static void
add_reported(const Policy *policy, const ReportWay *way, const Facts *facts, const Bounce *bounce,
             guint index, TryReport *report)
{
    Facts known;
    TryReported *reported = g_new0(TryReported, 1);
    decision_init(&reported->decision);
    report_decide(policy, way, facts, bounce, index, &known, &reported->decision);
    reported->recipient = g_strdup(facts_get(&known, FACT_RECIPIENT));
    report_categories_add(report->categories, reported->decision.cause.category);
    g_ptr_array_add(report->reported, reported);
}

TryReport *
try_report_new(const Policy *policy, const Facts *facts, const char *const *recipients,
               const GString *message)
{
    TryReport *report = g_new0(TryReport, 1);
    const char *hostname = policy_settings(policy)->site.hostname;
    const ReportWay way = {.client = facts_get(facts, FACT_CLIENT),
                           .hostname = hostname != NULL ? hostname : facts->hostname,
                           .recipients = recipients};
    report->reported = g_ptr_array_new_with_free_func((GDestroyNotify)reported_free);
    mime_view_init();
    g_autoptr(MimeView) view =
        mime_view_new(message->str, octets_read(policy, message), &mime_limits_default);
    g_autoptr(Bounce) bounce = bounce_read(policy_classifier(policy), view);
    report->kind = bounce->kind;
    for (guint i = 0; i < report_count(bounce); i++)
        add_reported(policy, &way, facts, bounce, i, report);
    return report;
}
