/*
 * lint: every rule that a reply breaks, each with a name, a sentence for people, and its repair.
 *
 * What only the octets show (line breaks, '%') is found here; the rest is found by repair and fit,
 * as they repair it.
 */
#include "engine/lint.h"

#include <string.h>

#include "engine/milter_text.h"
#include "engine/repair.h"

static const char *const names[LINT_RULE_COUNT] = {
    [LINT_CODE_MISSING] = "code-missing",
    [LINT_CODE_UNKNOWN] = "code-unknown",
    [LINT_CODE_AT_STAGE] = "code-at-stage",
    [LINT_CODES_DIFFER] = "codes-differ",
    [LINT_LINE_CODE_MISSING] = "line-code-missing",
    [LINT_LINE_MARK] = "line-mark",
    [LINT_HANGUP] = "hangup",
    [LINT_CLASS_MISMATCH] = "class-mismatch",
    [LINT_STATUS_MISSING] = "status-missing",
    [LINT_STATUS_MISPLACED] = "status-misplaced",
    [LINT_STATUS_MALFORMED] = "status-malformed",
    [LINT_STATUS_DEPRECATED] = "status-deprecated",
    [LINT_STATUS_VAGUE] = "status-vague",
    [LINT_STATUS_TWICE] = "status-twice",
    [LINT_STATUSES_DIFFER] = "statuses-differ",
    [LINT_TEXT_EMPTY] = "text-empty",
    [LINT_BARE_CR] = "bare-cr",
    [LINT_BARE_LF] = "bare-lf",
    [LINT_LINE_END] = "line-end",
    [LINT_CONTROL_OCTET] = "control-octet",
    [LINT_8_BIT_OCTET] = "8-bit-octet",
    [LINT_PERCENT_LONE] = "percent-lone",
    [LINT_LINE_TOO_LONG] = "line-too-long",
    [LINT_TOO_MANY_LINES] = "too-many-lines",
    [LINT_TOO_LONG] = "too-long",
};

const char *
lint_rule_name(LintRule rule)
{
    g_assert(rule < LINT_RULE_COUNT);
    return names[rule];
}

void
lint_finding_free(LintFinding *finding)
{
    g_free(finding->sentence);
    g_free(finding->repair);
    g_free(finding);
}

GPtrArray *
lint_findings_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)lint_finding_free);
}

void
lint_note(GPtrArray *findings, LintRule rule, guint line, char *sentence, char *repair)
{
    LintFinding *finding = g_new0(LintFinding, 1);
    finding->rule = rule;
    finding->line = line;
    finding->sentence = sentence;
    finding->repair = repair;
    if (findings != NULL)
        g_ptr_array_add(findings, finding);
    else
        lint_finding_free(finding);
}

void
lint_add_names(GPtrArray *repairs, const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        const LintFinding *finding = g_ptr_array_index(findings, i);
        gpointer name = (gpointer)lint_rule_name(finding->rule);
        if (!g_ptr_array_find(repairs, name, NULL))
            g_ptr_array_add(repairs, name);
    }
}

/* ---- the octets ----------------------------------------------------------------------------- */

/* Where each kind of fault first stands: a line's number, 1-based; 0: nowhere. */
typedef struct {
    guint bare_cr, bare_lf, nul, uncoded, line;
} OctetFaults;

/* Looks at the octet at `at`; returns how many belong to it. */
static gsize
look_at_octet(const char *raw, gsize length, gsize at, OctetFaults *faults)
{
    gsize taken = 1;
    char octet = raw[at];
    if (octet == '\0' && faults->nul == 0)
        faults->nul = faults->line;
    if (octet != '\r' && octet != '\n')
        return 1;
    if (octet == '\r' && at + 1 < length && raw[at + 1] == '\n')
        taken = 2;
    else if (octet == '\r' && faults->bare_cr == 0)
        faults->bare_cr = faults->line;
    else if (octet == '\n' && faults->bare_lf == 0)
        faults->bare_lf = faults->line;
    faults->line++;
    gsize next = at + taken;
    if (next < length && strchr(" \t\r\n", raw[next]) != NULL && raw[next] != '\0' &&
        faults->uncoded == 0)
        faults->uncoded = faults->line;
    return taken;
}

static void
note_line_breaks(GPtrArray *findings, const OctetFaults *faults)
{
    if (faults->bare_cr != 0)
        lint_note(findings, LINT_BARE_CR, faults->bare_cr,
                  g_strdup("A CR stands without its LF; some programs end the line there, others "
                           "do not."),
                  g_strdup("The reply is split there into lines, each with code and status."));
    if (faults->bare_lf != 0)
        lint_note(findings, LINT_BARE_LF, faults->bare_lf,
                  g_strdup("An LF stands without its CR; MTAs send it as it is, and what follows "
                           "can pass for another reply."),
                  g_strdup("Lines end with CR and LF, each has code and status."));
    if (faults->nul != 0)
        lint_note(findings, LINT_CONTROL_OCTET, faults->nul,
                  g_strdup("A NUL octet cuts the reply short in most programs."),
                  g_strdup("It becomes a space."));
    if (faults->uncoded != 0)
        lint_note(findings, LINT_LINE_CODE_MISSING, faults->uncoded,
                  g_strdup_printf("Line %u does not begin with the reply code.", faults->uncoded),
                  g_strdup("An empty line is left out, an indented one goes on with the line "
                           "before."));
}

static void
lint_octets(const char *raw, gsize length, GPtrArray *findings)
{
    OctetFaults faults = {.line = 1};
    gsize end = length;
    while (end > 0 && (raw[end - 1] == '\r' || raw[end - 1] == '\n'))
        end--;
    if (end < length)
        lint_note(findings, LINT_LINE_END, 0,
                  g_strdup("A line break stands behind the last line; Postfix sends an empty line "
                           "after it."),
                  g_strdup("It is left out: the MTA adds its own."));
    for (gsize at = 0; at < end;)
        at += look_at_octet(raw, end, at, &faults);
    note_line_breaks(findings, &faults);
}

void
lint_raw(const char *raw, gsize length, const LintContext *context, GPtrArray *findings)
{
    if (length > SMTP_REPLY_MAX_TEXT) {
        length = SMTP_REPLY_MAX_TEXT;
        lint_note(findings, LINT_TOO_LONG, 0,
                  g_strdup_printf("The reply has more than %d octets.", SMTP_REPLY_MAX_TEXT),
                  g_strdup("The rest is left out."));
    }
    lint_octets(raw, length, findings);
    if (context->milter_text && milter_text_lone_percent(raw, length) >= 0)
        lint_note(
            findings, LINT_PERCENT_LONE, 0,
            g_strdup("A '%' stands alone in a milter's text: Postfix drops it, Sendmail sends "
                     "its own reply in place of this one."),
            g_strdup("It is written as \"%%\"."));
}

GPtrArray *
lint_reply(const char *raw, gssize length, const LintContext *context)
{
    GPtrArray *findings = lint_findings_new();
    gsize size = length < 0 ? strlen(raw) : (gsize)length;
    lint_raw(raw, size, context, findings);
    g_autoptr(SmtpReply) reply = repair_parse(raw, size, context);
    repair_in_place(reply, context, findings);
    return findings;
}
