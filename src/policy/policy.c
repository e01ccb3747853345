/*
 * policy: /etc/replymilter.conf as an immutable, counted snapshot.
 *
 * Loading: source.h reads and checks the text, libconfig makes a tree of it, setting_reader.h and
 * rule_reader.h make the policy out of the tree. Then the tree is gone.
 */
#include "policy/policy.h"

#include <stdatomic.h>
#include <string.h>

#include "policy/condition_reader.h"
#include "policy/filter_reader.h"
#include "policy/problem.h"
#include "policy/rule_index.h"
#include "policy/rule_reader.h"
#include "policy/setting_reader.h"
#include "policy/site_rule_reader.h"
#include "policy/word_index.h"

struct Policy {
    atomic_int references;
    char *path;
    Classifier *classifier;
    PolicySettings settings;
    PolicyNeeds needs;
    GPtrArray *rules;         /* of PolicyRule * */
    GPtrArray *checks;        /* of PolicyCheck * */
    GPtrArray *filters;       /* of PolicyFilter * */
    GPtrArray *site_rules;    /* of PolicySiteRule * */
    atomic_ullong *site_hits; /* one for each of them */
    RuleIndex *rule_index;
    WordIndex *word_index;
};

/* ---- loading
 * ---------------------------------------------------------------------------------------- */

static Policy *
policy_new(const char *path, Classifier *classifier)
{
    Policy *policy = g_new0(Policy, 1);
    atomic_init(&policy->references, 1);
    policy->path = g_strdup(path);
    policy->classifier = classifier != NULL ? classifier_ref(classifier) : NULL;
    policy->rules = g_ptr_array_new_with_free_func(policy_rule_free);
    policy->checks = g_ptr_array_new_with_free_func(policy_check_free);
    policy->filters = g_ptr_array_new_with_free_func(policy_filter_free);
    policy->site_rules = g_ptr_array_new_with_free_func(policy_site_rule_free);
    settings_init(&policy->settings);
    return policy;
}

static gboolean
parse(config_t *tree, const Source *source, GPtrArray *problems)
{
    if (config_read_string(tree, source_text(source)) == CONFIG_TRUE)
        return TRUE;
    guint text_line = (guint)MAX(config_error_line(tree), 1), line;
    const char *file = source_place(source, text_line, &line);
    g_autofree char *quote = source_quote(source, text_line);
    g_ptr_array_add(problems,
                    problem_new(file, line, "%s, in: %s", config_error_text(tree), quote));
    return FALSE;
}

/* Does any check ask what a report says? */
static gboolean
checks_ask_reports(const GPtrArray *checks)
{
    for (guint i = 0; i < checks->len; i++)
        if (((const PolicyCheck *)g_ptr_array_index(checks, i))->asks_report)
            return TRUE;
    return FALSE;
}

/* Reports are read for the log, for their headers, and for checks; the MTA's own for the log. */
static void
work_out_reports(Policy *policy)
{
    const PolicySettings *settings = &policy->settings;
    PolicyNeeds *needs = &policy->needs;
    gboolean reads = settings->bounces.max_body > 0;
    needs->own_reports = reads && settings->log.events != NULL;
    needs->header_changes = reads && settings->bounces.tag;
    needs->reports = needs->own_reports || needs->header_changes ||
                     (reads && checks_ask_reports(policy->checks));
}

/* What the policy makes the MTA send. */
static void
work_out_needs(Policy *policy)
{
    PolicyNeeds *needs = &policy->needs;
    work_out_reports(policy);
    for (guint i = 0; i < policy->checks->len; i++) {
        const PolicyCheck *check = g_ptr_array_index(policy->checks, i);
        needs->points |= 1u << check->speaks_at;
        needs->headers |= conditions_find(check->conditions, FACT_HEADER) != NULL;
        needs->body |= conditions_find(check->conditions, FACT_SIZE) != NULL;
        needs->message_action |= check->action == CHECK_QUARANTINE;
    }
}

static void
read_tree(Policy *policy, const config_t *tree, const Source *source, GPtrArray *problems,
          GPtrArray *warnings)
{
    const config_setting_t *root = config_root_setting(tree);
    Reading reading;
    reading_init(&reading, source);
    settings_read(&reading, root, &policy->settings);
    rules_read(&reading, root, &policy->settings, policy->rules);
    checks_read(&reading, root, &policy->settings, policy->checks);
    filters_read(&reading, root, &policy->settings, policy->filters);
    rules_check_filters(&reading, root, policy->rules, policy->filters);
    site_rules_read(&reading, root, policy->site_rules);
    reading_finish(&reading, problems, warnings);
}

Policy *
policy_load(const char *path, Classifier *classifier, GPtrArray *problems, GPtrArray *warnings)
{
    guint before = problems->len;
    g_autoptr(Source) source = source_read(path, problems);
    if (source == NULL)
        return NULL;
    Policy *policy = policy_new(path, classifier);
    config_t tree;
    config_init(&tree);
    if (parse(&tree, source, problems))
        read_tree(policy, &tree, source, problems, warnings);
    config_destroy(&tree);
    if (problems->len == before) {
        work_out_needs(policy);
        policy->site_hits = g_new0(atomic_ullong, policy->site_rules->len);
        policy->rule_index = rule_index_new(policy->rules);
        policy->word_index = word_index_new(policy->rules, policy->checks);
        return policy;
    }
    policy_unref(policy);
    return NULL;
}

