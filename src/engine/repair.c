/*
 * repair: a reply that breaks rules -> one that breaks none.
 *
 * In this order: what differs between the lines, the code, the status, then clean and wrapped text
 * (engine/fit.h), and words where none are left.
 */
#include "engine/repair.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "engine/fit.h"
#include "engine/milter_text.h"
#include "engine/specific_status.h"

typedef struct {
    SmtpReply *reply;
    const LintContext *context;
    SmtpStage stage;
    GPtrArray *findings;
} Repair;

static gboolean
is_refusal(guint code)
{
    return code / 100 == 4 || code / 100 == 5;
}

/* ---- what differs between the lines --------------------------------------------------------- */

static void
check_codes(const Repair *repair)
{
    const SmtpReply *reply = repair->reply;
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        guint code = smtp_reply_line(reply, i)->code;
        if (code == reply->code)
            continue;
        if (code == 0)
            lint_note(repair->findings, LINT_LINE_CODE_MISSING, i + 1,
                      g_strdup_printf("Line %u does not begin with the reply code.", i + 1),
                      g_strdup_printf("It begins with %u.", reply->code));
        else
            lint_note(repair->findings, LINT_CODES_DIFFER, i + 1,
                      g_strdup_printf("Line %u has the reply code %u, the last line %u; the last "
                                      "line decides, but not for every client.",
                                      i + 1, code, reply->code),
                      g_strdup_printf("Each line begins with %u.", reply->code));
    }
}

static gboolean
has_right_mark(const SmtpReplyLine *line, gboolean last)
{
    if (line->code == 0)
        return TRUE;
    if (!last)
        return line->separator == '-';
    gboolean alone = line->text[0] == '\0' && !enhanced_status_is_set(line->status);
    return line->separator == ' ' || (alone && line->separator == '\0');
}

static void
check_marks(const Repair *repair)
{
    const SmtpReply *reply = repair->reply;
    guint count = smtp_reply_line_count(reply);
    if (reply->flattened) {
        lint_note(repair->findings, LINT_LINE_MARK, 0,
                  g_strdup("Several lines stand on one; a client waits for a line without '-'."),
                  g_strdup("Each goes on a line of its own."));
        return;
    }
    for (guint i = 0; i < count; i++) {
        if (has_right_mark(smtp_reply_line(reply, i), i + 1 == count))
            continue;
        lint_note(repair->findings, LINT_LINE_MARK, i + 1,
                  i + 1 == count
                      ? g_strdup("No blank stands behind the code of the last line; a client waits "
                                 "for more.")
                      : g_strdup_printf("No '-' stands behind the code of line %u, so for a client "
                                        "the reply ends there.",
                                        i + 1),
                  g_strdup("'-' stands behind the code of all lines but the last."));
    }
}

static void
check_statuses(const Repair *repair)
{
    const SmtpReply *reply = repair->reply;
    char one[ENHANCED_STATUS_TEXT_SIZE], last[ENHANCED_STATUS_TEXT_SIZE];
    gboolean any = FALSE;
    for (guint i = 0; i < smtp_reply_line_count(reply); i++)
        any = any || enhanced_status_is_set(smtp_reply_line(reply, i)->status);
    for (guint i = 0; any && i < smtp_reply_line_count(reply); i++) {
        const SmtpReplyLine *line = smtp_reply_line(reply, i);
        if (enhanced_status_equal(line->status, reply->status))
            continue;
        enhanced_status_format(line->status, one);
        lint_note(repair->findings, LINT_STATUSES_DIFFER, i + 1,
                  g_strdup_printf("Line %u has %s%s, another line %s.", i + 1,
                                  *one == '\0' ? "no enhanced status" : "the enhanced status ", one,
                                  enhanced_status_format(reply->status, last)),
                  g_strdup("Each line has the same."));
    }
}

/* ---- the code ------------------------------------------------------------------------------- */

/* Whether the sender should come back: 4 or 5. With nothing known it is 4: a wrong temporary
 * refusal costs time, a wrong permanent one costs mail. */
