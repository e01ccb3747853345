/*
 * metrics: what the daemon counts for Prometheus.
 *
 * The labels of a family are the indices of an array of counters, so that finding one is no work.
 * Families with many labels show only what has been counted.
 */
#include "server/metrics.h"

#include <stdatomic.h>
#include <string.h>

#include "base/histogram.h"
#include "engine/lint.h"
#include "record/event.h"
#include "server/exposition.h"

#define FAMILY(name) "replymilter_" name

enum {
    PROVIDERS_MAX = 63, /* then "other" */
    CODE_FIRST = 400,
    CODES = 200, /* 400 to 599; then those without one, and all others */
    CODE_NONE = CODES,
    CODE_OTHER,
    STATUS_CLASSES = 2, /* 4 and 5 */
    STATUS_SUBJECTS = 8,
    STATUS_DETAILS = 32, /* more than are registered; then all others of the class */
    PROOFS = PROOF_OWN_MTA + 1,
    GAPS = REPORT_GAP_MEMORY + 1,
    BOUNCE_DOORS = 2, /* reports that come in; deliveries of our own */
};

/* What became of what was to be said. */
typedef enum {
    ANSWER_KEPT,
    ANSWER_REPAIRED,
    ANSWER_ANNOTATED,
    ANSWER_REPLACED,
    ANSWER_CHECK,
    ANSWER_QUARANTINED,
    ANSWER_DISCARDED,
    ANSWERS
} Answer;

static const char *const answer_names[ANSWERS] = {"kept",  "repaired",    "annotated", "replaced",
                                                  "check", "quarantined", "discarded"};
static const char *const truth_names[] = {"false", "true"};
static const char *const table_names[METRICS_TABLES] = {"reject", "footer",   "delivery",
                                                        "rbl",    "sendmail", "other"};
static const char *const lookup_names[METRICS_LOOKUPS] = {"found", "notfound", "refused"};

typedef atomic_ullong Counter;

struct Metrics {
    guint providers;
    Counter refusals[DOOR_COUNT][SMTP_STAGE_COUNT][CATEGORY_COUNT][2];
    Counter answers[DOOR_COUNT][ANSWERS][2];
    Counter codes[DOOR_COUNT][CODE_OTHER + 1];
    Counter statuses[STATUS_CLASSES][STATUS_SUBJECTS][STATUS_DETAILS];
    Counter other_statuses[STATUS_CLASSES];
    Counter no_status;
    Counter repairs[LINT_RULE_COUNT];
    Counter bounces[BOUNCE_DOORS][MAIL_KIND_COUNT][CATEGORY_COUNT][PROVIDERS_MAX + 1];
    Counter proofs[MAIL_KIND_COUNT][PROOFS];
    Counter actions[MAIL_KIND_COUNT][ACTION_COUNT];
    Counter incomplete[GAPS];
    Counter lookups[METRICS_TABLES][METRICS_LOOKUPS];
    Histogram lookup_times[METRICS_TABLES];
    atomic_ullong load_us;
};

