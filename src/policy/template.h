/*
 * template: a text with %{variables}, compiled at load.
 *
 * "%{name}" stands for a value, "%{1}" to "%{9}" for a regex group, "%%" for a percent sign; any
 * other '%' is itself. A text whose variable has no value is left out by the engine.
 *
 * Immutable after load; any thread may expand.
 */
#pragma once

#include <glib.h>

typedef struct Template Template;

typedef enum {
    VARIABLE_CLIENT_ADDR,
    VARIABLE_CLIENT_NAME,
    VARIABLE_HELO,
    VARIABLE_SENDER,
    VARIABLE_SENDER_DOMAIN,
    VARIABLE_RECIPIENT,
    VARIABLE_RECIPIENT_DOMAIN,
    VARIABLE_QUEUE_ID,
    VARIABLE_HOSTNAME,
    VARIABLE_REFERENCE,
    VARIABLE_CODE,
    VARIABLE_STATUS,
    VARIABLE_ORIGINAL,
    VARIABLE_CATEGORY,
    VARIABLE_EXPLANATION,
    VARIABLE_ADVICE,
    VARIABLE_HELP_URL,
    VARIABLE_CONTACT,
    VARIABLE_TIME,
    VARIABLE_VALUE,
    VARIABLE_GROUP_1, /* and the eight behind it */
    VARIABLE_COUNT = VARIABLE_GROUP_1 + 9
} Variable;

const char *variable_name(Variable variable);
const char *const *variable_names(void); /* without the groups; ends with NULL */

/* NULL and an error: an unknown variable (with the nearest known one), an unclosed "%{", octets
 * that cannot stand in a reply. */
Template *template_new(const char *text, GError **error);
void template_free(Template *template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Template, template_free)

/* A value for the template, in one piece and clean, or NULL: there is none. Belongs to the callee.
 */
typedef const char *(*TemplateLookup)(Variable variable, gpointer data);

/* The text, or NULL if a variable had no value. The caller frees it. */
char *template_expand(const Template *template, TemplateLookup lookup, gpointer data);

gboolean template_uses(const Template *template, Variable variable);
const char *template_text(const Template *template);
