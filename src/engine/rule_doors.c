/*
 * rule_doors: at which doors a rule works in full, in part, or never.
 */
#include "engine/rule_doors.h"

typedef enum {
    NEVER,
    SOMETIMES, /* where the text tells */
    ALWAYS,
} Knowledge;

/* The doors that can be asked about; the milter door only watches what others say. */
typedef enum { AT_FILTER, AT_REJECT, AT_FOOTER, AT_DELIVERY, AT_RBL, AT_COUNT } Column;

static const Knowledge facts_known[FACT_COUNT][AT_COUNT] = {
    [FACT_STAGE] = {ALWAYS, SOMETIMES, SOMETIMES, SOMETIMES, NEVER},
    [FACT_CLIENT] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_CLIENT_NAME] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_HELO] = {ALWAYS, SOMETIMES, SOMETIMES, NEVER, NEVER},
    [FACT_SENDER] = {ALWAYS, SOMETIMES, SOMETIMES, NEVER, NEVER},
    [FACT_RECIPIENT] = {ALWAYS, SOMETIMES, SOMETIMES, NEVER, NEVER},
    [FACT_AUTH_USER] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_TLS] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_CODE] = {ALWAYS, ALWAYS, ALWAYS, SOMETIMES, NEVER},
    [FACT_STATUS] = {ALWAYS, ALWAYS, ALWAYS, ALWAYS, NEVER},
    [FACT_CATEGORY] = {ALWAYS, ALWAYS, ALWAYS, ALWAYS, ALWAYS},
    [FACT_PROVIDER] = {ALWAYS, ALWAYS, ALWAYS, ALWAYS, NEVER},
    [FACT_KIND] = {NEVER, NEVER, NEVER, NEVER, NEVER},
    [FACT_TEXT] = {ALWAYS, ALWAYS, ALWAYS, ALWAYS, SOMETIMES},
    [FACT_FILTER] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_HEADER] = {SOMETIMES, NEVER, NEVER, NEVER, NEVER},
    [FACT_SIZE] = {SOMETIMES, NEVER, NEVER, NEVER, NEVER},
    [FACT_DAEMON] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
    [FACT_DIRECTION] = {ALWAYS, NEVER, NEVER, NEVER, NEVER},
};

/* What is not in here has a value everywhere, or hangs on the policy alone. */
static const struct {
    Variable variable;
    Knowledge known[AT_COUNT];
} variables_known[] = {
    {VARIABLE_CLIENT_ADDR, {ALWAYS, NEVER, ALWAYS, NEVER, ALWAYS}},
    {VARIABLE_CLIENT_NAME, {ALWAYS, NEVER, ALWAYS, NEVER, ALWAYS}},
    {VARIABLE_HELO, {ALWAYS, SOMETIMES, ALWAYS, NEVER, ALWAYS}},
    {VARIABLE_SENDER, {ALWAYS, SOMETIMES, ALWAYS, NEVER, ALWAYS}},
    {VARIABLE_SENDER_DOMAIN, {ALWAYS, SOMETIMES, ALWAYS, NEVER, ALWAYS}},
    {VARIABLE_RECIPIENT, {ALWAYS, SOMETIMES, SOMETIMES, NEVER, ALWAYS}},
    {VARIABLE_RECIPIENT_DOMAIN, {ALWAYS, SOMETIMES, SOMETIMES, NEVER, ALWAYS}},
    {VARIABLE_QUEUE_ID, {SOMETIMES, NEVER, NEVER, NEVER, NEVER}},
    {VARIABLE_CODE, {ALWAYS, ALWAYS, ALWAYS, SOMETIMES, NEVER}},
    {VARIABLE_STATUS, {ALWAYS, ALWAYS, ALWAYS, ALWAYS, NEVER}},
};

typedef struct {
    RuleReach reach;
    GString *why;
} Finding;

static void
find(Finding *finding, RuleReach reach, const char *reason)
{
    finding->reach = MAX(finding->reach, reach);
    if (finding->why->len > 0)
        g_string_append(finding->why, "; ");
    g_string_append(finding->why, reason);
}

/* What reply_key reads from a refusal's text. */
static gboolean
takes_known_stage(const Matcher *matcher)
{
    static const SmtpStage stages[] = {SMTP_STAGE_RCPT,     SMTP_STAGE_DATA, SMTP_STAGE_EOM,
                                       SMTP_STAGE_STARTTLS, SMTP_STAGE_AUTH, SMTP_STAGE_OTHER};
    for (guint i = 0; i < G_N_ELEMENTS(stages); i++) {
        const char *const values[] = {smtp_stage_name(stages[i]), NULL};
        if (matcher_match(matcher, values, NULL))
            return TRUE;
    }
    return FALSE;
}

static gboolean
takes_listed_host(const Matcher *matcher)
{
    const char *const values[] = {category_info(CATEGORY_HOST_BLOCKED)->name, NULL};
    return matcher_match(matcher, values, NULL);
}

/* Why a condition on a fact that the door knows can never hold there; NULL: it can. */
static const char *
vain_condition(const Condition *condition, Column column)
{
    if (condition->fact == FACT_CATEGORY && column == AT_RBL &&
        !takes_listed_host(condition->matcher))
        return "category is always host-blocked";
    if (condition->fact == FACT_STAGE && (column == AT_REJECT || column == AT_FOOTER) &&
        !takes_known_stage(condition->matcher))
        return "such a stage is not known";
    return NULL;
}

