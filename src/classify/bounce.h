/*
 * bounce: a mail -> what kind it is, whom it speaks of, and what each failure means.
 *
 * In this order: a feedback report; a delivery status notification (its fields, helped out by the
 * layout's text where the fields say little); a known layout of a real MTA (data/layouts/); free
 * text in a mail that a mail system sent; an automatic answer; else not a bounce. Whether a failure
 * is final comes from the report's Action and text, never from the category: a delay warning is
 * `delay`, whatever its digits, and a success report `delivered`. Ordinary mail is never taken for
 * a failure because it quotes one.
 *
 * Hostile input: the view is bounded, and so are recipients and texts; what was left out is told by
 * `truncated`. At worst a view and its bounce take 128 MiB beside the mail (16 MiB of letters that
 * grow in UTF-8; one long text for BOUNCE_MAX_RECIPIENTS), and half a second
 * (tests/unit/test_bounce_hostile.c).
 *
 * Threads: any; a bounce belongs to its owner.
 */
#pragma once

#include "classify/classifier.h"
#include "classify/mail_kind.h"
#include "mail/mime_view.h"

typedef struct {
    char *recipient;  /* who was not reached; "" if the report does not say */
    MailKind kind;    /* a report may tell of failures and of successes */
    SmtpReply *reply; /* what was said, with the code and status to go by; never NULL */
    char *text;       /* the same as one line, for a reader; never NULL */
    char *remote_mta; /* who said it; "" if not known */
    Classification classification;
} BounceRecipient;

typedef struct {
    MailKind kind;      /* the worst of its recipients' (failure before delay before delivered) */
    const char *layout; /* what it was read by: "dsn", "qmail", ...; constant; NULL: nothing */
    GPtrArray *recipients; /* of BounceRecipient *; empty for not-a-bounce */
    char *reporting_mta;   /* "" if not known */
    char *message_id;      /* of the original mail, without <>; "" if not known */
    char *original_sender; /* the original's envelope sender or From; "" if not known */
    gboolean truncated;    /* not all of the mail was read */
} Bounce;

#define BOUNCE_MAX_RECIPIENTS 10000

/* Never NULL, never fails. Nothing of the view is kept. */
Bounce *bounce_read(const Classifier *classifier, const MimeView *view);
void bounce_free(Bounce *bounce);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bounce, bounce_free)
