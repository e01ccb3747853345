/*
 * meaning: what a reply means, gathered for the screen and for JSON alike.
 *
 * The catalogue's rows of the code and the status, what the classifier makes of code, status and
 * text together, and the likely causes, those first that fit. Rows and causes belong to the
 * catalogue.
 */
#pragma once

#include "catalog/catalog.h"
#include "classify/classifier.h"
#include "mail/smtp_reply.h"

typedef struct {
    SmtpReply *reply;
    const CatalogReplyCode *code; /* NULL: no code, or one that no table has */
    const CatalogStatus *status;  /* likewise */
    gboolean has_text;
    gboolean is_failure;
    Classification cause; /* of code, status and text together */
    GPtrArray *readings;  /* of const CatalogReading *, each once */
    guint fitting;        /* so many of them, at the front, fit what this reply says */
} Meaning;

/* Is there a text in it, so that a classifier is needed that reads texts? */
gboolean meaning_has_text(const char *text);

/* `text` as typed: "550 5.7.26", "5.1.1", "421", a whole reply, or a line of a mail log. FALSE:
 * nothing in it is a code, a status, or a text to classify. The caller clears it either way. */
gboolean meaning_make(const Classifier *classifier, const char *text, Meaning *meaning);
void meaning_clear(Meaning *meaning);

/* The causes that the catalogue has for a category: GPtrArray of const CatalogReading *, each once.
 * The caller unrefs it. */
GPtrArray *meaning_readings_of(Category category);

/* The codes and statuses with such a cause, "450 550 5.1.1 ...". The caller frees it. */
char *meaning_codes_of(Category category);