static void
count(Counter *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static guint64
counted(const Counter *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

Metrics *
metrics_new(void)
{
    Metrics *metrics = g_new0(Metrics, 1);
    metrics->providers = MIN(g_strv_length((char **)classifier_providers()), PROVIDERS_MAX);
    return metrics;
}

void
metrics_free(Metrics *metrics)
{
    g_free(metrics);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static Answer
answer_of(const Decision *decision)
{
    static const Answer by_mode[] = {
        [REPLY_MODE_KEEP] = ANSWER_REPAIRED, /* what was kept was yet made fit for the wire */
        [REPLY_MODE_REPAIR] = ANSWER_REPAIRED,
        [REPLY_MODE_ANNOTATE] = ANSWER_ANNOTATED,
        [REPLY_MODE_REPLACE] = ANSWER_REPLACED,
    };
    if (decision->verdict == VERDICT_QUARANTINE)
        return ANSWER_QUARANTINED;
    if (decision->verdict == VERDICT_DISCARD)
        return ANSWER_DISCARDED;
    if (decision->check != NULL)
        return ANSWER_CHECK;
    return decision->changed ? by_mode[decision->mode] : ANSWER_KEPT;
}

static guint
code_of(const SmtpReply *said)
{
    if (said == NULL || said->code == 0)
        return CODE_NONE;
    gboolean refuses = said->code >= CODE_FIRST && said->code < CODE_FIRST + CODES;
    return refuses ? said->code - CODE_FIRST : CODE_OTHER;
}

static Counter *
status_counter(Metrics *metrics, const SmtpReply *said)
{
    EnhancedStatus status = said != NULL ? said->status : ENHANCED_STATUS_NONE;
    if (status.class != 4 && status.class != 5)
        return &metrics->no_status;
    guint class = status.class - 4u;
    if (status.subject >= STATUS_SUBJECTS || status.detail >= STATUS_DETAILS)
        return &metrics->other_statuses[class];
    return &metrics->statuses[class][status.subject][status.detail];
}

static void
count_repairs(Metrics *metrics, const GPtrArray *repairs)
{
    for (guint i = 0; i < repairs->len; i++)
        for (guint rule = 0; rule < LINT_RULE_COUNT; rule++)
            if (strcmp(repairs->pdata[i], lint_rule_name((LintRule)rule)) == 0)
                count(&metrics->repairs[rule]);
}

static void
count_refusal(Metrics *metrics, const Facts *facts, const Decision *decision, gboolean joined)
{
    const SmtpReply *said = decision_said(decision);
    gboolean repaired = decision->repairs->len > 0;
    count(&metrics->refusals[facts->door][facts->stage][decision->cause.category][joined]);
    count(&metrics->answers[facts->door][answer_of(decision)][repaired]);
    count(&metrics->codes[facts->door][code_of(said)]);
    count(status_counter(metrics, said));
}

/* ---- bounces --------------------------------------------------------------------------------- */

static guint
provider_of(const Metrics *metrics, const char *provider)
{
    const char *const *names = classifier_providers();
    for (guint i = 0; provider != NULL && i < metrics->providers; i++)
        if (strcmp(names[i], provider) == 0)
            return i;
    return metrics->providers;
}

static void
count_bounce(Metrics *metrics, const Facts *facts, const Decision *decision, MailKind kind)
{
    const Classification *cause = &decision->cause;
    guint door = facts->door == DOOR_DELIVERY ? 1 : 0;
    guint provider = provider_of(metrics, cause->provider);
    count(&metrics->bounces[door][kind][cause->category][provider]);
    count(&metrics->proofs[kind][event_proof(facts, decision)]);
    count(&metrics->actions[kind][cause->action]);
}

void
metrics_decision(Metrics *metrics, const Facts *facts, const Decision *decision, gboolean joined)
{
    if (metrics == NULL)
        return;
    MailKind kind = event_report_kind(facts, decision);
    if (kind != MAIL_KIND_NOT_A_BOUNCE)
        count_bounce(metrics, facts, decision, kind);
    else if (!decision->report)
        count_refusal(metrics, facts, decision, joined ? 1 : 0);
    if (decision->gap != REPORT_WHOLE)
        count(&metrics->incomplete[decision->gap]);
    count_repairs(metrics, decision->repairs);
}

/* ---- tables, policy -------------------------------------------------------------------------- */

void
metrics_lookup(Metrics *metrics, MetricsTable table, MetricsLookup answer, gint64 spent_us)
{
    if (metrics == NULL)
        return;
    count(&metrics->lookups[table][answer]);
    histogram_note(&metrics->lookup_times[table], spent_us);
}

void
metrics_policy_loaded(Metrics *metrics, gint64 spent_us)
{
    if (metrics != NULL)
        atomic_store(&metrics->load_us, (guint64)MAX(spent_us, 0));
}

/* ---- writing --------------------------------------------------------------------------------- */

static const char *
stage_label(guint stage)
{
    const char *name = smtp_stage_name((SmtpStage)stage);
    return name != NULL ? name : "unknown";
}

static void
write_refusals(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("refusals_total"),
                       "Refusals by where they were made and what they mean. joined: another door "
                       "has counted the same one.");
    for (guint door = 0; door < DOOR_COUNT; door++)
        for (guint stage = 0; stage < SMTP_STAGE_COUNT; stage++)
            for (guint category = 0; category < CATEGORY_COUNT; category++)
                for (guint joined = 0; joined < 2; joined++)
                    exposition_count_some(
                        out, FAMILY("refusals_total"),
                        counted(&metrics->refusals[door][stage][category][joined]), "door",
                        door_name((Door)door), "stage", stage_label(stage), "category",
                        category_info((Category)category)->name, "joined", truth_names[joined],
                        NULL);
}

static void
write_answers(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("refusal_answers_total"),
                       "Refusals by what became of the reply, and whether it had to be repaired.");
    for (guint door = 0; door < DOOR_COUNT; door++)
        for (guint answer = 0; answer < ANSWERS; answer++)
            for (guint repaired = 0; repaired < 2; repaired++)
                exposition_count_some(out, FAMILY("refusal_answers_total"),
                                      counted(&metrics->answers[door][answer][repaired]), "door",
                                      door_name((Door)door), "answer", answer_names[answer],
                                      "repaired", truth_names[repaired], NULL);
}

static const char *
code_label(guint code, char digits[8])
{
    if (code >= CODES)
        return code == CODE_NONE ? "none" : "other";
    g_snprintf(digits, 8, "%u", CODE_FIRST + code);
    return digits;
}

static void
write_codes(const Metrics *metrics, GString *out)
{
    char digits[8];
    exposition_counter(out, FAMILY("refusal_codes_total"),
                       "Refusals by the reply code that was said. none: it is not known, or none "
                       "was said.");
    for (guint door = 0; door < DOOR_COUNT; door++)
        for (guint code = 0; code <= CODE_OTHER; code++)
            exposition_count_some(out, FAMILY("refusal_codes_total"),
                                  counted(&metrics->codes[door][code]), "door",
                                  door_name((Door)door), "code", code_label(code, digits), NULL);
}

static void
write_class(const Metrics *metrics, guint class, GString *out)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    for (guint subject = 0; subject < STATUS_SUBJECTS; subject++)
        for (guint detail = 0; detail < STATUS_DETAILS; detail++) {
            guint64 times = counted(&metrics->statuses[class][subject][detail]);
            g_snprintf(text, sizeof(text), "%u.%u.%u", class + 4, subject, detail);
            exposition_count_some(out, FAMILY("refusal_statuses_total"), times, "status", text,
                                  NULL);
        }
    exposition_count_some(out, FAMILY("refusal_statuses_total"),
                          counted(&metrics->other_statuses[class]), "status",
                          class == 0 ? "4.x.x" : "5.x.x", NULL);
}

