/*
 * failure: what is known of one recipient's failure, while it is being gathered.
 *
 * A report says the same thing several times and not equally well: "Diagnostic-Code: smtp; 554
 * Service unavailable" in its fields, "user unknown" in its text. Texts are added in the order in
 * which they are trusted; the one that says most, by the weight of the rule that reads it, is kept,
 * of equal ones the first. The status is the one that the kept text has; one that says nothing
 * (X.0.0) yields to a better one in the report's field.
 *
 * Threads: one at a time.
 */
#pragma once

#include "classify/bounce.h"

typedef struct Failure Failure;

/*
 * What the failures of one report have in common. One long text may stand for thousands of
 * recipients: it is classified once.
 */
typedef struct {
    const Classifier *classifier;
    /* private: the last long text, and what it meant under these circumstances */
    char *text, *remote_mta;
    EnhancedStatus status;
    SmtpStage stage;
    MailKind kind;
    Classification meaning;
} FailureReader;

void failure_reader_init(FailureReader *reader, const Classifier *classifier);
void failure_reader_clear(FailureReader *reader);

/* `recipient` and `remote_mta` are copied; "" if not known. */
Failure *failure_new(FailureReader *reader, MailKind kind, const char *recipient,
                     EnhancedStatus status, const char *remote_mta);

/* A text, one line or many; empty ones are left out. */
void failure_add(Failure *failure, const char *text);

/*
 * The same of words that the reporting system chose for its reader. They are guesses where it had a
 * remote host's reply: "the address couldn't be found, or is unable to receive mail" gives no
 * address up if that reply does not say so.
 */
void failure_add_prose(Failure *failure, const char *text);

/* Nothing better need be looked for? */
gboolean failure_is_clear(const Failure *failure);

/* Frees the failure. Never NULL. */
BounceRecipient *failure_end(Failure *failure);

/* One of a kind that is no failure: delivered, feedback, auto-reply. All are copied. */
BounceRecipient *failure_none(MailKind kind, const char *recipient, const char *text,
                              EnhancedStatus status, const char *remote_mta);

void bounce_recipient_free(BounceRecipient *recipient);
