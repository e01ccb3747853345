/*
 * classifier: a reply -> category, permanence, action, confidence, evidence.
 *
 * In this order: rules of the provider that the remote host belongs to; text patterns (data/), the
 * highest weight wins, ties by order; the enhanced status; the reply code with its stage; the first
 * digit. A category never depends on who asks: a reply seen at a table and the same text reported
 * by a bounce get the same answer. Whether a failure is final is the caller's knowledge (a reply, a
 * report that gave up, a delay), not the category's.
 *
 * A Classifier is immutable and counted; any thread may use it.
 */
#pragma once

#include <glib.h>

#include "catalog/category.h"
#include "classify/layout.h"
#include "mail/smtp_reply.h"

typedef struct Classifier Classifier;

typedef enum {
    CONFIDENCE_LOW,    /* the first digit alone, or nothing */
    CONFIDENCE_MEDIUM, /* a generic text, or a specific status */
    CONFIDENCE_HIGH,   /* a provider's own rule, or a specific text */
} Confidence;

typedef enum {
    FINALITY_REPLY,   /* a reply: 5xx is final, 4xx is not */
    FINALITY_FAILED,  /* a report that gave up (Action: failed), whatever its digits */
    FINALITY_DELAYED, /* still being tried */
} Finality;

/* What is classified. Everything is borrowed. */
typedef struct {
    const SmtpReply *reply;
    const char *remote_name; /* host that said it; NULL: reply->remote_name, else unknown */
    SmtpStage stage;         /* unknown: reply->stage */
    Finality finality;
} ClassifierSubject;

typedef struct {
    Category category;
    gboolean permanent;
    Action action;
    Confidence confidence;
    char *rule;  /* id of the rule that decided, "status", "code", "digit", or "none"; never NULL */
    char *match; /* what it matched, as originally written; NULL if nothing textual */
    const char *provider; /* "google"; NULL if unknown. Constant, lives as long as the program */
    gint64 retry_after;   /* seconds the text asks for ("try again in 5 minutes"); -1: none */
    char *dnsbl;          /* "zen.spamhaus.org"; NULL: none named */
    guint weight;         /* of the rule that decided (data/rules/README); 0: numbers did */
} Classification;

void classification_clear(Classification *classification);
void classification_copy(const Classification *from, Classification *to);

/* Takes the patterns of data/ as the build has compiled them: some milliseconds (most of a second
 * where they must be compiled again, classify/compiled_patterns.h). NULL and an error that names
 * the rule at fault. */
Classifier *classifier_new(GError **error);

/* One that reads codes and statuses and no text: for those who have only numbers to ask about. */
Classifier *classifier_new_for_numbers(void);

Classifier *classifier_ref(Classifier *classifier);
void classifier_unref(Classifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Classifier, classifier_unref)

/* The layouts of reports (classify/layout.h); NULL if it reads no text. Lives as long as it does.
 */
const Layouts *classifier_layouts(const Classifier *classifier);

/* Fills `result`, which the caller clears. Never fails: what nothing says is `unclassified`. */
void classifier_reply(const Classifier *classifier, const ClassifierSubject *subject,
                      Classification *result);

/*
 * Makes it another category with all that follows from it for this subject, with high confidence.
 * Provider, block list and time to come back stay as they are. `rule` and `match` (which may be
 * NULL) are copied.
 */
void classification_overrule(Classification *classification, const ClassifierSubject *subject,
                             Category category, const char *rule, const char *match);

/* The names that Classification.provider can have, ending with NULL. */
const char *const *classifier_providers(void);

const char *confidence_name(Confidence confidence); /* "low", "medium", "high" */