static void
find_condition(Finding *finding, const Condition *condition, Column column)
{
    Knowledge known = facts_known[condition->fact][column];
    const char *vain = known == NEVER ? NULL : vain_condition(condition, column);
    if (vain != NULL)
        find(finding, RULE_REACH_NEVER, vain);
    if (vain != NULL || known == ALWAYS)
        return;
    g_autofree char *reason =
        g_strdup_printf(known == NEVER ? "%s is not known" : "%s is known only at times",
                        fact_name(condition->fact));
    find(finding, known == NEVER ? RULE_REACH_NEVER : RULE_REACH_PART, reason);
}

static void
find_conditions(Finding *finding, const PolicyRule *rule, Column column)
{
    for (guint i = 0; i < rule->conditions->len; i++)
        find_condition(finding, &g_array_index(rule->conditions, Condition, i), column);
}

static Knowledge
variable_known(Variable variable, Column column)
{
    for (guint i = 0; i < G_N_ELEMENTS(variables_known); i++)
        if (variables_known[i].variable == variable)
            return variables_known[i].known[column];
    return ALWAYS;
}

/* The least of what its variables are. */
static Knowledge
line_known(const Template *line, Column column)
{
    Knowledge known = ALWAYS;
    for (guint i = 0; i < VARIABLE_COUNT; i++)
        if (template_uses(line, (Variable)i))
            known = MIN(known, variable_known((Variable)i, column));
    return known;
}

static void
find_text(Finding *finding, const PolicyRule *rule, Column column)
{
    guint never = 0, sometimes = 0, count = rule->reply.text->len;
    for (guint i = 0; i < count; i++) {
        Knowledge known = line_known(g_ptr_array_index(rule->reply.text, i), column);
        never += known == NEVER;
        sometimes += known == SOMETIMES;
    }
    if (never > 0 && never == count)
        find(finding, RULE_REACH_PART,
             "no line has all its values: the category's sentence stands");
    else if (never > 0)
        find(finding, RULE_REACH_PART, "a line without all its values is left out");
    else if (sometimes > 0)
        find(finding, RULE_REACH_PART, "a line may lack a value, and is left out then");
}

static gboolean
sets_code(const PolicyRule *rule)
{
    return rule->reply.code != 0 || enhanced_status_is_set(rule->reply.status);
}

static void
find_footer_limits(Finding *finding, const PolicyRule *rule)
{
    if (rule->mode_set && rule->mode == REPLY_MODE_REPLACE)
        find(finding, RULE_REACH_PART, "the text is added, it replaces nothing");
    if (rule->mode_set && rule->mode == REPLY_MODE_REPAIR)
        find(finding, RULE_REACH_PART, "nothing is repaired, lines are added");
    if (sets_code(rule))
        find(finding, RULE_REACH_PART, "code and status stay as they are");
    if (rule->disclosure_set && rule->disclosure == DISCLOSURE_BRIEF)
        find(finding, RULE_REACH_PART, "the original text stays");
}

static void
find_delivery_limits(Finding *finding, const PolicyRule *rule)
{
    if (rule->mode_set && rule->mode == REPLY_MODE_REPLACE)
        find(finding, RULE_REACH_PART, "the text stands behind the remote server's words");
    if (rule->reply.code != 0)
        find(finding, RULE_REACH_PART, "there is a status only, no reply code");
    if (rule->disclosure_set && rule->disclosure == DISCLOSURE_BRIEF)
        find(finding, RULE_REACH_PART, "the remote server's words stay");
}

static void
find_rbl_limits(Finding *finding, const PolicyRule *rule)
{
    if (rule->mode_set && rule->mode == REPLY_MODE_REPAIR)
        find(finding, RULE_REACH_NEVER, "there is nothing to repair");
    if (sets_code(rule) && (!rule->change_class || rule->reply.code == 0))
        find(finding, RULE_REACH_PART, "the code is Postfix's maps_rbl_reject_code");
}

static void
find_limits(Finding *finding, const PolicyRule *rule, Column column)
{
    if (rule->mode_set && rule->mode == REPLY_MODE_KEEP)
        return;
    find_text(finding, rule, column);
    if (column == AT_FOOTER)
        find_footer_limits(finding, rule);
    else if (column == AT_DELIVERY)
        find_delivery_limits(finding, rule);
    else if (column == AT_RBL)
        find_rbl_limits(finding, rule);
}

static void
find_all(Finding *finding, const PolicyRule *rule, Door door)
{
    static const Column columns[DOOR_COUNT] = {
        [DOOR_FILTER] = AT_FILTER,     [DOOR_REJECT] = AT_REJECT, [DOOR_FOOTER] = AT_FOOTER,
        [DOOR_DELIVERY] = AT_DELIVERY, [DOOR_RBL] = AT_RBL,
    };
    if (door == DOOR_COMMAND)
        return;
    if (door == DOOR_MILTER || door == DOOR_LOG) {
        find(finding, RULE_REACH_NEVER, "the MTA's own refusals are only watched here");
        return;
    }
    find_conditions(finding, rule, columns[door]);
    if (finding->reach != RULE_REACH_NEVER)
        find_limits(finding, rule, columns[door]);
}

RuleReach
rule_reach(const PolicyRule *rule, Door door, char **why)
{
    Finding finding = {.reach = RULE_REACH_FULL, .why = g_string_new(NULL)};
    find_all(&finding, rule, door);
    char *reasons = g_string_free(finding.why, finding.reach == RULE_REACH_FULL);
    if (why != NULL)
        *why = reasons;
    else
        g_free(reasons);
    return finding.reach;
}

const char *
rule_reach_name(RuleReach reach)
{
    static const char *const names[] = {"in full", "in part", "never"};
    return names[reach];
}
