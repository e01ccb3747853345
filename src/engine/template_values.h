/*
 * template_values: what a %{variable} stands for at one decision.
 *
 * Whatever a client, a remote server or another milter may have supplied comes out as one bounded
 * piece of printable 7-bit text. At the footer and rbl doors the session is known to Postfix only:
 * a variable that Postfix can fill in comes out as an attribute mark, which footer and rbl answers
 * turn into "$name" (attribute_mark.h). Threads: one owner.
 */
#pragma once

#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/facts.h"

typedef struct {
    const Policy *policy;
    const Facts *facts;
    const Classification *cause;
    const MatchCaptures *captures; /* NULL: none */
    const SmtpReply *original;     /* NULL: none */
    guint code;                    /* of the reply that is being made; 0: not known */
    EnhancedStatus status;
    const char *reference; /* NULL: none */
    gint64 now_us;
    gboolean for_url; /* values are percent-encoded */
    char *values[VARIABLE_COUNT];
} TemplateValues;

void template_values_clear(TemplateValues *values);

/* A TemplateLookup; `data` is a TemplateValues. */
const char *template_values_lookup(Variable variable, gpointer data);

/* site.help_url with its variables, or NULL: none, or a variable has no value. The caller frees it.
 */
char *template_values_help_url(TemplateValues *values);
