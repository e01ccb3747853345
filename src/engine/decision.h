/*
 * decision: what the engine says about a reply or a message, and why.
 *
 * An open value with owned members; names of rules, checks and findings belong to the policy or to
 * constant tables, so a Decision is cleared before its policy is let go. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "classify/classifier.h"
#include "mail/smtp_reply.h"
#include "policy/policy.h"

typedef enum {
    VERDICT_PASS,  /* nothing of ours: as it was, or the mail goes on */
    VERDICT_REPLY, /* `final` is the reply */
    VERDICT_QUARANTINE,
    VERDICT_DISCARD,
} Verdict;

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
} Decision;

void decision_init(Decision *decision);
void decision_clear(Decision *decision);
