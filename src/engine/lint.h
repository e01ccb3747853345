/*
 * lint: every rule that a reply breaks, each with a name, a sentence for people, and its repair.
 *
 * The rules are those of RFC 5321, RFC 2034 and RFC 3463, and what MTAs and libmilter really do
 * with a reply that breaks them (drop it, replace it, hang up, send it in pieces). engine/repair.h
 * repairs each of them, in the same pass, so that the two cannot drift apart: a repaired reply has
 * no finding. Pure; threads: any.
 */
#pragma once

#include <glib.h>

#include "classify/classifier.h"
#include "mail/smtp_reply.h"

typedef enum {
    LINT_CODE_MISSING,      /* code-missing */
    LINT_CODE_UNKNOWN,      /* code-unknown: no document and no MTA has it */
    LINT_CODE_AT_STAGE,     /* code-at-stage */
    LINT_CODES_DIFFER,      /* codes-differ: not the same on each line */
    LINT_LINE_CODE_MISSING, /* line-code-missing: on one of several lines */
    LINT_LINE_MARK,         /* line-mark: '-' on all lines but the last */
    LINT_HANGUP,            /* hangup: 421 or 521, at which the MTA hangs up */
    LINT_CLASS_MISMATCH,    /* class-mismatch: 550 with 4.7.1 */
    LINT_STATUS_MISSING,    /* status-missing */
    LINT_STATUS_MISPLACED,  /* status-misplaced: greeting, HELO, 3xx */
    LINT_STATUS_MALFORMED,  /* status-malformed: 5.7.1234 */
    LINT_STATUS_DEPRECATED, /* status-deprecated: 5.6.10, a double of 5.6.8 */
    LINT_STATUS_VAGUE,      /* status-vague: 5.7.1 where a specific one is known; from filters */
    LINT_STATUS_TWICE,      /* status-twice: again in the text */
    LINT_STATUSES_DIFFER,   /* statuses-differ: not the same on each line */
    LINT_TEXT_EMPTY,        /* text-empty */
    LINT_BARE_CR,           /* bare-cr */
    LINT_BARE_LF,           /* bare-lf */
    LINT_LINE_END,          /* line-end: a line break behind the last line */
    LINT_CONTROL_OCTET,     /* control-octet: NUL and others; TAB is allowed */
    LINT_8_BIT_OCTET,       /* 8-bit-octet: without SMTPUTF8, or not UTF-8 */
    LINT_PERCENT_LONE,      /* percent-lone: in a milter's text */
    LINT_LINE_TOO_LONG,     /* line-too-long: more than 512 octets with CRLF */
    LINT_TOO_MANY_LINES,    /* too-many-lines: more than libmilter takes */
    LINT_TOO_LONG,          /* too-long: more than is read at all */
    LINT_RULE_COUNT
} LintRule;

/* "class-mismatch": constant, and not translated; events and users' filters know it. */
const char *lint_rule_name(LintRule rule);

/* What is known about the reply. Everything is borrowed; zeroed: nothing. */
typedef struct {
    SmtpStage stage; /* at which the client hears it: what a milter says at connect or HELO is heard
                        at MAIL. Unknown: the reply's own */
    const Classification *cause; /* NULL: not classified */
    const char *address; /* the mailbox that Sendmail puts before the text at MAIL and RCPT; NULL:
                            not known, then no room is left for it */
    gboolean smtputf8;   /* the client has announced SMTPUTF8: UTF-8 may stay */
    gboolean hangup_intended; /* 421 and 521 mean what they do */
    gboolean milter_text;     /* a raw text for a milter's wire or libmilter: '%' stands doubled */
    gboolean must_refuse;     /* 2xx and 3xx are no answers, as from a milter */
    gboolean specific_status; /* a vague status becomes that of the cause (specific_status.h) */
    gboolean without_code;    /* a delivery status: "5.1.1 text", no reply code belongs to it */
} LintContext;

typedef struct {
    LintRule rule;
    guint line;     /* 1-based; 0: the reply as a whole */
    char *sentence; /* "Reply code 550 and enhanced status 4.7.1 disagree about ..." */
    char *repair;   /* "The status becomes 5.7.1." */
} LintFinding;

void lint_finding_free(LintFinding *finding);

/* An array for findings: GPtrArray of LintFinding, which it owns. */
GPtrArray *lint_findings_new(void);

/*
 * Lints a reply as it was written: `length` octets, -1 for up to the NUL. The findings stand in the
 * order in which they are repaired; an empty array: nothing to find. The caller unrefs it.
 */
GPtrArray *lint_reply(const char *raw, gssize length, const LintContext *context);

/* For repair and fit: appends a finding; `sentence` and `repair` are taken. NULL array: nothing. */
void lint_note(GPtrArray *findings, LintRule rule, guint line, char *sentence, char *repair);

/* Adds the constant names of the findings, each once: repairs is a GPtrArray of const char *. */
void lint_add_names(GPtrArray *repairs, const GPtrArray *findings);

/* For repair: what only the octets of a reply as it was written show. */
void lint_raw(const char *raw, gsize length, const LintContext *context, GPtrArray *findings);