static guint
likely_class(const Repair *repair)
{
    guint class = repair->reply->status.class;
    const Classification *cause = repair->context->cause;
    if (class == 4 || class == 5)
        return class;
    if (is_refusal(repair->reply->code))
        return repair->reply->code / 100;
    if (cause == NULL || cause->confidence < CONFIDENCE_MEDIUM ||
        cause->category == CATEGORY_DELIVERED)
        return 4;
    Action action = category_info(cause->category)->action;
    return action == ACTION_RETRY || action == ACTION_RETRY_SLOWER ? 4 : 5;
}

/* The plainest code of a class at this stage. */
static guint
plain_code(const Repair *repair, guint class)
{
    gboolean data = repair->stage == SMTP_STAGE_DATA || repair->stage == SMTP_STAGE_EOM;
    guint code = class == 4 ? (data ? 451 : 450) : (data ? 554 : 550);
    return catalog_code_for_stage(code, repair->stage);
}

/* The caller frees it. */
static char *
what_code_becomes(const Repair *repair, guint code)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    if (repair->reply->status.class != code / 100)
        return g_strdup_printf("It becomes %u.", code);
    return g_strdup_printf("It becomes %u, since the enhanced status is %s.", code,
                           enhanced_status_format(repair->reply->status, status));
}

/* "999 5.1.1 no": a number with a status behind it was meant as the code, though no code begins so.
 * Returns the number and takes both out of the line; 0: there is none. */
static guint
take_false_code(SmtpReply *reply, SmtpReplyLine *line)
{
    const char *text = line->text;
    for (guint i = 0; i < 3; i++)
        if (!g_ascii_isdigit(text[i]))
            return 0;
    const char *behind = text + 4;
    gsize length =
        text[3] == ' ' || text[3] == '-' ? enhanced_status_scan(behind, &line->status) : 0;
    if (length == 0)
        return 0;
    guint number = (guint)atoi(text);
    behind += length;
    char *rest = g_strdup(behind + strspn(behind, " "));
    g_free(line->text);
    line->text = rest;
    reply->status = line->status;
    return number;
}

static guint
take_false_codes(SmtpReply *reply)
{
    guint number = 0;
    for (guint i = 0; reply->code == 0 && i < smtp_reply_line_count(reply); i++) {
        guint taken = take_false_code(reply, &reply->lines[i]);
        number = taken != 0 ? taken : number;
    }
    return number;
}

static guint
known_code(const Repair *repair, guint code)
{
    guint class = code / 100, better;
    if (class >= 2 && class <= 3 && !repair->context->must_refuse)
        return code;
    if (is_refusal(code) && catalog_reply_code(code) != NULL)
        return code;
    better = plain_code(repair, is_refusal(code) ? class : likely_class(repair));
    if (code == 0)
        lint_note(repair->findings, LINT_CODE_MISSING, 0,
                  g_strdup("There is no reply code; MTAs put a reply of their own in its place."),
                  what_code_becomes(repair, better));
    else
        lint_note(repair->findings, LINT_CODE_UNKNOWN, 0,
                  is_refusal(code)
                      ? g_strdup_printf("No document has the reply code %u.", code)
                      : g_strdup_printf(
                            "%03u cannot refuse anything: a refusal begins with 4 or 5.", code),
                  what_code_becomes(repair, better));
    return better;
}

static guint
staying_code(const Repair *repair, guint code)
{
    gboolean expected = repair->stage == SMTP_STAGE_CONNECT || repair->stage == SMTP_STAGE_HELO;
    if (!smtp_code_hangs_up(code) || expected || repair->context->hangup_intended)
        return code;
    guint better = plain_code(repair, code / 100);
    lint_note(repair->findings, LINT_HANGUP, 0,
              g_strdup_printf("At %u the MTA closes the connection, other recipients and mails of "
                              "the session included.",
                              code),
              g_strdup_printf("It becomes %u.", better));
    return better;
}

