/*
 * rule_reader: replies.rules and checks of a policy file.
 *
 * An entry is {name, when, then}. `when` and the reply in `then` are read alike for both.
 */
#include "policy/rule_reader.h"

#include <string.h>

#include "catalog/catalog.h"
#include "policy/check_plan.h"
#include "policy/condition_reader.h"
#include "policy/entry_reader.h"
#include "policy/settings.h"

enum { MOST_LINES = 20, MOST_ADDED_LINES = 3 };

#define ENTRY_FORM " is a group: { name = ...; when = ...; then = ...; }"

static const char *const entry_names[] = {"name", "when", "then", NULL};
static const char *const rule_then_names[] = {"mode",       "code",         "status", "text",
                                              "disclosure", "change_class", NULL};
static const char *const check_then_names[] = {"code", "status", "text", "action", "at_once", NULL};

/* ---- freeing
 * ---------------------------------------------------------------------------------------- */

static void
free_template(gpointer template)
{
    template_free(template);
}

void
policy_rule_free(gpointer data)
{
    PolicyRule *rule = data;
    g_free(rule->name);
    g_free(rule->file);
    g_array_unref(rule->conditions);
    g_ptr_array_unref(rule->reply.text);
    g_free(rule);
}

void
policy_check_free(gpointer data)
{
    PolicyCheck *check = data;
    g_free(check->name);
    g_free(check->file);
    g_array_unref(check->conditions);
    g_ptr_array_unref(check->reply.text);
    g_free(check);
}

/* ---- code, status, text
 * ------------------------------------------------------------------------------------ */

static guint
read_code(Reading *reading, const config_setting_t *then)
{
    const config_setting_t *at = reading_member(reading, then, "code", CONFIG_TYPE_INT);
    if (at == NULL)
        return 0;
    long long code = config_setting_get_int64(at);
    if (code < 400 || code > 599) {
        reading_problem(reading, at, "%lld is no code of a refusal: those are 400 to 599", code);
        return 0;
    }
    const CatalogReplyCode *row = catalog_reply_code((guint)code);
    if (row == NULL || row->origin == CATALOG_WILD) {
        reading_problem(reading, at, "no document has %lld as an SMTP reply code: use %s", code,
                        code < 500 ? "450, 451 or 452" : "550, 552, 553 or 554");
        return 0;
    }
    return (guint)code;
}

static EnhancedStatus
read_status(Reading *reading, const config_setting_t *then)
{
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    const config_setting_t *at = reading_member(reading, then, "status", CONFIG_TYPE_STRING);
    if (at == NULL)
        return status;
    const char *text = config_setting_get_string(at);
    if (!enhanced_status_parse(text, &status) || status.class == 2) {
        reading_problem(reading, at,
                        "\"%s\" is no enhanced status of a refusal: write it as \"5.7.1\"", text);
        return ENHANCED_STATUS_NONE;
    }
    if (catalog_status(status) == NULL) {
        reading_problem(reading, at,
                        "no registry has the enhanced status %s: a general one is "
                        "\"%u.%u.0\"",
                        text, status.class, MIN(status.subject, 7));
        return ENHANCED_STATUS_NONE;
    }
    EnhancedStatus instead = catalog_status_instead(status);
    if (!enhanced_status_equal(instead, status)) {
        char better[ENHANCED_STATUS_TEXT_SIZE];
        reading_problem(reading, at, "the enhanced status %s is deprecated: write \"%s\"", text,
                        enhanced_status_format(instead, better));
        return ENHANCED_STATUS_NONE;
    }
    return status;
}

static void
check_pair(Reading *reading, const config_setting_t *then, const ReplyTemplate *reply)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    if (reply->code == 0 || !enhanced_status_is_set(reply->status))
        return;
    enhanced_status_format(reply->status, text);
    if (catalog_pair(reply->code, reply->status) == CATALOG_PAIR_CLASS)
        reading_problem(reading, config_setting_get_member(then, "status"),
                        "code %u and status %s disagree: a %u needs a status that begins with %u",
                        reply->code, text, reply->code, reply->code / 100);
}

