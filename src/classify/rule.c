/*
 * rule: look-ups in the tables that scripts/generate-rules makes.
 */
#include "classify/rule.h"

#include <string.h>

#include "classify/compiled_patterns.h"

typedef struct {
    const char *host;
    gint8 provider;
} ProviderHost;

typedef struct {
    const char *domain, *zone;
} DnsList;

typedef struct {
    guint16 subject;
    gint16 detail; /* -1: any */
    Category category;
} StatusRule;

typedef struct {
    guint code;
    SmtpStage stage; /* SMTP_STAGE_COUNT: any */
    Category category;
} CodeRule;

enum { ANY_CLASS = 0, NO_STATUS = 1 };

/* Numbers that are enough for a rule (a way), or without which its patterns do not count (a limit).
 */
typedef struct {
    guint16 rule;
    guint16 code_first, code_last;
    guint8 class; /* of the status; ANY_CLASS, NO_STATUS */
    guint16 subject_first, subject_last, detail_first, detail_last;
} RuleCondition;

#include "classify/rule_table.h" /* generated */

const Rule *
rule_get(guint index)
{
    g_assert(index < G_N_ELEMENTS(rules));
    return &rules[index];
}

guint
rule_count(void)
{
    return G_N_ELEMENTS(rules);
}

static const RulePattern *
patterns_of(RuleField field, guint *count)
{
    *count = field == RULE_TEXT ? G_N_ELEMENTS(text_patterns) : G_N_ELEMENTS(name_patterns);
    return field == RULE_TEXT ? text_patterns : name_patterns;
}

const RulePattern *
rule_pattern(RuleField field, guint index)
{
    guint count;
    const RulePattern *patterns = patterns_of(field, &count);
    g_assert(index < count);
    return &patterns[index];
}

const Rule *
rule_of_pattern(RuleField field, guint index)
{
    return rule_get(rule_pattern(field, index)->rule);
}

guint
rule_pattern_count(RuleField field)
{
    guint count;
    patterns_of(field, &count);
    return count;
}

PatternSet *
rule_patterns_load(RuleField field, GError **error)
{
    guint count;
    const RulePattern *patterns = patterns_of(field, &count);
    g_autofree PatternSpec *specs = g_new(PatternSpec, count);
    for (guint i = 0; i < count; i++)
        specs[i] = (PatternSpec){patterns[i].where, patterns[i].expression, TRUE};
    return compiled_patterns_load(field == RULE_TEXT ? COMPILED_RULE_TEXTS : COMPILED_RULE_NAMES,
                                  specs, count, error);
}

static gboolean
condition_holds(const RuleCondition *condition, guint code, EnhancedStatus status)
{
    if (code < condition->code_first || code > condition->code_last)
        return FALSE;
    if (condition->class == NO_STATUS || !enhanced_status_is_set(status))
        return condition->class == NO_STATUS
                   ? !enhanced_status_is_set(status)
                   : condition->class == ANY_CLASS && condition->subject_last == 999;
    return (condition->class == ANY_CLASS || condition->class == status.class) &&
           status.subject >= condition->subject_first &&
           status.subject <= condition->subject_last && status.detail >= condition->detail_first &&
           status.detail <= condition->detail_last;
}

gboolean
rule_allows(const Rule *rule, guint code, EnhancedStatus status)
{
    const RuleCondition *limit = &limits[rule->first_limit];
    for (guint i = 0; i < rule->limit_count; i++)
        if (condition_holds(&limit[i], code, status))
            return TRUE;
    return rule->limit_count == 0;
}

/* The heaviest of this provider's rules, the first of equal ones. */
static const Rule *
provider_rule_of_numbers(gint provider, guint code, EnhancedStatus status)
{
    const Rule *best = NULL;
    for (guint i = provider_ways[provider + 1]; i < provider_ways[provider + 2]; i++) {
        const Rule *rule = &rules[ways[i].rule];
        if ((best == NULL || rule->weight > best->weight) &&
            condition_holds(&ways[i], code, status))
            best = rule;
    }
    return best;
}

const Rule *
rule_of_numbers(gint provider, guint code, EnhancedStatus status)
{
    const Rule *own = provider >= 0 ? provider_rule_of_numbers(provider, code, status) : NULL;
    return own != NULL ? own : provider_rule_of_numbers(-1, code, status);
}

const char *const *
rule_provider_names(void)
{
    return provider_names;
}

const char *
rule_provider_name(gint provider)
{
    return provider < 0 ? NULL : provider_names[provider];
}

/* `name` is `domain` or ends in "." and it. */
static gboolean
is_within(const char *name, gsize length, const char *domain)
{
    gsize tail = strlen(domain);
    return length >= tail && g_ascii_strncasecmp(name + length - tail, domain, tail) == 0 &&
           (length == tail || name[length - tail - 1] == '.');
}

gint
rule_provider_of_host(const char *host)
{
    if (host == NULL)
        return -1;
    gsize length = strlen(host);
    if (length > 0 && host[length - 1] == '.')
        length--;
    for (guint i = 0; i < G_N_ELEMENTS(provider_hosts); i++)
        if (is_within(host, length, provider_hosts[i].host))
            return provider_hosts[i].provider;
    return -1;
}

const char *
rule_dns_list(const RulePattern *pattern, const char *host, gsize length)
{
    if (pattern->dns_list < 0)
        return NULL;
    const DnsList *list = &dns_lists[pattern->dns_list];
    return is_within(host, length, list->domain) ? list->zone : NULL;
}

gboolean
rule_of_status(EnhancedStatus status, Category *category, gboolean *specific)
{
    for (guint i = 0; i < G_N_ELEMENTS(status_rules); i++) {
        const StatusRule *rule = &status_rules[i];
        if (rule->subject == status.subject &&
            (rule->detail < 0 || rule->detail == status.detail)) {
            *category = rule->category;
            *specific = rule->detail >= 0;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
rule_of_code(guint code, SmtpStage stage, Category *category)
{
    for (guint i = 0; i < G_N_ELEMENTS(code_rules); i++) {
        const CodeRule *rule = &code_rules[i];
        if (rule->code == code && (rule->stage == SMTP_STAGE_COUNT || rule->stage == stage)) {
            *category = rule->category;
            return TRUE;
        }
    }
    return FALSE;
}
