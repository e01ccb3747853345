/*
 * engine: facts + policy -> decision. The one call behind every door.
 *
 * The order: know our own replies; classify; choose who speaks (the first rule that matches, else
 * the default); let compose make it.
 */
#include "engine/engine.h"

#include "engine/cause.h"
#include "engine/compose.h"
#include "engine/conditions.h"
#include "engine/own_reply.h"
#include "engine/reference.h"
#include "engine/scope.h"

char *
engine_reference(guint64 random)
{
    return reference_new(random);
}

/* ---- who speaks -------------------------------------------------------------------------------
 */

static gboolean
is_insider(const Policy *policy, const Facts *facts)
{
    const char *client = facts_get(facts, FACT_CLIENT);
    const char *auth_user = facts_get(facts, FACT_AUTH_USER);
    return (client != NULL && policy_is_inside(policy, client)) ||
           (auth_user != NULL && *auth_user != '\0');
}

/* A rule without a mode does at least what makes its words heard. */
static ReplyMode
mode_of_rule(const PolicyRule *rule, ReplyMode usual)
{
    if (rule->mode_set)
        return rule->mode;
    if (rule->reply.text->len > 0)
        return MAX(usual, REPLY_MODE_ANNOTATE);
    if (rule->reply.code != 0 || enhanced_status_is_set(rule->reply.status) || rule->disclosure_set)
        return MAX(usual, REPLY_MODE_REPAIR);
    return usual;
}

static Disclosure
disclosure_for(const Policy *policy, const Facts *facts, const PolicyRule *rule)
{
    Disclosure disclosure = rule != NULL && rule->disclosure_set
                                ? rule->disclosure
                                : policy_settings(policy)->site.disclosure;
    return is_insider(policy, facts) ? DISCLOSURE_FULL : disclosure;
}

/* The footer table can only add. */
static ReplyMode
mode_at_door(ReplyMode mode, Door door)
{
    return door == DOOR_FOOTER && mode != REPLY_MODE_KEEP ? REPLY_MODE_ANNOTATE : mode;
}

static const char *const *
values_of_view(gpointer view, Fact fact)
{
    return match_view_values(view, fact);
}

static const PolicyRule *
first_rule(const Policy *policy, MatchView *view, gboolean in_scope, MatchCaptures *captures)
{
    g_autoptr(GArray) likely = policy_likely_rules(policy, values_of_view, view);
    for (guint i = 0; i < likely->len; i++) {
        const PolicyRule *rule = policy_rule(policy, g_array_index(likely, guint, i));
        if (!conditions_hold(view, rule->conditions, captures))
            continue;
        if (in_scope || conditions_name_reply(rule->conditions))
            return rule;
        match_captures_clear(captures);
    }
    return NULL;
}

static void
choose(const Policy *policy, const Facts *facts, const Decision *decision, Choice *choice)
{
    ReplyMode usual = policy_settings(policy)->replies.mode;
    gboolean in_scope = scope_has_reply(policy, facts, decision->original);
    MatchView view;
    match_view_init(&view, facts, decision->original, &decision->cause);
    choice->rule = first_rule(policy, &view, in_scope, &choice->captures);
    match_view_clear(&view);
    ReplyMode mode = choice->rule != NULL ? mode_of_rule(choice->rule, usual)
                     : in_scope           ? usual
                                          : REPLY_MODE_KEEP;
    choice->mode = mode_at_door(mode, facts->door);
    choice->disclosure = disclosure_for(policy, facts, choice->rule);
}

/* ---- the calls --------------------------------------------------------------------------------
 */

static void
speak(const Policy *policy, const Facts *facts, const EngineMoment *moment, Decision *decision)
{
    Choice choice = {.rule = NULL};
    choose(policy, facts, decision, &choice);
    decision->rule = choice.rule == NULL ? NULL : choice.rule->name;
    if (choice.mode != REPLY_MODE_KEEP)
        compose_decision(policy, facts, &choice, moment, decision);
    match_captures_clear(&choice.captures);
}

void
engine_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply,
             const EngineMoment *moment, Decision *decision)
{
    decision->original = smtp_reply_copy(reply);
    decision->own = own_reply_is(policy, facts->door, reply);
    if (!decision->own || facts->observed)
        cause_of_reply(policy, facts, reply, &decision->cause);
    if (!decision->own && !facts->observed)
        speak(policy, facts, moment, decision);
    if (decision->final == NULL)
        decision->final = smtp_reply_copy(reply);
}

void
engine_check(const Policy *policy, const PolicyCheck *check, const Facts *facts,
             const MatchCaptures *captures, const EngineMoment *moment, Decision *decision)
{
    decision->check = check->name;
    switch (check->action) {
    case CHECK_REFUSE:
        compose_refusal(policy, facts, check, captures, moment, decision);
        break;
    case CHECK_QUARANTINE:
        decision->verdict = VERDICT_QUARANTINE;
        break;
    case CHECK_DISCARD:
        decision->verdict = VERDICT_DISCARD;
        break;
    }
}

gboolean
engine_conditions_match(const GArray *conditions, const Facts *facts, const SmtpReply *reply,
                        const Classification *cause, MatchCaptures *captures)
{
    MatchView view;
    match_view_init(&view, facts, reply, cause);
    gboolean match = conditions_hold(&view, conditions, captures);
    match_view_clear(&view);
    return match;
}

const char *
engine_direction(const Policy *policy, const char *client, const char *auth_user, guint port)
{
    if (port == 0)
        return "local";
    if (auth_user != NULL && *auth_user != '\0')
        return "outbound";
    return client != NULL && policy_is_inside(policy, client) ? "outbound" : "inbound";
}
