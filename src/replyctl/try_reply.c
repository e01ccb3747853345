/*
 * try_reply: what becomes of somebody else's reply at a door, and why.
 */
#include "replyctl/try_reply.h"

#include <string.h>

#include "engine/filter_reply.h"
#include "engine/scope.h"
#include "engine/table_answer.h"
#include "engine/trace.h"
#include "mail/address.h"
#include "replyctl/try_session.h"

/* ---- what the door is asked -------------------------------------------------------------------
 */

/* Postfix asks with "5.1.1 host mx said: 550 ...": a reply gets its status put before it. */
static char *
delivery_key(const char *text)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    if (enhanced_status_scan(text, NULL) > 0)
        return g_strdup(text);
    g_autoptr(SmtpReply) reply = smtp_reply_parse(text, -1);
    EnhancedStatus own = reply->status;
    if (!enhanced_status_is_set(own))
        own = (EnhancedStatus){(guint8)(reply->code >= 400 ? reply->code / 100 : 5), 0, 0};
    return g_strconcat(enhanced_status_format(own, status), " ", text, NULL);
}

static void
ask_table(const Policy *policy, const TryOptions *options, TryReply *reply)
{
    EngineMoment moment = try_session_moment();
    reply->key =
        options->door == DOOR_DELIVERY ? delivery_key(options->reply) : g_strdup(options->reply);
    reply->answer = table_answer(policy, reply->key, &reply->facts, &moment, &reply->decision);
}

/* As the filter has written it, but for line ends: CR LF is hard to type. */
static char *
as_of_filter(const char *typed)
{
    GString *raw = g_string_new(NULL);
    for (const char *at = typed; *at != '\0'; at++) {
        if (*at == '\n' && (at == typed || at[-1] != '\r'))
            g_string_append_c(raw, '\r');
        g_string_append_c(raw, *at);
    }
    return g_string_free(raw, FALSE);
}

static void
ask_for_filter(const Policy *policy, const TryOptions *options, TryReply *reply)
{
    EngineMoment moment = try_session_moment();
    g_autofree char *raw = as_of_filter(options->reply);
    const FilterAnswer answer = {
        .kind = FILTER_ANSWER_REPLY, .filter = options->filter, .text = raw, .length = strlen(raw)};
    filter_reply_decide(policy, &reply->facts, &answer, &moment, &reply->decision);
}

/* A milter or a filter speaks within the session. */
static void
ask_engine(const Policy *policy, const TryOptions *options, TryReply *reply)
{
    EngineMoment moment = try_session_moment();
    g_autoptr(SmtpReply) given = smtp_reply_parse(options->reply, -1);
    try_options_session(options, policy, &reply->facts);
    try_options_message(options, &reply->facts);
    if (options->recipients != NULL) {
        g_autofree char *recipient = address_parse(options->recipients[0]);
        facts_set(&reply->facts, FACT_RECIPIENT, recipient);
    }
    reply->facts.stage = options->stage != SMTP_STAGE_UNKNOWN ? options->stage : given->stage;
    reply->facts.observed = options->door == DOOR_MILTER;
    if (options->door == DOOR_FILTER)
        ask_for_filter(policy, options, reply);
    else
        engine_reply(policy, &reply->facts, given, &moment, &reply->decision);
}

/* ---- why it stays as it is --------------------------------------------------------------------
 */

static const PolicyRule *
rule_named(const Policy *policy, const char *name)
{
    for (guint i = 0; name != NULL && i < policy_rule_count(policy); i++)
        if (strcmp(policy_rule(policy, i)->name, name) == 0)
            return policy_rule(policy, i);
    return NULL;
}

static const char *
why_unchanged(const Policy *policy, const TryReply *reply)
{
    const Decision *decision = &reply->decision;
    const PolicyRule *rule = rule_named(policy, decision->rule);
    if (decision->original == NULL && reply->door == DOOR_RBL)
        return "This is no name of a DNS list. Postfix asks rbl_reply_maps with what stands behind "
               "reject_rbl_client in its restrictions: zen.spamhaus.org, or "
               "zen.spamhaus.org=127.0.0.[2..11]. It makes the reply itself.";
    if (decision->original == NULL)
        return "This is no refusal: there is nothing for us to say.";
    if (decision->own)
        return "One of our doors made this reply, so it passes as it is.";
    if (reply->facts.observed)
        return "The MTA says this by itself; the milter door only watches and logs it. Other doors "
               "can change it: footer, reject.";
    if (rule != NULL && rule->mode_set && rule->mode == REPLY_MODE_KEEP)
        return "The rule says keep.";
    if (rule == NULL && !scope_has_reply(policy, &reply->facts, decision->original))
        return "Such a reply is left alone unless a rule names it (replies.stages).";
    if (rule == NULL && policy_settings(policy)->replies.mode == REPLY_MODE_KEEP)
        return "replies.default says keep.";
    return "Nothing about it has to be changed.";
}

void
try_reply_make(const Policy *policy, const TryOptions *options, TryReply *reply)
{
    *reply = (TryReply){.door = options->door};
    facts_init(&reply->facts, options->door);
    decision_init(&reply->decision);
    /* A table query carries the reply and nothing else. */
    if (door_is_table(options->door))
        ask_table(policy, options, reply);
    else
        ask_engine(policy, options, reply);
    const Decision *decision = &reply->decision;
    if (decision->original != NULL && !decision->own && !reply->facts.observed)
        reply->trace = trace_rules(policy, &reply->facts, decision->original, &decision->cause);
    if (decision->verdict == VERDICT_PASS)
        reply->why_unchanged = why_unchanged(policy, reply);
}

void
try_reply_clear(TryReply *reply)
{
    g_clear_pointer(&reply->key, g_free);
    g_clear_pointer(&reply->answer, g_free);
    g_clear_pointer(&reply->trace, g_ptr_array_unref);
    decision_clear(&reply->decision);
    facts_clear(&reply->facts);
}
