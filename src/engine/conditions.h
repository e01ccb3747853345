/*
 * conditions: does what is known meet a `when`?
 *
 * A MatchView holds the facts and the reply in the form that matchers read, each worked out at most
 * once for all rules. A condition on a fact that is not known never matches, negated or not.
 * Threads: one owner.
 */
#pragma once

#include "classify/classifier.h"
#include "engine/facts.h"
#include "mail/smtp_reply.h"
#include "policy/policy.h"

typedef struct {
    const Facts *facts;
    const SmtpReply *reply;      /* NULL: there is none */
    const Classification *cause; /* NULL: there is none */
    char code[16];
    char status[ENHANCED_STATUS_TEXT_SIZE];
    char size[24];
    char *text;               /* NULL: not needed yet */
    const char **headers;     /* NULL: not needed yet; ends with NULL */
    const char *one_value[2]; /* room for the list of a fact with one value */
} MatchView;

typedef enum {
    CONDITION_HOLDS,
    CONDITION_FAILS,
    CONDITION_UNKNOWN, /* the door does not know the fact */
} ConditionOutcome;

/* Borrows all three, for as long as the view is used. */
void match_view_init(MatchView *view, const Facts *facts, const SmtpReply *reply,
                     const Classification *cause);
void match_view_clear(MatchView *view);

/* The values of a fact, ending with NULL; NULL if it is not known. Good until the next call. */
const char *const *match_view_values(MatchView *view, Fact fact);

/* `captures` may be NULL. */
ConditionOutcome condition_try(MatchView *view, const Condition *condition,
                               MatchCaptures *captures);

/* All of them? `captures` may be NULL, else it has been cleared and is left so if not. */
gboolean conditions_hold(MatchView *view, const GArray *conditions, MatchCaptures *captures);

/*
 * Is one of them about this very reply: on code, status, text, category or stage, and not one that
 * any other value would meet ("*", "!5.1.1")?
 */
gboolean conditions_name_reply(const GArray *conditions);
