/*
 * trace: why a rule or a check spoke, or did not.
 */
#include "engine/trace.h"

#include "base/text.h"
#include "engine/conditions.h"
#include "engine/scope.h"

/* Octets of a value that are shown. */
#define SHOWN_MAX 200

void
trace_step_free(TraceStep *step)
{
    g_free(step->why);
    g_free(step);
}

static GPtrArray *
steps_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)trace_step_free);
}

/* Takes `why`. */
static void
add_step(GPtrArray *steps, const char *name, gboolean matched, char *why)
{
    TraceStep *step = g_new(TraceStep, 1);
    *step = (TraceStep){.name = name, .matched = matched, .why = why};
    g_ptr_array_add(steps, step);
}

static char *
shown(const char *const *values)
{
    if (values[0] == NULL)
        return g_strdup("none");
    g_autofree char *all = g_strjoinv("\", \"", (char **)values);
    g_autofree char *escaped = text_escape(all);
    gsize length = strlen(escaped);
    return length <= SHOWN_MAX ? g_strdup_printf("\"%s\"", escaped)
                               : g_strdup_printf("\"%.*s\"...", SHOWN_MAX, escaped);
}

/* What stood in the way of the first condition that does not hold; NULL: nothing. */
static char *
first_obstacle(MatchView *view, const GArray *conditions)
{
    for (guint i = 0; i < conditions->len; i++) {
        const Condition *condition = &g_array_index(conditions, Condition, i);
        const char *name = fact_name(condition->fact);
        ConditionOutcome outcome = condition_try(view, condition, NULL);
        if (outcome == CONDITION_UNKNOWN)
            return g_strdup_printf("%s is not known here", name);
        if (outcome == CONDITION_FAILS) {
            g_autofree char *value = shown(match_view_values(view, condition->fact));
            return g_strdup_printf("%s is %s, and the policy wants %s", name, value,
                                   matcher_text(condition->matcher));
        }
    }
    return NULL;
}

GPtrArray *
trace_rules(const Policy *policy, const Facts *facts, const SmtpReply *reply,
            const Classification *cause)
{
    GPtrArray *steps = steps_new();
    gboolean in_scope = scope_has_reply(policy, facts, reply), matched = FALSE;
    MatchView view;
    match_view_init(&view, facts, reply, cause);
    for (guint i = 0; i < policy_rule_count(policy) && !matched; i++) {
        const PolicyRule *rule = policy_rule(policy, i);
        char *why = first_obstacle(&view, rule->conditions);
        if (why == NULL && !in_scope && !conditions_name_reply(rule->conditions))
            why = g_strdup("such a reply is left alone unless a rule names it "
                           "(code, status, text, category or stage)");
        matched = why == NULL;
        add_step(steps, rule->name, matched, matched ? g_strdup("all conditions hold") : why);
    }
    match_view_clear(&view);
    return steps;
}

static char *
obstacle_to_check(const PolicyCheck *check, const Facts *facts)
{
    MatchView view;
    match_view_init(&view, facts, NULL, NULL);
    char *why = first_obstacle(&view, check->conditions);
    match_view_clear(&view);
    return why;
}

/* The check speaks only if all of them meet it. */
static char *
obstacle_to_all(const PolicyCheck *check, const Facts *facts, const char *const *recipients)
{
    if (recipients[0] == NULL)
        return g_strdup("no recipient has been accepted");
    char *why = NULL;
    for (guint i = 0; recipients[i] != NULL && why == NULL; i++) {
        Facts with_recipient = *facts; /* borrows all of it */
        with_recipient.known[FACT_RECIPIENT] = (char *)recipients[i];
        why = obstacle_to_check(check, &with_recipient);
    }
    return why;
}

GPtrArray *
trace_checks(const Policy *policy, const Facts *facts, CheckPoint point,
             const char *const *recipients)
{
    GPtrArray *steps = steps_new();
    gboolean matched = FALSE;
    for (guint i = 0; i < policy_check_count(policy) && !matched; i++) {
        const PolicyCheck *check = policy_check(policy, i);
        if (check->speaks_at != point)
            continue;
        char *why = check->all_recipients ? obstacle_to_all(check, facts, recipients)
                                          : obstacle_to_check(check, facts);
        matched = why == NULL;
        add_step(steps, check->name, matched, matched ? g_strdup("all conditions hold") : why);
    }
    return steps;
}