static void
read_line(Reading *reading, const config_setting_t *at, const char *text, GPtrArray *lines)
{
    g_autoptr(GError) error = NULL;
    Template *line = *text != '\0' ? template_new(text, &error) : NULL;
    if (line != NULL)
        g_ptr_array_add(lines, line);
    else
        reading_problem(reading, at, "\"text\": %s",
                        error != NULL ? error->message : "a line is empty");
}

static void
read_text(Reading *reading, const config_setting_t *then, GPtrArray *lines)
{
    const config_setting_t *at = config_setting_get_member(then, "text");
    g_autoptr(GPtrArray) texts = at != NULL ? reading_strings(reading, at) : NULL;
    if (texts == NULL)
        return;
    if (texts->len == 0 || texts->len > MOST_LINES)
        reading_problem(reading, at, "\"text\" has %u lines: it can have 1 to %d", texts->len,
                        MOST_LINES);
    gboolean one = config_setting_type(at) == CONFIG_TYPE_STRING;
    for (guint i = 0; i < texts->len; i++)
        read_line(reading, one ? at : config_setting_get_elem(at, i), g_ptr_array_index(texts, i),
                  lines);
}

static void
read_reply(Reading *reading, const config_setting_t *then, ReplyTemplate *reply)
{
    reply->code = read_code(reading, then);
    reply->status = read_status(reading, then);
    read_text(reading, then, reply->text);
    check_pair(reading, then, reply);
}

gboolean
reply_template_uses(const ReplyTemplate *reply, Variable variable)
{
    for (guint i = 0; i < reply->text->len; i++)
        if (template_uses(g_ptr_array_index(reply->text, i), variable))
            return TRUE;
    return FALSE;
}

/* A condition that is at fault says nothing about what hangs on it. */
static gboolean
all_conditions_read(const config_setting_t *when, const GArray *conditions)
{
    guint given = when != NULL ? (guint)config_setting_length(when) : 0;
    return conditions->len == given;
}

/* Variables that hang on the conditions: a value out of a file, groups of regular expressions. */
static void
check_captures(Reading *reading, const config_setting_t *at, const ReplyTemplate *reply,
               const GArray *conditions)
{
    const config_setting_t *entry = config_setting_parent(at);
    if (!all_conditions_read(config_setting_get_member(entry, "when"), conditions))
        return;
    guint groups = 0;
    gboolean values = FALSE;
    for (guint i = 0; i < conditions->len; i++) {
        const Matcher *matcher = g_array_index(conditions, Condition, i).matcher;
        groups += matcher_groups(matcher);
        values = values || matcher_has_values(matcher);
    }
    if (reply_template_uses(reply, VARIABLE_VALUE) && !values)
        reading_problem(reading, at,
                        "%%{value} has no value: no condition looks into a file that "
                        "has values behind its keys");
    for (guint i = groups; i < 9; i++)
        if (reply_template_uses(reply, (Variable)(VARIABLE_GROUP_1 + i)))
            reading_problem(reading, at,
                            "%%{%u} has no value: the conditions have %u groups in parentheses",
                            i + 1, groups);
}

