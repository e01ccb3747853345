/*
 * catalog: what every reply code and every enhanced status code means, who is at fault, what to do,
 * and which codes, statuses and stages go together.
 *
 * Sources: RFC 5321 and its extensions, RFC 3463 and the IANA registry of enhanced status codes;
 * pseudo codes seen in the wild are known as such. The tables are generated from data/ and
 * constant. A code that no table has is read by its digits (RFC 5321 section 4.2.1, RFC 3463
 * section 3). Threads: any.
 */
#pragma once

#include <glib.h>

#include "catalog/category.h"
#include "mail/enhanced_status.h"
#include "mail/smtp_stage.h"

typedef enum {
    CATALOG_RFC,      /* an RFC defines it */
    CATALOG_REGISTRY, /* only an associated code in the IANA table */
    CATALOG_DRAFT,    /* an expired draft */
    CATALOG_WILD,     /* seen in the field only, not an SMTP reply code by any document */
} CatalogOrigin;

/* One of the likely causes of a reply. 450, 550, 552 and 554 are not one thing. */
typedef struct {
    const char *name;   /* "unknown-mailbox" */
    const char *cause;  /* why it happens: one or two plain sentences */
    const char *sender; /* what the sender does */
    const char *admin;  /* what the admin of the receiving system does */
    Category category;  /* what the classifier calls it */
} CatalogReading;

typedef struct {
    guint code;
    const char *title;   /* a few words */
    const char *meaning; /* in our own plain words: a sentence or two */
    const char *retry;   /* whether and how to try again: a sentence */
    CatalogOrigin origin;
    const char *source; /* "RFC 5321", "RFC 4954; RFC 5248" */
    guint stages;    /* bits 1 << SmtpStage: where a document allows it; 0: nowhere in particular */
    guint tolerated; /* bits: where only practice has it (554 at RCPT) */
    const char *statuses; /* the usual ones, "5.1.1 5.2.1" or "2.x.x"; "" where none belongs */
    const char *note;     /* or "" */
    const CatalogReading *readings;
    guint reading_count; /* at least one for 4xx and 5xx */
} CatalogReplyCode;

typedef struct {
    guint16 subject, detail;
    guint16 last_detail; /* detail, but in a block of numbers that a provider uses for one thing */
    guint classes;       /* bits 1 << class: which classes the defining text allows, or are seen */
    const char *title;
    const char *meaning;
    const char *retry;
    CatalogOrigin origin;
    const char *source;
    const char *codes; /* reply codes that go with it: "550 551", "550 5xx", "any" */
    const char *note;
    const CatalogReading *readings;
    guint reading_count;
    guint16 instead_subject, instead_detail; /* of a deprecated one: see catalog_status_instead() */
} CatalogStatus;

/*
 * The sentences that any code gets from its digits, or NULL if the digit means nothing. For a
 * status that is not set, all three are NULL.
 */
const char *catalog_first_digit(guint code);
const char *catalog_second_digit(guint code);
const char *catalog_third_digit(guint code); /* what the last digit can and cannot tell */
const char *catalog_status_class(EnhancedStatus status);
const char *catalog_status_subject(EnhancedStatus status);
const char *catalog_status_detail(EnhancedStatus status);

/*
 * NULL if the tables do not have it. A registered status is found in any class (4.1.1: X.1.1); a
 * wild one only in a class in which it is seen, and the narrowest block wins.
 */
const CatalogReplyCode *catalog_reply_code(guint code);
const CatalogStatus *catalog_status(EnhancedStatus status);

/* What is sent in place of a deprecated status; of any other: itself. */
EnhancedStatus catalog_status_instead(EnhancedStatus status);

/* All rows in ascending order: by code; by subject, detail and last detail. */
const CatalogReplyCode *catalog_reply_codes(guint *count);
const CatalogStatus *catalog_statuses(guint *count);

typedef enum {
    CATALOG_PAIR_GOOD,     /* a document, the registry or common practice has the two together */
    CATALOG_PAIR_UNUSUAL,  /* nothing forbids it, nothing names it */
    CATALOG_PAIR_CLASS,    /* the class is not the code's first digit: MTAs drop the reply */
    CATALOG_PAIR_MISPLACED /* no enhanced status belongs to such a reply: greeting, HELO, 3xx */
} CatalogPair;

/* A status that is not set goes with any code. */
CatalogPair catalog_pair(guint code, EnhancedStatus status);

/*
 * May a reply with this code at this stage carry an enhanced status? RFC 2034 section 4: not the
 * greeting, not the answers to HELO and EHLO, no 3yz. Refusals at connect and HELO carry one in
 * practice, and may.
 */
gboolean catalog_takes_status(guint code, SmtpStage stage);

typedef enum {
    CATALOG_STAGE_GOOD,
    CATALOG_STAGE_TOLERATED, /* practice has it, no document does */
    CATALOG_STAGE_WRONG,
    CATALOG_STAGE_UNKNOWN /* the code or the stage is not known */
} CatalogStageVerdict;

CatalogStageVerdict catalog_code_at_stage(guint code, SmtpStage stage);

/*
 * The best code of the same class for a stage at which `code` is wrong; `code` itself if it is not,
 * or if nothing fits. It never answers 421 or 521, which make the MTA hang up, for another code.
 */
guint catalog_code_for_stage(guint code, SmtpStage stage);

/*
 * The status that says most about this code at this stage with nothing else known. It does not
 * guess: 550 at RCPT is 5.7.1, for a wrong 5.1.1 makes senders give up good addresses. None where
 * catalog_takes_status() says no, and for 1yz, 211 and 214.
 */
EnhancedStatus catalog_default_status(guint code, SmtpStage stage);
