/*
 * event: what happened to one reply or recipient, as one JSON object.
 *
 * If the line is too long, it is written again with shorter values.
 */
#include "record/event.h"

#include <string.h>

#include "base/clock.h"
#include "record/json_line.h"

/* A value may take this much at first; at the least all of them fit together. */
#define VALUE_MAX   16384
#define VALUE_MIN   256
#define REPAIRS_MAX 32

static guint
reply_class(const SmtpReply *reply)
{
    if (reply == NULL)
        return 5;
    return enhanced_status_is_set(reply->status) ? reply->status.class : reply->code / 100;
}

MailKind
event_report_kind(const Facts *facts, const Decision *decision)
{
    if (decision->report)
        return decision->kind;
    if (facts->door != DOOR_DELIVERY)
        return MAIL_KIND_NOT_A_BOUNCE;
    return reply_class(decision_said(decision)) == 4 ? MAIL_KIND_DELAY : MAIL_KIND_FAILURE;
}

Proof
event_proof(const Facts *facts, const Decision *decision)
{
    return facts->door == DOOR_DELIVERY ? PROOF_OWN_MTA : decision->proof;
}

const char *
event_kind_name(const Facts *facts, const Decision *decision)
{
    MailKind kind = event_report_kind(facts, decision);
    if (kind != MAIL_KIND_NOT_A_BOUNCE)
        return mail_kind_name(kind);
    return decision->report ? "unread" : "refusal";
}

static void
write_mark(JsonLine *line, const char *kind, const Facts *facts, const EventMark *mark)
{
    g_autofree char *time = clock_format(mark->now_us);
    json_line_number(line, "v", EVENT_VERSION);
    json_line_string(line, "time", time);
    json_line_string(line, "id", mark->id);
    json_line_string(line, "joins", mark->joins);
    json_line_string(line, "event", kind);
    json_line_string(line, "door", door_name(facts->door));
    json_line_string(line, "stage", smtp_stage_name(facts->stage));
    json_line_string(line, "queue_id", facts->queue_id);
}

static void
write_envelope(JsonLine *line, const EventTexts *texts)
{
    if (texts->client != NULL || texts->client_name != NULL || texts->helo != NULL) {
        json_line_open_object(line, "client");
        json_line_string(line, "addr", texts->client);
        json_line_string(line, "name", texts->client_name);
        json_line_string(line, "helo", texts->helo);
        json_line_close_object(line);
    }
    json_line_string(line, "sender", texts->sender);
    json_line_string(line, "recipient", texts->recipient);
}

static void
write_reply(JsonLine *line, const char *key, const SmtpReply *reply, const char *text)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    if (reply == NULL)
        return;
    json_line_open_object(line, key);
    if (reply->code != 0)
        json_line_number(line, "code", reply->code);
    if (enhanced_status_is_set(reply->status))
        json_line_string(line, "status", enhanced_status_format(reply->status, status));
    json_line_string(line, "text", text);
    json_line_close_object(line);
}

static void
write_repairs(JsonLine *line, const GPtrArray *repairs)
{
    json_line_open_array(line, "repairs");
    for (guint i = 0; i < MIN(repairs->len, REPAIRS_MAX); i++)
        json_line_element(line, g_ptr_array_index(repairs, i));
    json_line_close_array(line);
}

/* In milliseconds. */
static void
write_time(JsonLine *line, const char *key, gint64 time_us)
{
    if (time_us > 0)
        json_line_number(line, key, (time_us + 500) / 1000);
}

static void
write_decision(JsonLine *line, const Facts *facts, const Decision *decision,
               const EventTexts *texts)
{
    write_reply(line, "original", decision->original, texts->original);
    write_reply(line, "final", decision_said(decision), texts->final);
    if (decision->verdict == VERDICT_QUARANTINE || decision->verdict == VERDICT_DISCARD)
        json_line_string(line, "verdict",
                         decision->verdict == VERDICT_DISCARD ? "discard" : "quarantine");
    json_line_boolean(line, "changed", decision->changed);
    write_repairs(line, decision->repairs);
    json_line_string(line, "reference", decision->reference);
    json_line_string(line, "rule", decision->rule);
    json_line_string(line, "check", decision->check);
    json_line_string(line, "filter", facts_get(facts, FACT_FILTER));
    write_time(line, "filter_ms", decision->filter_us);
}

static void
write_cause(JsonLine *line, const Classification *cause, const EventTexts *texts)
{
    json_line_string(line, "category", category_info(cause->category)->name);
    json_line_boolean(line, "permanent", cause->permanent);
    json_line_string(line, "action", action_name(cause->action));
    json_line_string(line, "confidence", confidence_name(cause->confidence));
    json_line_open_object(line, "evidence");
    json_line_string(line, "rule", cause->rule != NULL ? cause->rule : "none");
    json_line_string(line, "match", texts->match);
    json_line_close_object(line);
}

static void
write_origin(JsonLine *line, const Facts *facts, const Decision *decision, const EventTexts *texts)
{
    const Classification *cause = &decision->cause;
    json_line_string(line, "proof", proof_name(event_proof(facts, decision)));
    json_line_string(line, "provider", cause->provider);
    json_line_string(line, "reporting_mta", texts->reporting_mta);
    json_line_string(line, "remote_mta", texts->remote_mta);
    json_line_string(line, "message_id", texts->message_id);
    if (cause->retry_after >= 0)
        json_line_number(line, "retry_after", cause->retry_after);
    json_line_string(line, "dnsbl", texts->dnsbl);
    json_line_string(line, "incomplete", report_gap_name(decision->gap));
}

char *
event_line(const EventTexts *texts, const Facts *facts, const Decision *decision,
           const EventMark *mark)
{
    char *whole = NULL;
    for (gsize limit = VALUE_MAX; whole == NULL; limit /= 2) {
        JsonLine line;
        json_line_begin(&line, limit);
        write_mark(&line, event_kind_name(facts, decision), facts, mark);
        write_envelope(&line, texts);
        write_decision(&line, facts, decision, texts);
        write_cause(&line, &decision->cause, texts);
        write_origin(&line, facts, decision, texts);
        gboolean fits = line.out->len < EVENT_LINE_MAX || limit <= VALUE_MIN;
        whole = json_line_end(&line);
        if (!fits)
            g_clear_pointer(&whole, g_free);
    }
    return whole;
}

char *
event_line_by(const PolicySettings *settings, const Facts *facts, const Decision *decision,
              const EventMark *mark)
{
    g_auto(EventTexts) texts;
    event_texts_init(&texts, settings, facts, decision);
    return event_line(&texts, facts, decision, mark);
}

/* Of the values few are from outside, so that the line is always short enough. */
char *
event_filter_failure_line(const EventTexts *texts, const Facts *facts,
                          const EventFilterFailure *failure, const EventMark *mark)
{
    static const char *const outcomes[] = {"tempfail", "accept", "reject"};
    enum { FAILURE_VALUE_MAX = EVENT_LINE_MAX / 64 };
    JsonLine line;
    json_line_begin(&line, FAILURE_VALUE_MAX);
    write_mark(&line, "filter-failure", facts, mark);
    write_envelope(&line, texts);
    json_line_string(&line, "filter", failure->filter);
    json_line_string(&line, "reason", texts->match);
    json_line_string(&line, "on_failure", outcomes[failure->on_failure]);
    write_time(&line, "filter_ms", failure->spent_us);
    return json_line_end(&line);
}