static void
find_control_in(const config_t *tree, const Source *source, char **socket)
{
    g_autoptr(GPtrArray) ignored =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    PolicySettings settings;
    Reading reading;
    settings_init(&settings);
    reading_init(&reading, source);
    settings_read(&reading, config_root_setting(tree), &settings);
    reading_finish(&reading, ignored, ignored);
    *socket = g_strdup(settings.control.socket);
    settings_clear(&settings);
}

gboolean
policy_find_control(const char *path, char **socket, GPtrArray *problems)
{
    config_t tree;
    *socket = NULL;
    g_autoptr(Source) source = source_read(path, problems);
    if (source == NULL)
        return FALSE;
    config_init(&tree);
    gboolean parsed = parse(&tree, source, problems);
    if (parsed)
        find_control_in(&tree, source, socket);
    config_destroy(&tree);
    return parsed;
}

/* ---- the snapshot
 * ------------------------------------------------------------------------------------- */

Policy *
policy_ref(Policy *policy)
{
    atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

void
policy_unref(Policy *policy)
{
    if (policy == NULL ||
        atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) > 1)
        return;
    rule_index_free(policy->rule_index);
    word_index_free(policy->word_index);
    g_ptr_array_unref(policy->rules);
    g_ptr_array_unref(policy->checks);
    g_ptr_array_unref(policy->filters);
    g_ptr_array_unref(policy->site_rules);
    g_free(policy->site_hits);
    settings_clear(&policy->settings);
    if (policy->classifier != NULL)
        classifier_unref(policy->classifier);
    g_free(policy->path);
    g_free(policy);
}

const PolicySettings *
policy_settings(const Policy *policy)
{
    return &policy->settings;
}

const PolicyNeeds *
policy_needs(const Policy *policy)
{
    return &policy->needs;
}

const Classifier *
policy_classifier(const Policy *policy)
{
    return policy->classifier;
}

const char *
policy_path(const Policy *policy)
{
    return policy->path;
}

guint
policy_rule_count(const Policy *policy)
{
    return policy->rules->len;
}

const PolicyRule *
policy_rule(const Policy *policy, guint index)
{
    g_assert(index < policy->rules->len);
    return g_ptr_array_index(policy->rules, index);
}

GArray *
policy_likely_rules(const Policy *policy, PolicyFactValues values, gpointer data)
{
    return rule_index_find(policy->rule_index, values, data);
}

GPtrArray *
policy_likely_texts(const Policy *policy, const char *line)
{
    return word_index_find(policy->word_index, line);
}

guint
policy_check_count(const Policy *policy)
{
    return policy->checks->len;
}

const PolicyCheck *
policy_check(const Policy *policy, guint index)
{
    g_assert(index < policy->checks->len);
    return g_ptr_array_index(policy->checks, index);
}

guint
policy_filter_count(const Policy *policy)
{
    return policy->filters->len;
}

const PolicyFilter *
policy_filter(const Policy *policy, guint index)
{
    g_assert(index < policy->filters->len);
    return g_ptr_array_index(policy->filters, index);
}

guint
policy_site_rule_count(const Policy *policy)
{
    return policy->site_rules->len;
}

const PolicySiteRule *
policy_site_rule(const Policy *policy, guint index)
{
    g_assert(index < policy->site_rules->len);
    return g_ptr_array_index(policy->site_rules, index);
}

void
policy_site_rule_note(const Policy *policy, const char *id)
{
    if (id == NULL || !g_str_has_prefix(id, POLICY_SITE_RULE_PREFIX))
        return;
    for (guint i = 0; i < policy->site_rules->len; i++)
        if (strcmp(policy_site_rule(policy, i)->id, id) == 0)
            atomic_fetch_add_explicit(&policy->site_hits[i], 1, memory_order_relaxed);
}

guint64
policy_site_rule_hits(const Policy *policy, guint index)
{
    g_assert(index < policy->site_rules->len);
    return atomic_load_explicit(&policy->site_hits[index], memory_order_relaxed);
}

gboolean
policy_is_inside(const Policy *policy, const char *client)
{
    AddressBlock address;
    if (!address_block_from_address(client, &address))
        return FALSE;
    const GArray *networks = policy->settings.site.networks;
    for (guint i = 0; i < networks->len; i++)
        if (address_block_covers(&g_array_index(networks, AddressBlock, i), &address))
            return TRUE;
    return FALSE;
}

char *
policy_restart_needed(const Policy *running, const Policy *fresh)
{
    guint count;
    const SettingRow *rows = settings_rows(&count);
    g_autoptr(GString) paths = g_string_new(NULL);
    for (guint i = 0; i < count; i++) {
        if (!rows[i].needs_restart)
            continue;
        g_autofree char *before = setting_print(&running->settings, &rows[i]);
        g_autofree char *after = setting_print(&fresh->settings, &rows[i]);
        if (g_strcmp0(before, after) != 0)
            g_string_append_printf(paths, "%s%s", paths->len > 0 ? ", " : "", rows[i].path);
    }
    return paths->len > 0 ? g_strdup(paths->str) : NULL;
}
