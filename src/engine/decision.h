/*
 * decision: what the engine says about a reply or a message, and why.
 *
 * An open value with owned members; names of rules, checks and findings belong to the policy or to
 * constant tables, so a Decision is cleared before its policy is let go. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "classify/classifier.h"
#include "classify/mail_kind.h"
#include "engine/proof.h"
#include "mail/smtp_reply.h"
#include "policy/policy.h"

typedef enum {
    VERDICT_PASS,  /* nothing of ours: as it was, or the mail goes on */
    VERDICT_REPLY, /* `final` is the reply */
    VERDICT_QUARANTINE,
    VERDICT_DISCARD,
} Verdict;

/* What was left out of a report while it was read. */
typedef enum {
    REPORT_WHOLE,
    REPORT_GAP_MAX_BODY, /* what is behind bounces.max_body */
    REPORT_GAP_LIMITS,   /* more headers, parts or recipients than are read */
    REPORT_GAP_MEMORY,   /* all of it: limits.memory was used up */
} ReportGap;

/* "max_body", "limits", "memory"; NULL for REPORT_WHOLE. */
const char *report_gap_name(ReportGap gap);

typedef struct {
    Verdict verdict;
    SmtpReply *original; /* what was to be said; NULL for a check of ours */
    SmtpReply *final;    /* what is said; NULL for quarantine and discard */
    gboolean changed;    /* final is not original */
    gboolean own;        /* one of our doors made the original: it passes, and has its event */
    GPtrArray *added;    /* of char *: the lines that annotation added (at the footer and rbl tables
                            with attribute marks); or NULL */
    GPtrArray
        *repairs;      /* of const char *: names of findings repaired (engine/lint.h); never NULL */
    char *reference;   /* stands in `final`; NULL: none */
    const char *rule;  /* name of the replies.rules entry that spoke; NULL: the default */
    const char *check; /* name of the checks entry that spoke; NULL: none */
    ReplyMode mode;    /* what was done */
    Disclosure disclosure; /* how much of it */
    Classification cause;
    gint64 filter_us; /* how long the filters took to say it; 0: not measured, or no filter's */
    /* Of a report: */
    gboolean report; /* the original is what it says, and is not ours to change */
    MailKind kind;   /* not-a-bounce: it could not be read (`gap`) */
    Proof proof;
    ReportGap gap;
    char *recipient; /* whom it is about, where only the address that it came to tells; or NULL */
    char *reporting_mta; /* NULL: not known; likewise the others */
    char *remote_mta;
    char *message_id; /* of the original mail */
} Decision;

/* What was said in the end: passing on says the original. NULL for quarantine and discard. */
const SmtpReply *decision_said(const Decision *decision);

void decision_init(Decision *decision);
void decision_clear(Decision *decision);