/* Variables that the section `site` leaves without a value. */
static void
check_site_variables(Reading *reading, const config_setting_t *at, const ReplyTemplate *reply,
                     const PolicySettings *settings)
{
    const struct {
        Variable variable;
        gboolean set;
        const char *setting;
    } needs[] = {
        {VARIABLE_HELP_URL, settings->site.help_url != NULL, "site.help_url is not set"},
        {VARIABLE_CONTACT, settings->site.contact != NULL, "site.contact is not set"},
        {VARIABLE_REFERENCE, settings->site.reference, "site.reference is false"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(needs); i++)
        if (!needs[i].set && reply_template_uses(reply, needs[i].variable))
            reading_warning(reading, at, "the line with %%{%s} is always left out: %s",
                            variable_name(needs[i].variable), needs[i].setting);
}

/* ---- entries
 * ------------------------------------------------------------------------------------------------
 */

/* A name that only the other kind of entry has gets told so. */
static void
check_then_names_of(Reading *reading, const config_setting_t *then, const char *const *known,
                    const char *const *other, const char *other_kind)
{
    for (guint i = 0; i < (guint)config_setting_length(then); i++) {
        const config_setting_t *member = config_setting_get_elem(then, i);
        const char *name = config_setting_name(member);
        if (g_strv_contains(known, name))
            continue;
        if (g_strv_contains(other, name))
            reading_problem(reading, member, "\"%s\" is for %s only", name, other_kind);
        else
            reading_unknown(reading, member, "setting", known);
    }
}

static const config_setting_t *
read_then(Reading *reading, const config_setting_t *entry, const char *kind)
{
    const config_setting_t *then = reading_member(reading, entry, "then", CONFIG_TYPE_GROUP);
    gboolean missing = config_setting_get_member(entry, "then") == NULL;
    if (missing)
        reading_problem(reading, entry, "the %s says nothing to do: it needs \"then\"", kind);
    else if (then != NULL && config_setting_length(then) == 0 && strcmp(kind, "rule") == 0)
        reading_problem(reading, then, "the %s says nothing to do: \"then\" is empty", kind);
    return then;
}

static gboolean
read_bool(Reading *reading, const config_setting_t *then, const char *name)
{
    const config_setting_t *at = reading_member(reading, then, name, CONFIG_TYPE_BOOL);
    return at != NULL && config_setting_get_bool(at);
}

/* The index of the choice, or -1: unset, or wrong. */
static int
read_choice(Reading *reading, const config_setting_t *then, const char *name,
            const char *const *choices)
{
    const config_setting_t *at = reading_member(reading, then, name, CONFIG_TYPE_STRING);
    return at != NULL ? reading_choice(reading, at, config_setting_get_string(at), choices) : -1;
}

/* ---- rules
 * ----------------------------------------------------------------------------------------------------
 */

static void
read_mode(Reading *reading, const config_setting_t *then, const PolicySettings *settings,
          PolicyRule *rule)
{
    int mode = read_choice(reading, then, "mode", reply_mode_names);
    gboolean has_text = rule->reply.text->len > 0;
    gboolean has_codes = rule->reply.code != 0 || enhanced_status_is_set(rule->reply.status);
    rule->mode_set = mode >= 0;
    if (mode >= 0)
        rule->mode = (ReplyMode)mode;
    else if (has_text && config_setting_get_member(then, "mode") == NULL) {
        rule->mode_set = TRUE;
        rule->mode = REPLY_MODE_REPLACE;
    } else if (has_codes && settings->replies.mode == REPLY_MODE_KEEP) {
        rule->mode_set = TRUE;
        rule->mode = REPLY_MODE_REPAIR;
    }
    if (mode == REPLY_MODE_KEEP && (has_text || has_codes))
        reading_problem(reading, config_setting_get_member(then, "mode"),
                        "mode \"keep\" leaves the reply as it is: code, status and text cannot "
                        "stand beside it");
    if (mode == REPLY_MODE_REPAIR && has_text)
        reading_problem(reading, config_setting_get_member(then, "mode"),
                        "mode \"repair\" says no text: use \"annotate\" or \"replace\"");
    if (mode == REPLY_MODE_ANNOTATE && rule->reply.text->len > MOST_ADDED_LINES)
        reading_warning(reading, config_setting_get_member(then, "text"),
                        "only the first %d lines are added to a reply", MOST_ADDED_LINES);
}

/* Is there any code of that class that the rule's condition takes? */
static gboolean
rule_sees_class(const PolicyRule *rule, guint class)
{
    const Matcher *matcher = conditions_find(rule->conditions, FACT_CODE);
    for (guint code = class * 100; matcher != NULL && code < class * 100 + 100; code++) {
        char text[] = "000";
        const char *const values[] = {text, NULL};
        g_snprintf(text, sizeof(text), "%u", code);
        if (matcher_match(matcher, values, NULL))
            return TRUE;
    }
    return matcher == NULL;
}

static void
check_class(Reading *reading, const config_setting_t *then, const PolicyRule *rule)
{
    guint class = rule->reply.code != 0 ? rule->reply.code / 100 : rule->reply.status.class;
    if (class == 0 && rule->change_class)
        reading_problem(reading, config_setting_get_member(then, "change_class"),
                        "\"change_class\" needs a code or a status to change to");
    else if (class != 0 && !rule->change_class && !rule_sees_class(rule, class))
        reading_problem(reading, then,
                        "the rule matches %uxx replies only and says %uxx: that "
                        "needs change_class = true",
                        9 - class, class);
}

/* The code must be right at one of the stages that the rule is for. */
static void
check_rule_stages(Reading *reading, const config_setting_t *then, const PolicyRule *rule)
{
    if (rule->reply.code == 0 || conditions_find(rule->conditions, FACT_STAGE) == NULL)
        return;
    const char *last = NULL;
    for (SmtpStage stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++) {
        if (!conditions_take_stage(rule->conditions, stage))
            continue;
        if (catalog_code_at_stage(rule->reply.code, stage) != CATALOG_STAGE_WRONG)
            return;
        last = smtp_stage_name(stage);
    }
    if (last != NULL)
        reading_problem(reading, config_setting_get_member(then, "code"),
                        "code %u cannot be given at the stage \"%s\"", rule->reply.code, last);
}

static void
read_rule_then(Reading *reading, const config_setting_t *then, const PolicySettings *settings,
               PolicyRule *rule)
{
    check_then_names_of(reading, then, rule_then_names, check_then_names, "checks");
    read_reply(reading, then, &rule->reply);
    read_mode(reading, then, settings, rule);
    int disclosure = read_choice(reading, then, "disclosure", disclosure_names);
    rule->disclosure_set = disclosure >= 0;
    rule->disclosure = disclosure >= 0 ? (Disclosure)disclosure : DISCLOSURE_FULL;
    rule->change_class = read_bool(reading, then, "change_class");
    check_class(reading, then, rule);
    check_rule_stages(reading, then, rule);
    check_captures(reading, then, &rule->reply, rule->conditions);
    check_site_variables(reading, then, &rule->reply, settings);
}

/* Facts that no reply has. */
static void
check_rule_conditions(Reading *reading, const config_setting_t *entry, const GArray *conditions)
{
    const config_setting_t *when = config_setting_get_member(entry, "when");
    for (guint i = 0; i < conditions->len; i++) {
        Fact fact = g_array_index(conditions, Condition, i).fact;
        if (!fact_of_reply(fact))
            reading_problem(reading, config_setting_get_member(when, fact_name(fact)),
                            "a reply has no \"%s\": only mail that reports has one, so it is a "
                            "condition for checks",
                            fact_name(fact));
    }
}

static void
read_rule(Reading *reading, const config_setting_t *entry, const PolicySettings *settings,
          GHashTable *seen, GPtrArray *rules)
{
    PolicyRule *rule = g_new0(PolicyRule, 1);
    rule->file = g_strdup(reading_place(reading, entry, &rule->line));
    rule->conditions = conditions_new();
    rule->reply.text = g_ptr_array_new_with_free_func(free_template);
    reading_check_names(reading, entry, entry_names);
    rule->name = g_strdup(entry_name(reading, entry, "rule", seen));
    conditions_read(reading, entry, rule->conditions);
    check_rule_conditions(reading, entry, rule->conditions);
    const config_setting_t *then = read_then(reading, entry, "rule");
    if (then != NULL)
        read_rule_then(reading, then, settings, rule);
    g_ptr_array_add(rules, rule);
}

void
rules_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
           GPtrArray *rules)
{
    const config_setting_t *replies = config_setting_get_member(root, "replies");
    if (replies == NULL || !config_setting_is_group(replies))
        return;
    const config_setting_t *list = reading_member(reading, replies, "rules", CONFIG_TYPE_LIST);
    guint count = entry_count(reading, list, "a rule" ENTRY_FORM);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++) {
        const config_setting_t *entry = config_setting_get_elem(list, i);
        const config_setting_t *when = config_setting_get_member(entry, "when");
        read_rule(reading, entry, settings, seen, rules);
        gboolean takes_all = when == NULL || config_setting_length(when) == 0;
        if (takes_all && i + 1 < count)
            reading_warning(reading, config_setting_get_elem(list, i + 1),
                            "this rule and those behind it never speak: the one before has no "
                            "conditions");
    }
}

