/*
 * tally: how many of what `replyctl classify` has seen: the summary.
 *
 * A plain value, all zero at first. Threads: one owner.
 */
#pragma once

#include "classify/classifier.h"
#include "classify/mail_kind.h"

#define TALLY_PROVIDERS 128

typedef struct {
    guint64 mails, lines;           /* that were read */
    guint64 partly;                 /* mails of which not all was read */
    guint64 kinds[MAIL_KIND_COUNT]; /* of results */
    guint64 dead;                   /* results that say: the address is dead */
    guint64 categories[CATEGORY_COUNT];
    guint64 actions[ACTION_COUNT];
    guint64 providers[TALLY_PROVIDERS]; /* in the order of classifier_providers() */
    guint64 others;                     /* no provider that is known */
} Tally;

/* `cause` NULL: there is none (not a bounce). */
void tally_count(Tally *tally, MailKind kind, const Classification *cause);
void tally_add(Tally *tally, const Tally *more);

/* Prints on standard output, for people. */
void tally_print(const Tally *tally);