static void
write_statuses(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("refusal_statuses_total"),
                       "Refusals by the enhanced status that was said. 5.x.x: one that no registry "
                       "has.");
    for (guint class = 0; class < STATUS_CLASSES; class ++)
        write_class(metrics, class, out);
    exposition_count_some(out, FAMILY("refusal_statuses_total"), counted(&metrics->no_status),
                          "status", "none", NULL);
}

static void
write_repairs(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("repairs_total"),
                       "What was repaired in replies, by the names of replyctl lint.");
    for (guint rule = 0; rule < LINT_RULE_COUNT; rule++)
        exposition_count_some(out, FAMILY("repairs_total"), counted(&metrics->repairs[rule]),
                              "repair", lint_rule_name((LintRule)rule), NULL);
}

static void
write_bounces_of(const Metrics *metrics, guint door, guint kind, GString *out)
{
    const char *const *providers = classifier_providers();
    for (guint category = 0; category < CATEGORY_COUNT; category++)
        for (guint provider = 0; provider <= metrics->providers; provider++)
            exposition_count_some(
                out, FAMILY("bounces_total"),
                counted(&metrics->bounces[door][kind][category][provider]), "door",
                door_name(door == 1 ? DOOR_DELIVERY : DOOR_MILTER), "kind",
                mail_kind_name((MailKind)kind), "category", category_info((Category)category)->name,
                "provider", provider < metrics->providers ? providers[provider] : "other", NULL);
}

