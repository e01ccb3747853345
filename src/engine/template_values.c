/*
 * template_values: what a %{variable} stands for at one decision.
 */
#include "engine/template_values.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/attribute_mark.h"
#include "engine/fit.h"
#include "mail/address.h"

/* Octets that a value may take: enough for what is real, too little to push our own words out. */
#define NAME_LIMIT     255
#define ADDRESS_LIMIT  256
#define SHORT_LIMIT    64
#define ORIGINAL_LIMIT 300
#define URL_LIMIT      300
#define GROUP_LIMIT    128

/* Attributes that Postfix expands in a footer (facts 1.5) and in an rbl reply. */
static const struct {
    Variable variable;
    const char *footer, *rbl;
} attributes[] = {
    {VARIABLE_CLIENT_ADDR, "client_address", "client_address"},
    {VARIABLE_CLIENT_NAME, "client_name", "client_name"},
    {VARIABLE_HELO, "helo_name", "helo_name"},
    {VARIABLE_SENDER, "sender", "sender"},
    {VARIABLE_SENDER_DOMAIN, "sender_domain", "sender_domain"},
    {VARIABLE_RECIPIENT, NULL, "recipient"},
    {VARIABLE_RECIPIENT_DOMAIN, NULL, "recipient_domain"},
    {VARIABLE_HOSTNAME, "server_name", "server_name"},
};

void
template_values_clear(TemplateValues *values)
{
    for (guint i = 0; i < VARIABLE_COUNT; i++)
        g_clear_pointer(&values->values[i], g_free);
}

static char *
attribute_for(Door door, Variable variable)
{
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (attributes[i].variable != variable)
            continue;
        const char *name = door == DOOR_FOOTER ? attributes[i].footer
                           : door == DOOR_RBL  ? attributes[i].rbl
                                               : NULL;
        return name == NULL ? NULL : attribute_mark_new(name);
    }
    return NULL;
}

static char *
clean(const char *value, gsize limit)
{
    return value == NULL || *value == '\0' ? NULL : text_clean(value, limit);
}

/* Of a reply: its letters become what they become in the reply itself. */
static char *
clean_text(const char *text, gsize limit)
{
    g_autofree char *plain = fit_clean(text, FALSE);
    return clean(plain, limit);
}

static char *
clean_fact(const TemplateValues *values, Fact fact, gsize limit)
{
    return clean(facts_get(values->facts, fact), limit);
}

/* The null sender has a name of its own. */
static char *
sender_value(const TemplateValues *values)
{
    const char *sender = facts_get(values->facts, FACT_SENDER);
    return sender != NULL && *sender == '\0' ? g_strdup("<>") : clean(sender, ADDRESS_LIMIT);
}

static char *
domain_value(const TemplateValues *values, Fact fact)
{
    const char *address = facts_get(values->facts, fact);
    if (address == NULL)
        return NULL;
    g_autofree char *domain = address_domain(address);
    return clean(domain, NAME_LIMIT);
}

static char *
hostname_value(const TemplateValues *values)
{
    const char *own = policy_settings(values->policy)->site.hostname;
    return clean(own != NULL ? own : values->facts->hostname, NAME_LIMIT);
}

static char *
status_value(const TemplateValues *values)
{
    char buffer[ENHANCED_STATUS_TEXT_SIZE];
    return clean(enhanced_status_format(values->status, buffer), SHORT_LIMIT);
}

static char *
original_value(const TemplateValues *values)
{
    if (values->original == NULL)
        return NULL;
    g_autofree char *text = smtp_reply_text(values->original);
    return clean_text(text, ORIGINAL_LIMIT);
}

static char *
group_value(const TemplateValues *values, Variable variable)
{
    guint group = variable - VARIABLE_GROUP_1;
    if (values->captures == NULL || values->captures->captures == NULL ||
        group >= values->captures->captures->len)
        return NULL;
    const char *text = g_ptr_array_index(values->captures->captures, group);
    return text != NULL ? clean_text(text, GROUP_LIMIT) : NULL;
}

