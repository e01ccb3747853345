/*
 * condition_reader: the conditions of a rule or check of a policy file.
 */
#include "policy/condition_reader.h"

static void
clear_condition(gpointer condition)
{
    matcher_free(((Condition *)condition)->matcher);
}

GArray *
conditions_new(void)
{
    GArray *conditions = g_array_new(FALSE, FALSE, sizeof(Condition));
    g_array_set_clear_func(conditions, clear_condition);
    return conditions;
}

const Matcher *
conditions_find(const GArray *conditions, Fact fact)
{
    for (guint i = 0; i < conditions->len; i++) {
        const Condition *condition = &g_array_index(conditions, Condition, i);
        if (condition->fact == fact)
            return condition->matcher;
    }
    return NULL;
}

gboolean
conditions_ask_report(const GArray *conditions)
{
    for (guint i = 0; i < conditions->len; i++)
        if (fact_of_report(g_array_index(conditions, Condition, i).fact))
            return TRUE;
    return FALSE;
}

gboolean
conditions_take_stage(const GArray *conditions, SmtpStage stage)
{
    const char *const values[] = {smtp_stage_name(stage), NULL};
    const Matcher *matcher = conditions_find(conditions, FACT_STAGE);
    return matcher == NULL || matcher_match(matcher, values, NULL);
}

/* `code = 550` is as good as `code = "550"`. */
void
condition_read(Reading *reading, const config_setting_t *at, Fact fact, GArray *conditions)
{
    g_autoptr(GError) error = NULL;
    Condition condition = {.fact = fact};
    const char *folder = source_folder(reading->source);
    if (fact == FACT_CODE && config_setting_type(at) == CONFIG_TYPE_INT) {
        g_autofree char *code = g_strdup_printf("%d", config_setting_get_int(at));
        condition.matcher = matcher_new(fact, (const char *const *)&code, 1, folder, &error);
    } else {
        g_autoptr(GPtrArray) texts = reading_strings(reading, at);
        if (texts == NULL)
            return;
        condition.matcher =
            matcher_new(fact, (const char *const *)texts->pdata, texts->len, folder, &error);
    }
    if (condition.matcher == NULL) {
        reading_problem(reading, at, "condition \"%s\": %s", fact_name(fact), error->message);
        return;
    }
    g_array_append_val(conditions, condition);
    const char *slow = matcher_slow_pattern(condition.matcher);
    if (slow != NULL)
        reading_warning(reading, at,
                        "condition \"%s\": the regular expression %s can run into its limit, and "
                        "then does not match: simplify what repeats inside of repeats",
                        fact_name(fact), slow);
}

void
conditions_read(Reading *reading, const config_setting_t *entry, GArray *conditions)
{
    const config_setting_t *when = reading_member(reading, entry, "when", CONFIG_TYPE_GROUP);
    for (guint i = 0; when != NULL && i < (guint)config_setting_length(when); i++) {
        const config_setting_t *member = config_setting_get_elem(when, i);
        Fact fact;
        if (fact_from_name(config_setting_name(member), &fact))
            condition_read(reading, member, fact, conditions);
        else
            reading_unknown(reading, member, "condition", fact_names());
    }
}
