/*
 * conditions: does what is known meet a `when`?
 */
#include "engine/conditions.h"

/* No code, status, text, category or stage reads like this. */
#define NOTHING_IN_PARTICULAR "\x01"

void
match_view_init(MatchView *view, const Facts *facts, const SmtpReply *reply,
                const Classification *cause)
{
    *view = (MatchView){.facts = facts, .reply = reply, .cause = cause};
}

void
match_view_clear(MatchView *view)
{
    g_clear_pointer(&view->text, g_free);
    g_clear_pointer(&view->headers, g_free);
}

static const char *
code_value(MatchView *view)
{
    if (view->reply == NULL || view->reply->code == 0)
        return NULL;
    if (view->code[0] == '\0')
        g_snprintf(view->code, sizeof(view->code), "%u", view->reply->code);
    return view->code;
}

/* A reply without a code and a status tells nothing of either; one with a code only has none. */
static const char *
status_value(MatchView *view)
{
    if (view->reply == NULL ||
        (view->reply->code == 0 && !enhanced_status_is_set(view->reply->status)))
        return NULL;
    return enhanced_status_format(view->reply->status, view->status);
}

static const char *
text_value(MatchView *view)
{
    if (view->text == NULL && view->reply != NULL)
        view->text = smtp_reply_text(view->reply);
    return view->text;
}

static const char *
size_value(MatchView *view)
{
    if (view->facts->size < 0)
        return NULL;
    g_snprintf(view->size, sizeof(view->size), "%" G_GINT64_FORMAT, view->facts->size);
    return view->size;
}

static const char *const *
header_values(MatchView *view)
{
    const GPtrArray *headers = view->facts->headers;
    if (view->headers == NULL && headers != NULL) {
        view->headers = g_new0(const char *, headers->len + 1);
        for (guint i = 0; i < headers->len; i++)
            view->headers[i] = g_ptr_array_index(headers, i);
    }
    return view->headers;
}

static const char *
one_value(MatchView *view, Fact fact)
{
    switch (fact) {
    case FACT_STAGE:
        return smtp_stage_name(view->facts->stage);
    case FACT_CODE:
        return code_value(view);
    case FACT_STATUS:
        return status_value(view);
    case FACT_CATEGORY:
        return view->cause == NULL ? NULL : category_info(view->cause->category)->name;
    case FACT_PROVIDER:
        return view->cause == NULL             ? NULL
               : view->cause->provider != NULL ? view->cause->provider
                                               : "";
    case FACT_TEXT:
        return text_value(view);
    case FACT_SIZE:
        return size_value(view);
    default:
        return facts_get(view->facts, fact);
    }
}

const char *const *
match_view_values(MatchView *view, Fact fact)
{
    if (fact == FACT_HEADER)
        return header_values(view);
    if (fact == FACT_CATEGORY && view->cause == NULL)
        return view->facts->categories;
    view->one_value[0] = one_value(view, fact);
    return view->one_value[0] == NULL ? NULL : view->one_value;
}

ConditionOutcome
condition_try(MatchView *view, const Condition *condition, MatchCaptures *captures)
{
    const char *const *values = match_view_values(view, condition->fact);
    if (values == NULL)
        return CONDITION_UNKNOWN;
    return matcher_match(condition->matcher, values, captures) ? CONDITION_HOLDS : CONDITION_FAILS;
}

static void
drop_captures(MatchCaptures *captures)
{
    if (captures != NULL && (captures->value != NULL || captures->captures != NULL))
        match_captures_clear(captures);
}

gboolean
conditions_hold(MatchView *view, const GArray *conditions, MatchCaptures *captures)
{
    for (guint i = 0; i < conditions->len; i++)
        if (condition_try(view, &g_array_index(conditions, Condition, i), captures) !=
            CONDITION_HOLDS) {
            drop_captures(captures);
            return FALSE;
        }
    return TRUE;
}

static gboolean
is_about_reply(Fact fact)
{
    return fact == FACT_CODE || fact == FACT_STATUS || fact == FACT_TEXT || fact == FACT_CATEGORY ||
           fact == FACT_STAGE;
}

gboolean
conditions_name_reply(const GArray *conditions)
{
    static const char *const values[] = {NOTHING_IN_PARTICULAR, NULL};
    for (guint i = 0; i < conditions->len; i++) {
        const Condition *condition = &g_array_index(conditions, Condition, i);
        if (is_about_reply(condition->fact) && !matcher_match(condition->matcher, values, NULL))
            return TRUE;
    }
    return FALSE;
}