static guint
code_at_stage(const Repair *repair, guint code)
{
    gboolean meant = smtp_code_hangs_up(code) && repair->context->hangup_intended;
    if (meant || !is_refusal(code) ||
        catalog_code_at_stage(code, repair->stage) != CATALOG_STAGE_WRONG)
        return code;
    guint better = catalog_code_for_stage(code, repair->stage);
    if (better / 100 != code / 100)
        better = plain_code(repair, code / 100);
    if (better == code)
        return code;
    lint_note(
        repair->findings, LINT_CODE_AT_STAGE, 0,
        g_strdup_printf("%u is no answer at the stage %s.", code, smtp_stage_name(repair->stage)),
        g_strdup_printf("It becomes %u.", better));
    return better;
}

static guint
right_code(const Repair *repair)
{
    guint code = repair->reply->code;
    if (repair->context->without_code)
        return 0;
    guint false_code = take_false_codes(repair->reply);
    code = known_code(repair, false_code != 0 ? false_code : code);
    code = staying_code(repair, code);
    return code_at_stage(repair, code);
}

/* ---- the status ----------------------------------------------------------------------------- */

/* At connect and HELO a refusal may carry one (catalog_takes_status()), but none is missing there.
 */
static gboolean
needs_status(guint code, SmtpStage stage)
{
    return is_refusal(code) && stage != SMTP_STAGE_CONNECT && stage != SMTP_STAGE_HELO;
}

static EnhancedStatus
category_status(const Classification *cause, guint class)
{
    if (cause == NULL || cause->confidence < CONFIDENCE_MEDIUM ||
        cause->category == CATEGORY_UNCLASSIFIED)
        return ENHANCED_STATUS_NONE;
    EnhancedStatus status = category_info(cause->category)->status;
    return enhanced_status_is_set(status) ? enhanced_status_with_class(status, class) : status;
}

static gboolean
goes_with(guint code, EnhancedStatus status)
{
    return enhanced_status_is_set(status) && catalog_pair(code, status) == CATALOG_PAIR_GOOD;
}

/* For a delivery status there is no code, only a class. */
static guint
class_code(guint class)
{
    return class == 4 ? 451 : 550;
}

/* None where it may not be, or is not known. */
static EnhancedStatus
specific_status(const Repair *repair, guint code)
{
    const LintContext *context = repair->context;
    if (!context->specific_status || context->cause == NULL || !is_refusal(code))
        return ENHANCED_STATUS_NONE;
    return specific_status_for(code, repair->reply, context->cause);
}

static EnhancedStatus
missing_status(const Repair *repair, guint code)
{
    guint class = code / 100;
    if (!needs_status(code, repair->stage))
        return ENHANCED_STATUS_NONE;
    if (repair->reply->status.class == class)
        return catalog_status_instead(repair->reply->status);
    EnhancedStatus specific = specific_status(repair, code);
    if (enhanced_status_is_set(specific))
        return specific;
    EnhancedStatus told = category_status(repair->context->cause, class);
    return goes_with(code, told) ? told : catalog_default_status(code, repair->stage);
}

EnhancedStatus
repair_status(const SmtpReply *reply, const LintContext *context)
{
    Repair repair = {.reply = (SmtpReply *)reply, .context = context};
    repair.stage = context->stage != SMTP_STAGE_UNKNOWN ? context->stage : reply->stage;
    guint code = reply->code != 0 ? reply->code : class_code(likely_class(&repair));
    return missing_status(&repair, code);
}

/* The class follows the code; another status only where the two make no known pair. */
static EnhancedStatus
status_of_class(const Repair *repair, guint code, EnhancedStatus status)
{
    EnhancedStatus same = enhanced_status_with_class(status, code / 100);
    EnhancedStatus told = category_status(repair->context->cause, code / 100);
    return !goes_with(code, same) && goes_with(code, told) ? told : same;
}

/* As the lines have it: what was only around the reply, or at the end of its text, does not count.
 */