static void
write_bounces(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("bounces_total"),
                       "Recipients of whom a report tells (door milter), or a delivery of our own "
                       "(door delivery).");
    for (guint door = 0; door < BOUNCE_DOORS; door++)
        for (guint kind = MAIL_KIND_FAILURE; kind < MAIL_KIND_COUNT; kind++)
            write_bounces_of(metrics, door, kind, out);
}

static void
write_proofs(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("bounce_proofs_total"),
                       "The same recipients by what shows that the mail was ours.");
    for (guint kind = MAIL_KIND_FAILURE; kind < MAIL_KIND_COUNT; kind++)
        for (guint proof = PROOF_NONE; proof < PROOFS; proof++)
            exposition_count_some(
                out, FAMILY("bounce_proofs_total"), counted(&metrics->proofs[kind][proof]), "kind",
                mail_kind_name((MailKind)kind), "proof", proof_name((Proof)proof), NULL);
}

static void
write_actions(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("bounce_actions_total"),
                       "The same recipients by what the sender should do. suppress: the address is "
                       "to be given up.");
    for (guint kind = MAIL_KIND_FAILURE; kind < MAIL_KIND_COUNT; kind++)
        for (guint action = 0; action < ACTION_COUNT; action++)
            exposition_count_some(out, FAMILY("bounce_actions_total"),
                                  counted(&metrics->actions[kind][action]), "kind",
                                  mail_kind_name((MailKind)kind), "action",
                                  action_name((Action)action), NULL);
}

static void
write_incomplete(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("reports_incomplete_total"),
                       "Recipients of reports of which not everything was read, by the limit.");
    for (guint gap = REPORT_WHOLE + 1; gap < GAPS; gap++)
        exposition_count(out, FAMILY("reports_incomplete_total"),
                         counted(&metrics->incomplete[gap]), "limit",
                         report_gap_name((ReportGap)gap), NULL);
}

static void
write_tables(const Metrics *metrics, GString *out)
{
    exposition_counter(out, FAMILY("table_lookups_total"),
                       "Requests to the tables by their answer. refused: no table has that name, "
                       "or it was no request.");
    for (guint table = 0; table < METRICS_TABLES; table++)
        for (guint answer = 0; answer < METRICS_LOOKUPS; answer++)
            if ((table == METRICS_TABLE_OTHER) == (answer == METRICS_LOOKUP_REFUSED))
                exposition_count(out, FAMILY("table_lookups_total"),
                                 counted(&metrics->lookups[table][answer]), "table",
                                 table_names[table], "answer", lookup_names[answer], NULL);
    exposition_histogram(out, FAMILY("table_lookup_duration_seconds"),
                         "How long the tables take to answer a request.");
    for (guint table = 0; table < METRICS_TABLES; table++) {
        HistogramCounts times = histogram_read(&metrics->lookup_times[table]);
        exposition_times(out, FAMILY("table_lookup_duration_seconds"), &times, "table",
                         table_names[table], NULL);
    }
}

static void
write_policy(const Metrics *metrics, GString *out)
{
    exposition_gauge(out, FAMILY("policy_load_duration_seconds"),
                     "How long it took to load the policy in force.");
    exposition_seconds(out, FAMILY("policy_load_duration_seconds"), atomic_load(&metrics->load_us),
                       NULL);
}

void
metrics_write(const Metrics *metrics, GString *out)
{
    static void (*const parts[])(const Metrics *metrics, GString *out) = {
        write_refusals,   write_answers, write_codes,  write_statuses,
        write_repairs,    write_bounces, write_proofs, write_actions,
        write_incomplete, write_tables,  write_policy,
    };
    for (gsize i = 0; metrics != NULL && i < G_N_ELEMENTS(parts); i++)
        parts[i](metrics, out);
}
