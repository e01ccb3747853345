/*
 * filter_reply: what another milter behind us says to a command -> what we say.
 */
#include "engine/filter_reply.h"

#include <string.h>

#include "engine/cause.h"
#include "engine/compose.h"
#include "engine/fit.h"
#include "engine/milter_text.h"
#include "engine/repair.h"

/* What Postfix says for an answer without a text, and what we say where
 * there was no answer: never which filter it was. */
static const struct {
    guint code;
    EnhancedStatus status;
    const char *text;
    gboolean wordless;
} bare[] = {
    [FILTER_ANSWER_REJECT] = {550, {5, 7, 1}, "Command rejected", TRUE},
    [FILTER_ANSWER_TEMPFAIL] = {451, {4, 7, 1}, "Service unavailable - try again later", TRUE},
    [FILTER_ANSWER_SHUTDOWN] = {421, {4, 7, 0}, "Server closing connection", TRUE},
    [FILTER_ANSWER_CONN_FAIL] = {421, {4, 7, 0}, "Server closing connection", TRUE},
    [FILTER_ANSWER_FAILED_TEMPFAIL] =
        {451,
         {4, 3, 0},
         "A mail filter of this site is not available now; try again later.",
         FALSE},
    [FILTER_ANSWER_FAILED_REJECT] = {554,
                                     {5, 3, 0},
                                     "A mail filter of this site is not available.",
                                     FALSE},
};

void
filter_reply_enter(Facts *facts, const char *filter)
{
    facts->door = DOOR_FILTER;
    facts->wordless = FALSE;
    facts_set(facts, FACT_FILTER, filter);
}

void
filter_reply_leave(Facts *facts)
{
    filter_reply_enter(facts, NULL);
    facts->door = DOOR_MILTER;
}

/* ---- what cannot be sent --------------------------------------------------------------------
 */

/* What breaks the wire, or has libmilter or the MTA put something else in its place. */
static gboolean
breaks_reply(LintRule rule)
{
    switch (rule) {
    case LINT_CODE_MISSING:
    case LINT_CODES_DIFFER:
    case LINT_LINE_CODE_MISSING:
    case LINT_LINE_MARK:
    case LINT_CLASS_MISMATCH:
    case LINT_STATUS_MALFORMED:
    case LINT_STATUSES_DIFFER:
    case LINT_TEXT_EMPTY:
    case LINT_BARE_CR:
    case LINT_BARE_LF:
    case LINT_LINE_END:
    case LINT_CONTROL_OCTET:
    case LINT_PERCENT_LONE:
    case LINT_TOO_MANY_LINES:
    case LINT_TOO_LONG:
        return TRUE;
    default:
        return FALSE;
    }
}

static gboolean
libmilter_takes(const SmtpReply *reply)
{
    if (reply->code < 400 || reply->code > 599)
        return FALSE;
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        g_autofree char *text = milter_text_escape(smtp_reply_line(reply, i)->text);
        if (strlen(text) > FIT_MAX_MILTER_TEXT)
            return FALSE;
    }
    return TRUE;
}

static gboolean
can_be_sent(const SmtpReply *reply, const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++)
        if (breaks_reply(((const LintFinding *)g_ptr_array_index(findings, i))->rule))
            return FALSE;
    return libmilter_takes(reply);
}

/* A reply that nobody is to touch is repaired all the same if it cannot go out. `octets`: what was
 * wrong with it as it was written. */
static void
make_sendable(const Facts *facts, const GPtrArray *octets, Decision *decision)
{
    LintContext context = compose_lint_context(facts, &decision->cause, TRUE);
    context.specific_status = FALSE;
    g_autoptr(GPtrArray) findings = lint_findings_new();
    g_autoptr(SmtpReply) repaired = smtp_reply_copy(decision->original);
    repair_in_place(repaired, &context, findings);
    g_ptr_array_set_size(decision->repairs, 0);
    if (can_be_sent(decision->original, octets) && can_be_sent(decision->original, findings))
        return;
    lint_add_names(decision->repairs, octets);
    lint_add_names(decision->repairs, findings);
    smtp_reply_free(decision->final);
    decision->final = g_steal_pointer(&repaired);
    decision->changed = TRUE;
    decision->verdict = VERDICT_REPLY;
    decision->mode = REPLY_MODE_REPAIR;
}

/* ---- the call -------------------------------------------------------------------------------
 */

/* As the client is to hear it, with '%' once; `octets` gets what only the written form shows. */
static SmtpReply *
reply_of(const FilterAnswer *answer, GPtrArray *octets)
{
    static const LintContext context = {.milter_text = TRUE};
    if (answer->kind != FILTER_ANSWER_REPLY)
        return smtp_reply_new(bare[answer->kind].code, bare[answer->kind].status,
                              bare[answer->kind].text);
    const char *text = answer->text != NULL ? answer->text : "";
    gsize length = answer->text != NULL ? answer->length : 0;
    lint_raw(text, length, &context, octets);
    return repair_parse(text, length, &context);
}

void
filter_reply_decide(const Policy *policy, Facts *facts, const FilterAnswer *answer,
                    const EngineMoment *moment, Decision *decision)
{
    g_autoptr(GPtrArray) octets = lint_findings_new();
    g_autoptr(SmtpReply) reply = reply_of(answer, octets);
    filter_reply_enter(facts, answer->filter);
    facts->wordless = bare[answer->kind].wordless;
    lint_add_names(decision->repairs, octets);
    decision->filter_us = answer->spent_us;
    gboolean observed = facts->observed;
    facts->observed = answer->untouched;
    engine_reply(policy, facts, reply, moment, decision);
    facts->observed = observed;
    if (!decision->changed)
        make_sendable(facts, octets, decision);
}

void
filter_reply_act(const Policy *policy, Facts *facts, const char *filter, Verdict verdict,
                 const char *reason, gint64 spent_us, Decision *decision)
{
    filter_reply_enter(facts, filter);
    decision->verdict = verdict;
    decision->filter_us = spent_us;
    if (reason == NULL || *reason == '\0')
        return;
    g_autoptr(SmtpReply) said = smtp_reply_new(550, ENHANCED_STATUS_NONE, reason);
    cause_of_reply(policy, facts, said, &decision->cause);
    if (decision->cause.match == NULL)
        decision->cause.match = g_strdup(reason);
}
