/*
 * site_rule_reader: classify.rules of a policy file.
 *
 * An entry is {name, category} and what it goes by, with the values of conditions.
 */
#include "policy/site_rule_reader.h"

#include <string.h>

#include "catalog/category.h"
#include "policy/condition_reader.h"
#include "policy/entry_reader.h"

#define DIGITS "0123456789"

static const Fact asked[] = {FACT_TEXT, FACT_CODE, FACT_STATUS, FACT_PROVIDER};
static const char *const section_names[] = {"rules", NULL};
static const char *const entry_names[] = {"name",   "category", "text", "code",
                                          "status", "provider", NULL};

void
policy_site_rule_free(gpointer data)
{
    PolicySiteRule *rule = data;
    g_free(rule->id);
    g_free(rule->name);
    g_free(rule->file);
    g_array_unref(rule->conditions);
    g_free(rule);
}

static Category
read_category(Reading *reading, const config_setting_t *entry)
{
    const config_setting_t *at = reading_member(reading, entry, "category", CONFIG_TYPE_STRING);
    int index = at == NULL
                    ? -1
                    : reading_choice(reading, at, config_setting_get_string(at), category_names());
    if (config_setting_get_member(entry, "category") == NULL)
        reading_problem(reading, entry,
                        "the rule does not say what such a reply means: it needs \"category\"");
    return index >= 0 ? (Category)index : CATEGORY_UNCLASSIFIED;
}

static void
read_asked(Reading *reading, const config_setting_t *entry, GArray *conditions)
{
    gboolean any = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(asked); i++) {
        const config_setting_t *at = config_setting_get_member(entry, fact_name(asked[i]));
        any = any || at != NULL;
        if (at != NULL)
            condition_read(reading, at, asked[i], conditions);
    }
    if (!any)
        reading_problem(reading, entry,
                        "the rule would take every reply: it needs \"text\", \"code\", \"status\" "
                        "or \"provider\"");
}

/* A rule without a name is called by its number, so that no other may have one of digits. */
static char *
read_name(Reading *reading, const config_setting_t *entry, guint number, GHashTable *seen)
{
    const config_setting_t *at = config_setting_get_member(entry, "name");
    if (at == NULL)
        return g_strdup_printf("%u", number);
    const char *name = entry_name(reading, entry, "rule", seen);
    if (name != NULL && name[strspn(name, DIGITS)] == '\0')
        reading_problem(reading, at,
                        "\"%s\" is no name: a number is what a rule without a name is called by",
                        name);
    return g_strdup(name);
}

static void
read_entry(Reading *reading, const config_setting_t *entry, GHashTable *seen, GPtrArray *rules)
{
    PolicySiteRule *rule = g_new0(PolicySiteRule, 1);
    rule->file = g_strdup(reading_place(reading, entry, &rule->line));
    rule->conditions = conditions_new();
    reading_check_names(reading, entry, entry_names);
    rule->name = read_name(reading, entry, rules->len + 1, seen);
    rule->id = g_strconcat(POLICY_SITE_RULE_PREFIX, rule->name, NULL);
    rule->category = read_category(reading, entry);
    read_asked(reading, entry, rule->conditions);
    g_ptr_array_add(rules, rule);
}

void
site_rules_read(Reading *reading, const config_setting_t *root, GPtrArray *rules)
{
    const config_setting_t *section = config_setting_get_member(root, "classify");
    if (section == NULL || !config_setting_is_group(section))
        return;
    reading_check_names(reading, section, section_names);
    const config_setting_t *list = reading_member(reading, section, "rules", CONFIG_TYPE_LIST);
    guint count =
        entry_count(reading, list, "a rule is a group: { category = \"...\"; text = \"...\"; }");
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++)
        read_entry(reading, config_setting_get_elem(list, i), seen, rules);
}