static char *
category_value(const TemplateValues *values, Variable variable)
{
    if (values->cause == NULL)
        return NULL;
    const CategoryInfo *info = category_info(values->cause->category);
    return g_strdup(variable == VARIABLE_CATEGORY      ? info->name
                    : variable == VARIABLE_EXPLANATION ? info->sentence
                                                       : info->advice);
}

/* What is known of the session. */
static char *
session_value(const TemplateValues *values, Variable variable)
{
    switch (variable) {
    case VARIABLE_CLIENT_ADDR:
        return clean_fact(values, FACT_CLIENT, SHORT_LIMIT);
    case VARIABLE_CLIENT_NAME:
        return clean_fact(values, FACT_CLIENT_NAME, NAME_LIMIT);
    case VARIABLE_HELO:
        return clean_fact(values, FACT_HELO, NAME_LIMIT);
    case VARIABLE_SENDER:
        return sender_value(values);
    case VARIABLE_SENDER_DOMAIN:
        return domain_value(values, FACT_SENDER);
    case VARIABLE_RECIPIENT:
        return clean_fact(values, FACT_RECIPIENT, ADDRESS_LIMIT);
    case VARIABLE_RECIPIENT_DOMAIN:
        return domain_value(values, FACT_RECIPIENT);
    case VARIABLE_QUEUE_ID:
        return clean(values->facts->queue_id, SHORT_LIMIT);
    case VARIABLE_HOSTNAME:
        return hostname_value(values);
    default:
        return NULL;
    }
}

/* What belongs to this decision. */
static char *
decision_value(TemplateValues *values, Variable variable)
{
    switch (variable) {
    case VARIABLE_REFERENCE:
        return g_strdup(values->reference);
    case VARIABLE_CODE:
        return values->code == 0 ? NULL : g_strdup_printf("%u", values->code);
    case VARIABLE_STATUS:
        return status_value(values);
    case VARIABLE_ORIGINAL:
        return original_value(values);
    case VARIABLE_CATEGORY:
    case VARIABLE_EXPLANATION:
    case VARIABLE_ADVICE:
        return category_value(values, variable);
    case VARIABLE_HELP_URL:
        return values->for_url ? NULL : template_values_help_url(values);
    case VARIABLE_CONTACT:
        return clean(policy_settings(values->policy)->site.contact, NAME_LIMIT);
    case VARIABLE_TIME:
        return clock_format(values->now_us);
    case VARIABLE_VALUE:
        return values->captures == NULL ? NULL : clean(values->captures->value, ADDRESS_LIMIT);
    default:
        return group_value(values, variable);
    }
}

static char *
value_new(TemplateValues *values, Variable variable)
{
    char *value = session_value(values, variable);
    if (value == NULL)
        value = attribute_for(values->facts->door, variable);
    return value != NULL ? value : decision_value(values, variable);
}

/* What Postfix is to fill in cannot be encoded here. */
static char *
encoded(char *value)
{
    gboolean mark = value != NULL && strchr(value, ATTRIBUTE_MARK) != NULL;
    char *safe = value == NULL || mark ? NULL : g_uri_escape_string(value, NULL, FALSE);
    g_free(value);
    return safe;
}

const char *
template_values_lookup(Variable variable, gpointer data)
{
    TemplateValues *values = data;
    if (values->values[variable] == NULL) {
        char *value = value_new(values, variable);
        values->values[variable] = values->for_url ? encoded(value) : value;
    }
    return values->values[variable];
}

char *
template_values_help_url(TemplateValues *values)
{
    const Template *help_url = policy_settings(values->policy)->site.help_url;
    if (help_url == NULL)
        return NULL;
    TemplateValues in_url = *values;
    memset(in_url.values, 0, sizeof(in_url.values));
    in_url.for_url = TRUE;
    char *url = template_expand(help_url, template_values_lookup, &in_url);
    template_values_clear(&in_url);
    if (url != NULL && strlen(url) > URL_LIMIT)
        g_clear_pointer(&url, g_free);
    return url;
}
