/*
 * explanation: the lines that a decision puts into a reply.
 *
 * A rule's own text; where there is none, the category's sentence with its advice, where help is to
 * be found, and the reference. The first sentence stands alone, since many systems show only one
 * line. A line with a variable that has no value is left out; a text left with no line falls back
 * to the category's sentence. Brief is the sentence alone. Threads: any.
 */
#pragma once

#include "engine/template_values.h"
#include "mail/smtp_reply.h"

typedef struct {
    const ReplyTemplate *template; /* NULL or without text: the default's lines */
    Disclosure disclosure;
    TemplateValues
        *values; /* its reference stands in a line of its own if site.reference says so */
} Explanation;

/* A text's lines: those with a value for each variable. The caller unrefs the array of char *. */
GPtrArray *explanation_text(const ReplyTemplate *reply, TemplateValues *values);

/* What is added to `reply`, fitted: at most three lines. The caller unrefs the array of char *. */
GPtrArray *explanation_added(const Explanation *explanation, const SmtpReply *reply);

/* What stands instead of a reply, not yet fitted: at least one line. The caller unrefs it. */
GPtrArray *explanation_instead(const Explanation *explanation);

/* All in one line of at most `limit` octets, or NULL if there is nothing to say. The caller frees
 * it. */
char *explanation_words(const Explanation *explanation, gsize limit);
