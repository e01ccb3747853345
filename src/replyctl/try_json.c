/*
 * try_json: a session or a reply that was tried, as a JSON object.
 */
#include "replyctl/try_json.h"

#include "policy/settings.h"
#include "replyctl/filter_words.h"
#include "replyctl/json_output.h"

static json_t *
trace_json(const GPtrArray *trace)
{
    json_t *array = json_array();
    for (guint i = 0; trace != NULL && i < trace->len; i++) {
        const TraceStep *step = g_ptr_array_index(trace, i);
        json_t *object = json_object();
        json_output_set(object, "name", step->name);
        json_object_set_new(object, "matched", json_boolean(step->matched));
        json_output_set(object, "why", step->why);
        json_array_append_new(array, object);
    }
    return array;
}

static const char *
verdict_name(Verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_PASS] = "pass",
        [VERDICT_REPLY] = "reply",
        [VERDICT_QUARANTINE] = "quarantine",
        [VERDICT_DISCARD] = "discard",
    };
    return names[verdict];
}

static const char *
outcome_name(TryOutcome outcome)
{
    static const char *const names[] = {
        [TRY_ACCEPTED] = "accepted", [TRY_PARTLY] = "partly",       [TRY_REFUSED] = "refused",
        [TRY_TAKEN] = "taken",       [TRY_UNDECIDED] = "undecided",
    };
    return names[outcome];
}

static void
set_reply(json_t *object, const char *key, const SmtpReply *reply)
{
    if (reply != NULL)
        json_object_set_new(object, key, json_output_reply(reply));
}

static void
set_decision(json_t *object, const Decision *decision)
{
    json_t *repairs = json_array();
    for (guint i = 0; i < decision->repairs->len; i++)
        json_array_append_new(repairs, json_string(g_ptr_array_index(decision->repairs, i)));
    json_output_set(object, "verdict", verdict_name(decision->verdict));
    json_object_set_new(object, "changed", json_boolean(decision->changed));
    json_object_set_new(object, "repairs", repairs);
    json_output_set(object, "reference", decision->reference);
    json_output_set(object, "check", decision->check);
    json_output_set(object, "rule", decision->rule);
    set_reply(object, "original", decision->original);
    set_reply(object, "final", decision->final);
}

static json_t *
change_json(const Change *change)
{
    json_t *object = json_object();
    gboolean counted = change->kind == CHANGE_INSERT_HEADER || change->kind == CHANGE_SET_HEADER ||
                       change->kind == CHANGE_DELETE_HEADER;
    json_output_set(object, "change", filter_words_change_name(change->kind));
    json_output_set(object, "name", change->name);
    json_output_set(object, "value", change->value);
    if (counted)
        json_object_set_new(object, "index", json_integer(change->index));
    json_output_set(object, "address", change->address);
    json_output_set(object, "arguments", change->arguments);
    json_output_set(object, "reason", change->reason);
    return object;
}

static json_t *
heard_json(const GPtrArray *all)
{
    json_t *array = json_array();
    for (guint i = 0; i < all->len; i++) {
        const TryHeard *heard = g_ptr_array_index(all, i);
        json_t *object = json_object(), *changes = json_array();
        for (guint k = 0; k < heard->changes->len; k++)
            json_array_append_new(changes, change_json(g_ptr_array_index(heard->changes, k)));
        json_output_set(object, "filter", heard->filter);
        json_output_set(object, "verdict", filter_verdict_name(heard->verdict));
        json_output_set(object, "failure", heard->failure);
        json_object_set_new(object, "changes", changes);
        json_object_set_new(object, "us", json_integer(heard->spent_us));
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *
step_json(const TryStep *step, gboolean filters)
{
    json_t *object = json_object();
    json_output_set(object, "point", check_point_name(step->point));
    json_output_set(object, "recipient", step->recipient);
    set_decision(object, &step->decision);
    json_output_set(object, "filter", step->filter);
    json_object_set_new(object, "checks", trace_json(step->trace));
    if (filters)
        json_object_set_new(object, "filters", heard_json(step->heard));
    return object;
}

static json_t *
reported_json(const TryReported *reported)
{
    json_t *object = json_object();
    json_output_set(object, "recipient", reported->recipient);
    json_output_set(object, "kind", mail_kind_name(reported->decision.kind));
    json_output_set(object, "proof", proof_name(reported->decision.proof));
    json_object_set_new(object, "classification", json_output_cause(&reported->decision.cause));
    set_reply(object, "reply", reported->decision.original);
    return object;
}

static json_t *
report_json(const TryReport *report)
{
    json_t *object = json_object(), *recipients = json_array();
    for (guint i = 0; i < report->reported->len; i++)
        json_array_append_new(recipients, reported_json(g_ptr_array_index(report->reported, i)));
    json_output_set(object, "kind", mail_kind_name(report->kind));
    json_object_set_new(object, "recipients", recipients);
    return object;
}

json_t *
try_json_session(const TrySession *session)
{
    json_t *object = json_object(), *steps = json_array();
    for (guint i = 0; i < session->steps->len; i++)
        json_array_append_new(
            steps, step_json(g_ptr_array_index(session->steps, i), session->filters != NULL));
    json_output_set(object, "outcome", outcome_name(session->outcome));
    json_object_set_new(object, "message_read", json_boolean(session->read));
    if (session->report != NULL)
        json_object_set_new(object, "report", report_json(session->report));
    json_object_set_new(object, "points", steps);
    return object;
}

json_t *
try_json_reply(const TryReply *reply)
{
    const Decision *decision = &reply->decision;
    json_t *object = json_object();
    json_output_set(object, "door", door_name(reply->door));
    json_output_set(object, "key", reply->key);
    if (decision->original != NULL && !decision->own)
        json_object_set_new(object, "classification", json_output_cause(&decision->cause));
    json_object_set_new(object, "rules", trace_json(reply->trace));
    set_decision(object, decision);
    if (decision->changed) {
        json_output_set(object, "mode", reply_mode_names[decision->mode]);
        json_output_set(object, "disclosure", disclosure_names[decision->disclosure]);
    }
    json_output_set(object, "unchanged_because", reply->why_unchanged);
    if (reply->key != NULL)
        json_object_set_new(object, "answer", json_output_text(reply->answer));
    return object;
}
