/*
 * event_words: an event in words, as a line of the daemon's own log.
 */
#include "record/event_words.h"

#include <string.h>

#include "base/log.h"

/* Octets that are told of an address or a name, and of a text. */
enum { NAME_SHOWN = 256, TEXT_SHOWN = 400 };

/* Has replymilter, or a filter behind it, had a hand in it? */
static gboolean
is_own(const Facts *facts, const Decision *decision)
{
    return !decision->report &&
           (decision->changed || decision->check != NULL || facts->door == DOOR_FILTER ||
            decision->verdict == VERDICT_QUARANTINE || decision->verdict == VERDICT_DISCARD);
}

gboolean
event_words_wanted(const PolicySettings *settings, const Facts *facts, const Decision *decision)
{
    return settings->log.lines == LOG_LINES_ALL ||
           (settings->log.lines == LOG_LINES_OWN && is_own(facts, decision));
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void
append_cut(GString *out, const char *text, gsize most)
{
    gsize length = strlen(text);
    g_string_append_len(out, text, (gssize)MIN(length, most));
    if (length > most)
        g_string_append(out, "...");
}

/* " from=<a@b>"; nothing where it is not known. */
static void
append_named(GString *out, const char *name, const char *value, gboolean bracketed)
{
    if (value == NULL)
        return;
    g_string_append_printf(out, " %s=%s", name, bracketed ? "<" : "");
    append_cut(out, value, NAME_SHOWN);
    g_string_append(out, bracketed ? ">" : "");
}

static GString *
begin(const Facts *facts)
{
    GString *out = g_string_new(NULL);
    append_cut(out, facts->queue_id != NULL ? facts->queue_id : LOG_NO_QUEUE_ID, NAME_SHOWN);
    g_string_append(out, ": ");
    return out;
}

static void
append_stage(GString *out, const Facts *facts, const EventTexts *texts)
{
    static const char *const words[SMTP_STAGE_COUNT] = {
        [SMTP_STAGE_CONNECT] = "connection", [SMTP_STAGE_HELO] = "HELO",
        [SMTP_STAGE_STARTTLS] = "STARTTLS",  [SMTP_STAGE_AUTH] = "AUTH",
        [SMTP_STAGE_MAIL] = "MAIL",          [SMTP_STAGE_RCPT] = "RCPT",
        [SMTP_STAGE_DATA] = "DATA",          [SMTP_STAGE_EOM] = "message",
    };
    const char *stage = words[facts->stage];
    g_string_append(out, stage != NULL ? stage : "command");
    if (facts->stage == SMTP_STAGE_RCPT && texts->recipient != NULL) {
        g_string_append(out, " <");
        append_cut(out, texts->recipient, NAME_SHOWN);
        g_string_append_c(out, '>');
    }
}

/* "; from=<a@b> client=x.example[192.0.2.1] helo=<x>" */
static void
append_envelope(GString *out, const Facts *facts, const EventTexts *texts)
{
    g_string_append_c(out, ';');
    append_named(out, "from", texts->sender, TRUE);
    if (facts->stage != SMTP_STAGE_RCPT)
        append_named(out, "to", texts->recipient, TRUE);
    if (texts->client != NULL) {
        append_named(out, "client", texts->client_name != NULL ? texts->client_name : "unknown",
                     FALSE);
        g_string_append_c(out, '[');
        append_cut(out, texts->client, NAME_SHOWN);
        g_string_append_c(out, ']');
    }
    append_named(out, "helo", texts->helo, TRUE);
}

static char *
end(GString *out)
{
    if (out->str[out->len - 1] == ';')
        g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* What has happened to the reply or the mail. */
static const char *
verb(const Facts *facts, const Decision *decision)
{
    if (decision->verdict == VERDICT_QUARANTINE)
        return "held";
    if (decision->verdict == VERDICT_DISCARD)
        return "discarded";
    if (door_is_table(facts->door))
        return decision->changed ? "reworded" : "left as it is:";
    return "refused";
}

static void
append_what(GString *out, const Facts *facts, const Decision *decision, const EventTexts *texts)
{
    if (!decision->report && facts->door != DOOR_DELIVERY) {
        g_string_append_printf(out, "%s ", verb(facts, decision));
        append_stage(out, facts, texts);
        return;
    }
    g_string_append(out, event_kind_name(facts, decision));
    if (texts->recipient != NULL) {
        g_string_append(out, " of <");
        append_cut(out, texts->recipient, NAME_SHOWN);
        g_string_append_c(out, '>');
    }
    if (!decision->report && decision->changed)
        g_string_append(out, " reworded");
}

static void
append_who(GString *out, const Facts *facts, const Decision *decision)
{
    const char *filter = facts_get(facts, FACT_FILTER);
    if (decision->report)
        return;
    if (decision->check != NULL)
        g_string_append_printf(out, " by check %s", decision->check);
    else if (facts->door == DOOR_FILTER && filter != NULL)
        g_string_append_printf(out, " by filter %s", filter);
    else if (door_is_table(facts->door))
        g_string_append_printf(out, " by table %s", door_name(facts->door));
    else if (facts->observed)
        g_string_append(out, " by the MTA");
}

static void
append_reply(GString *out, const Decision *decision, const EventTexts *texts)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    const SmtpReply *said = decision_said(decision);
    if (said == NULL)
        return;
    g_string_append_c(out, ':');
    if (said->code != 0)
        g_string_append_printf(out, " %u", said->code);
    if (enhanced_status_is_set(said->status))
        g_string_append_printf(out, " %s", enhanced_status_format(said->status, status));
    if (texts->final != NULL && *texts->final != '\0') {
        g_string_append_c(out, ' ');
        append_cut(out, texts->final, TEXT_SHOWN);
    }
}

char *
event_words(const EventTexts *texts, const Facts *facts, const Decision *decision)
{
    GString *out = begin(facts);
    append_what(out, facts, decision, texts);
    append_who(out, facts, decision);
    append_reply(out, decision, texts);
    append_envelope(out, facts, texts);
    if (decision_said(decision) != NULL || decision->report)
        append_named(out, "category", category_info(decision->cause.category)->name, FALSE);
    append_named(out, "rule", decision->rule, FALSE);
    if (decision->report)
        append_named(out, "action", action_name(decision->cause.action), FALSE);
    append_named(out, "remote", texts->remote_mta, FALSE);
    append_named(out, "reference", decision->reference, FALSE);
    return end(out);
}

char *
event_words_of_failure(const EventTexts *texts, const Facts *facts,
                       const EventFilterFailure *failure)
{
    static const char *const outcomes[] = {"the mail is put off", "the mail goes on without it",
                                           "the mail is refused"};
    GString *out = begin(facts);
    g_string_append_printf(out, "filter %s failed", failure->filter);
    if (facts->stage != SMTP_STAGE_UNKNOWN) {
        g_string_append(out, " at ");
        append_stage(out, facts, texts);
    }
    g_string_append(out, ": ");
    append_cut(out, texts->match, TEXT_SHOWN);
    g_string_append_printf(out, ": %s", outcomes[failure->on_failure]);
    append_envelope(out, facts, texts);
    return end(out);
}