static EnhancedStatus
written_status(const SmtpReply *reply)
{
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    for (guint i = 0; i < smtp_reply_line_count(reply); i++)
        if (enhanced_status_is_set(smtp_reply_line(reply, i)->status))
            status = smtp_reply_line(reply, i)->status;
    return status;
}

static EnhancedStatus
unwanted_status(const Repair *repair, EnhancedStatus written)
{
    if (enhanced_status_is_set(written))
        lint_note(repair->findings, LINT_STATUS_MISPLACED, 0,
                  g_strdup("No enhanced status belongs into a greeting, a good answer to HELO or "
                           "EHLO, or a 3xx reply."),
                  g_strdup("It is left out."));
    return ENHANCED_STATUS_NONE;
}

static EnhancedStatus
current_status(const Repair *repair, EnhancedStatus status)
{
    char before[ENHANCED_STATUS_TEXT_SIZE], after[ENHANCED_STATUS_TEXT_SIZE];
    EnhancedStatus instead = catalog_status_instead(status);
    if (!enhanced_status_equal(status, instead))
        lint_note(repair->findings, LINT_STATUS_DEPRECATED, 0,
                  g_strdup_printf("The registry deprecates the enhanced status %s.",
                                  enhanced_status_format(status, before)),
                  g_strdup_printf("It becomes %s, which means the same.",
                                  enhanced_status_format(instead, after)));
    return instead;
}

/* A missing one has been chosen already. */
static EnhancedStatus
clear_status(const Repair *repair, guint code, EnhancedStatus status)
{
    char before[ENHANCED_STATUS_TEXT_SIZE], after[ENHANCED_STATUS_TEXT_SIZE];
    if (!enhanced_status_is_set(status) || !specific_status_is_wanted(status))
        return status;
    EnhancedStatus specific = specific_status(repair, code);
    if (!enhanced_status_is_set(specific))
        return status;
    lint_note(
        repair->findings, LINT_STATUS_VAGUE, 0,
        g_strdup_printf("The enhanced status %s says no more than that the mail is refused.",
                        enhanced_status_format(status, before)),
        g_strdup_printf("It becomes %s, which says why.", enhanced_status_format(specific, after)));
    return specific;
}

static EnhancedStatus
right_status(const Repair *repair, guint code)
{
    char before[ENHANCED_STATUS_TEXT_SIZE], after[ENHANCED_STATUS_TEXT_SIZE];
    EnhancedStatus written = written_status(repair->reply), status = written;
    if (code == 0 && written.class == 2)
        return written;
    if (code == 0) /* a delivery status is its own class */
        code = class_code(likely_class(repair));
    if (!catalog_takes_status(code, repair->stage))
        return unwanted_status(repair, written);
    if (!enhanced_status_is_set(written)) {
        status = missing_status(repair, code);
        if (enhanced_status_is_set(status))
            lint_note(repair->findings, LINT_STATUS_MISSING, 0,
                      g_strdup("There is no enhanced status; Sendmail adds 5.0.0, which says "
                               "nothing."),
                      g_strdup_printf("It becomes %s.", enhanced_status_format(status, after)));
    } else if (written.class != code / 100) {
        status = status_of_class(repair, code, written);
        lint_note(repair->findings, LINT_CLASS_MISMATCH, 0,
                  g_strdup_printf("Reply code %u and enhanced status %s disagree about whether to "
                                  "try again; Postfix then sends a temporary refusal of its own.",
                                  code, enhanced_status_format(written, before)),
                  g_strdup_printf("The code decides: the status becomes %s.",
                                  enhanced_status_format(status, after)));
    }
    return clear_status(repair, code, current_status(repair, status));
}