/* ---- checks
 * ----------------------------------------------------------------------------------------------------
 */

static void
check_action(Reading *reading, const config_setting_t *then, const PolicyCheck *check)
{
    const char *action = check_action_names[check->action];
    gboolean has_codes = check->reply.code != 0 || enhanced_status_is_set(check->reply.status);
    if (check->action == CHECK_REFUSE) {
        if (config_setting_get_member(then, "text") == NULL)
            reading_problem(reading, then, "the check refuses without a word: it needs \"text\"");
    } else if (has_codes || check->reply.text->len > 0) {
        reading_problem(
            reading, config_setting_get_member(then, "action"),
            "action \"%s\" gives no reply: code, status and text cannot stand beside it", action);
    }
}

static void
read_check_then(Reading *reading, const config_setting_t *then, const PolicySettings *settings,
                PolicyCheck *check)
{
    check_then_names_of(reading, then, check_then_names, rule_then_names, "rules");
    read_reply(reading, then, &check->reply);
    int action = read_choice(reading, then, "action", check_action_names);
    check->action = action >= 0 ? (CheckAction)action : CHECK_REFUSE;
    check->at_once = read_bool(reading, then, "at_once");
    check_action(reading, then, check);
    check_captures(reading, then, &check->reply, check->conditions);
    check_site_variables(reading, then, &check->reply, settings);
}

