/*
 * explain: what a reply means, gathered for the screen and for JSON alike.
 *
 * The catalogue's rows of the code and the status, the digits' rules for what no table has, whether
 * the two go together, and, where there is text, what the classifier makes of it. Rows belong to
 * the catalogue.
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
    Classification cause; /* of code, status and text together */
} Explanation;

/* `text` as typed: "550 5.7.26", "5.1.1", "421", or a whole reply. FALSE: nothing in it is a code,
 * a status, or a text to classify. The caller clears it. */
gboolean explanation_make(const Classifier *classifier, const char *text, Explanation *explanation);
void explanation_clear(Explanation *explanation);