static void
drop_malformed_status(const Repair *repair)
{
    for (guint i = 0; i < smtp_reply_line_count(repair->reply); i++) {
        SmtpReplyLine *line = &repair->reply->lines[i];
        gsize length = 0;
        while (!enhanced_status_is_set(line->status) &&
               (length = fit_malformed_status(line->text)) > 0) {
            lint_note(repair->findings, LINT_STATUS_MALFORMED, i + 1,
                      g_strdup_printf("\"%.*s\" is no enhanced status: that is 2, 4 or 5, and "
                                      "two numbers of one to three digits.",
                                      (int)MIN(length, 40), line->text),
                      g_strdup("It is left out; where one belongs, a right one is chosen."));
            const char *rest = line->text + length;
            char *text = g_strdup(rest + strspn(rest, " "));
            g_free(line->text);
            line->text = text;
        }
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

static gboolean
has_words(const SmtpReply *reply)
{
    for (guint i = 0; i < smtp_reply_line_count(reply); i++)
        for (const char *at = smtp_reply_line(reply, i)->text; *at != '\0'; at++)
            if (g_ascii_isalnum(*at) || (*at & 0x80) != 0)
                return TRUE;
    return FALSE;
}

static const char *
own_words(const Repair *repair, guint code)
{
    const Classification *cause = repair->context->cause;
    if (cause != NULL && cause->category != CATEGORY_UNCLASSIFIED)
        return category_info(cause->category)->sentence;
    const CatalogReplyCode *known = catalog_reply_code(code);
    if (known != NULL)
        return known->title;
    return code / 100 == 4 ? "Not now, try again later" : "Refused";
}

static void
give_words(const Repair *repair, guint code, EnhancedStatus status)
{
    if (has_words(repair->reply))
        return;
    lint_note(repair->findings, LINT_TEXT_EMPTY, 0,
              g_strdup("The reply has no text; Sendmail then sends whatever its memory holds."),
              g_strdup("It gets a sentence that fits."));
    SmtpReplyLine *line = &repair->reply->lines[0];
    smtp_reply_truncate(repair->reply, 1);
    g_free(line->text);
    line->text = g_strdup(own_words(repair, code));
    smtp_reply_set_code(repair->reply, repair->context->without_code ? 0 : code, status);
    fit_reply(repair->reply, repair->context, NULL);
}

/* ---- the whole ------------------------------------------------------------------------------ */

void
repair_in_place(SmtpReply *reply, const LintContext *context, GPtrArray *findings)
{
    Repair repair = {.reply = reply, .context = context, .findings = findings};
    repair.stage = context->stage != SMTP_STAGE_UNKNOWN ? context->stage : reply->stage;
    if (reply->code != 0)
        check_codes(&repair);
    check_marks(&repair);
    check_statuses(&repair);
    guint code = right_code(&repair);
    EnhancedStatus status = right_status(&repair, code);
    drop_malformed_status(&repair);
    smtp_reply_set_code(reply, code, status);
    fit_reply(reply, context, findings);
    give_words(&repair, code, status);
    reply->flattened = FALSE;
}

SmtpReply *
repair_parse(const char *raw, gsize length, const LintContext *context)
{
    SmtpReply *reply = smtp_reply_parse(raw, (gssize)length);
    for (guint i = 0; context->milter_text && i < smtp_reply_line_count(reply); i++) {
        SmtpReplyLine *line = &reply->lines[i];
        char *text = milter_text_unescape(line->text);
        g_free(line->text);
        line->text = text;
    }
    return reply;
}

SmtpReply *
repair_reply(const SmtpReply *reply, const LintContext *context, GPtrArray *repairs)
{
    g_autoptr(GPtrArray) findings = lint_findings_new();
    SmtpReply *repaired = smtp_reply_copy(reply);
    repair_in_place(repaired, context, findings);
    if (repairs != NULL)
        lint_add_names(repairs, findings);
    return repaired;
}

SmtpReply *
repair_text(const char *raw, gssize length, const LintContext *context, GPtrArray *repairs)
{
    g_autoptr(GPtrArray) findings = lint_findings_new();
    gsize size = length < 0 ? strlen(raw) : (gsize)length;
    lint_raw(raw, size, context, findings);
    SmtpReply *repaired = repair_parse(raw, size, context);
    repair_in_place(repaired, context, findings);
    if (repairs != NULL)
        lint_add_names(repairs, findings);
    return repaired;
}
