/*
 * filter_reply: what another milter behind us says to a command -> what we say.
 *
 * Its refusal goes the way of every reply (engine.h). The text of a REPLYCODE is taken as it came,
 * however broken: MTAs would send it in pieces, or a reply of their own in its place. Pure;
 * threads: any, each with its own Decision.
 */
#pragma once

#include "engine/engine.h"

typedef enum {
    FILTER_ANSWER_REPLY,           /* REPLYCODE: `text` is what it says */
    FILTER_ANSWER_REJECT,          /* the others are without a text */
    FILTER_ANSWER_TEMPFAIL,        /* */
    FILTER_ANSWER_SHUTDOWN,        /* 421, and the connection is closed */
    FILTER_ANSWER_CONN_FAIL,       /* likewise */
    FILTER_ANSWER_FAILED_TEMPFAIL, /* it could not be asked: its on_failure */
    FILTER_ANSWER_FAILED_REJECT,
} FilterAnswerKind;

/* Borrowed. */
typedef struct {
    FilterAnswerKind kind;
    const char *filter; /* its name in the policy */
    const char *text;   /* raw: '%' doubled, lines with CRLF if it is well made; NULL: "" */
    gsize length;       /* octets; NULs may be among them */
    gint64 spent_us;    /* until it was there; for the event */
    gboolean untouched; /* the MTA's own mail: said as it came, repaired only where it could not be
                           sent; no rule is asked */
} FilterAnswer;

/*
 * Decides about an answer at facts->stage. The facts become those of the filter door, for the event
 * too, until filter_reply_leave(). `decision` has been initialised; its `final` is what to say
 * whatever the verdict: its code is 4xx or 5xx and decides between SMFIS_TEMPFAIL and SMFIS_REJECT,
 * and 421 closes the connection. `original` is what the MTA would have said by itself, or what the
 * filter did.
 */
void filter_reply_decide(const Policy *policy, Facts *facts, const FilterAnswer *answer,
                         const EngineMoment *moment, Decision *decision);

/*
 * Likewise for what is no reply: VERDICT_QUARANTINE or VERDICT_DISCARD. `reason`, the filter's own
 * words, may be NULL; it tells the category where it can.
 */
void filter_reply_act(const Policy *policy, Facts *facts, const char *filter, Verdict verdict,
                      const char *reason, gint64 spent_us, Decision *decision);

/* The facts are those of the milter door again. */
void filter_reply_leave(Facts *facts);

/* The facts as for an answer, for the event of a failure. */
void filter_reply_enter(Facts *facts, const char *filter);