/* Facts that only a reply has. */
static gboolean
conditions_can_be_known(Reading *reading, const config_setting_t *entry, const GArray *conditions)
{
    const config_setting_t *when = config_setting_get_member(entry, "when");
    gboolean known = TRUE;
    for (guint i = 0; i < conditions->len; i++) {
        Fact fact = g_array_index(conditions, Condition, i).fact;
        if (fact_known_at(fact) != CHECK_POINT_NEVER)
            continue;
        known = FALSE;
        reading_problem(reading, config_setting_get_member(when, fact_name(fact)),
                        "a check cannot know \"%s\": only a reply has it, so it is a condition for "
                        "rules",
                        fact_name(fact));
    }
    return known;
}

static void
warn_of_unread(Reading *reading, const config_setting_t *entry, const PolicySettings *settings,
               const PolicyCheck *check)
{
    if (settings->bounces.max_body == 0 && check->asks_report)
        reading_warning(reading, entry,
                        "the check never matches: \"bounces.max_body\" is 0, so no mail is read");
}

static void
read_check(Reading *reading, const config_setting_t *entry, const PolicySettings *settings,
           GHashTable *seen, GPtrArray *checks)
{
    PolicyCheck *check = g_new0(PolicyCheck, 1);
    check->file = g_strdup(reading_place(reading, entry, &check->line));
    check->conditions = conditions_new();
    check->reply.text = g_ptr_array_new_with_free_func(free_template);
    reading_check_names(reading, entry, entry_names);
    check->name = g_strdup(entry_name(reading, entry, "check", seen));
    conditions_read(reading, entry, check->conditions);
    const config_setting_t *when = config_setting_get_member(entry, "when");
    if (when == NULL || (config_setting_is_group(when) && config_setting_length(when) == 0))
        reading_problem(reading, entry,
                        "a check without conditions would refuse everything: it needs \"when\"");
    const config_setting_t *then = read_then(reading, entry, "check");
    if (then != NULL)
        read_check_then(reading, then, settings, check);
    if (then != NULL && check->conditions->len > 0 &&
        all_conditions_read(when, check->conditions) &&
        conditions_can_be_known(reading, entry, check->conditions))
        check_plan(reading, entry, check);
    warn_of_unread(reading, entry, settings, check);
    g_ptr_array_add(checks, check);
}

void
checks_read(Reading *reading, const config_setting_t *root, const PolicySettings *settings,
            GPtrArray *checks)
{
    const config_setting_t *list = reading_member(reading, root, "checks", CONFIG_TYPE_LIST);
    guint count = entry_count(reading, list, "a check" ENTRY_FORM);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++)
        read_check(reading, config_setting_get_elem(list, i), settings, seen, checks);
}
