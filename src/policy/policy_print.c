/*
 * policy_print: the effective policy as a file that gives the same policy.
 */
#include "policy/policy.h"

#include <string.h>

#include "policy/rule_reader.h"
#include "policy/settings.h"
#include "policy/syntax.h"

static void
print_row(GString *out, const PolicySettings *settings, const SettingRow *row)
{
    const char *name = strchr(row->path, '.') + 1;
    g_autofree char *value = setting_print(settings, row);
    if (value != NULL)
        g_string_append_printf(out, "  %s = %s;\n", name, value);
    else
        g_string_append_printf(out, "  // %s is not set\n", name);
}

static void
print_section(GString *out, const PolicySettings *settings, const char *section)
{
    guint count;
    const SettingRow *rows = settings_rows(&count);
    gsize length = strlen(section);
    for (guint i = 0; i < count; i++)
        if (strncmp(rows[i].path, section, length) == 0 && rows[i].path[length] == '.')
            print_row(out, settings, &rows[i]);
}

static void
print_each_condition(GString *out, const GArray *conditions)
{
    for (guint i = 0; i < conditions->len; i++) {
        const Condition *condition = &g_array_index(conditions, Condition, i);
        g_string_append_printf(out, " %s = %s;", fact_name(condition->fact),
                               matcher_text(condition->matcher));
    }
}

static void
print_conditions(GString *out, const GArray *conditions)
{
    g_string_append(out, "      when = {");
    print_each_condition(out, conditions);
    g_string_append(out, " };\n");
}

static void
print_reply(GString *out, const ReplyTemplate *reply)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    if (reply->code != 0)
        g_string_append_printf(out, " code = %u;", reply->code);
    if (enhanced_status_is_set(reply->status))
        g_string_append_printf(out, " status = \"%s\";",
                               enhanced_status_format(reply->status, status));
    if (reply->text->len == 0)
        return;
    g_string_append(out, "\n        text = [");
    for (guint i = 0; i < reply->text->len; i++) {
        g_autofree char *line = syntax_quote(template_text(g_ptr_array_index(reply->text, i)));
        g_string_append_printf(out, "%s%s", i > 0 ? ",\n          " : " ", line);
    }
    g_string_append(out, " ];");
}

static void
print_rule(GString *out, const PolicyRule *rule)
{
    g_string_append_printf(out, "    { name = \"%s\";\n", rule->name);
    print_conditions(out, rule->conditions);
    g_string_append(out, "      then = {");
    if (rule->mode_set)
        g_string_append_printf(out, " mode = \"%s\";", reply_mode_names[rule->mode]);
    if (rule->disclosure_set)
        g_string_append_printf(out, " disclosure = \"%s\";", disclosure_names[rule->disclosure]);
    if (rule->change_class)
        g_string_append(out, " change_class = true;");
    print_reply(out, &rule->reply);
    g_string_append(out, " }; }");
}

static void
print_check(GString *out, const PolicyCheck *check)
{
    g_string_append_printf(out, "    { name = \"%s\";\n", check->name);
    print_conditions(out, check->conditions);
    g_string_append_printf(out, "      then = { action = \"%s\";",
                           check_action_names[check->action]);
    if (check->at_once)
        g_string_append(out, " at_once = true;");
    print_reply(out, &check->reply);
    g_string_append_printf(out, " }; }");
}

static void
print_rules(GString *out, const Policy *policy)
{
    guint count = policy_rule_count(policy);
    if (count > 0)
        g_string_append(out, "  rules = (\n");
    for (guint i = 0; i < count; i++) {
        print_rule(out, policy_rule(policy, i));
        g_string_append(out, i + 1 < count ? ",\n" : "\n  );\n");
    }
}

static void
print_site_rule(GString *out, const PolicySiteRule *rule)
{
    gboolean named = rule->name[strspn(rule->name, "0123456789")] != '\0';
    g_string_append(out, "    {");
    if (named)
        g_string_append_printf(out, " name = \"%s\";", rule->name);
    g_string_append_printf(out, " category = \"%s\";", category_info(rule->category)->name);
    print_each_condition(out, rule->conditions);
    g_string_append(out, " }");
}

static void
print_site_rules(GString *out, const Policy *policy)
{
    guint count = policy_site_rule_count(policy);
    if (count > 0)
        g_string_append(out, "  rules = (\n");
    for (guint i = 0; i < count; i++) {
        print_site_rule(out, policy_site_rule(policy, i));
        g_string_append(out, i + 1 < count ? ",\n" : "\n  );\n");
    }
}

static void
print_checks(GString *out, const Policy *policy)
{
    guint count = policy_check_count(policy);
    g_string_append(out, "checks = (\n");
    for (guint i = 0; i < count; i++) {
        print_check(out, policy_check(policy, i));
        g_string_append(out, i + 1 < count ? ",\n" : "\n");
    }
    g_string_append(out, ");\n");
}

/* "2.5", "10.0". */
static void
print_seconds(GString *out, const char *name, gint64 time_us)
{
    g_string_append_printf(out, " %s = %" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT, name,
                           time_us / G_USEC_PER_SEC, time_us % G_USEC_PER_SEC);
    while (out->str[out->len - 1] == '0' && out->str[out->len - 2] != '.')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, ';');
}

static void
print_filter(GString *out, const PolicyFilter *filter)
{
    g_autofree char *socket = syntax_quote(filter->socket);
    g_string_append_printf(out, "    { name = \"%s\"; socket = %s;\n     ", filter->name, socket);
    print_seconds(out, "timeout", filter->timeout_us);
    print_seconds(out, "connect_timeout", filter->connect_timeout_us);
    g_string_append_printf(out, " on_failure = \"%s\"; }",
                           filter_failure_names[filter->on_failure]);
}

static void
print_filters(GString *out, const Policy *policy)
{
    guint count = policy_filter_count(policy);
    g_string_append(out, "filters = (\n");
    for (guint i = 0; i < count; i++) {
        print_filter(out, policy_filter(policy, i));
        g_string_append(out, i + 1 < count ? ",\n" : "\n");
    }
    g_string_append(out, ");\n");
}

/* A section that is a list. */
static gboolean
print_list(GString *out, const Policy *policy, const char *section)
{
    if (strcmp(section, "checks") == 0)
        print_checks(out, policy);
    else if (strcmp(section, "filters") == 0)
        print_filters(out, policy);
    else
        return FALSE;
    return TRUE;
}

char *
policy_print(const Policy *policy)
{
    GString *out = g_string_new(NULL);
    const char *const *sections = settings_sections();
    for (guint i = 0; sections[i] != NULL; i++) {
        if (print_list(out, policy, sections[i]))
            continue;
        g_string_append_printf(out, "%s = {\n", sections[i]);
        print_section(out, policy_settings(policy), sections[i]);
        if (strcmp(sections[i], "replies") == 0)
            print_rules(out, policy);
        if (strcmp(sections[i], "classify") == 0)
            print_site_rules(out, policy);
        g_string_append(out, "};\n");
    }
    return g_string_free(out, FALSE);
}
