/*
 * sendmail_answer: what a rule set of Sendmail is told to say instead of its own refusal.
 */
#include "engine/sendmail_answer.h"

#include <string.h>

#include "engine/table_answer.h"

/* "550 5.7.1 Relaying denied" of the key, or NULL: it is none. The caller frees it. */
static char *
whole_reply(const char *key)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    gsize taken = enhanced_status_scan(key, &status);
    const char *said = taken > 0 ? key + taken : key;
    if (taken > 0 && *said++ != '/')
        return NULL;
    g_autoptr(SmtpReply) reply = smtp_reply_parse(said, -1);
    if (reply->code < 400 || strlen(said) < 4 || said[3] != ' ')
        return NULL;
    if (taken == 0 || enhanced_status_is_set(reply->status))
        return g_strdup(said);
    return g_strdup_printf("%u %s %s", reply->code, enhanced_status_format(status, text), said + 4);
}

/* Nothing that would end the quotation. */
static void
append_line(GString *text, const char *line)
{
    gboolean ended = text->len > 0 && strchr(".!?:", text->str[text->len - 1]) != NULL;
    if (text->len > 0)
        g_string_append(text, ended ? " " : " - ");
    for (; *line != '\0'; line++)
        g_string_append_c(text, *line == '"' ? '\'' : *line == '\\' ? '/' : *line);
}

/* So many lines, the last among them, in one. */
static char *
join_lines(const SmtpReply *reply, guint lines)
{
    guint count = smtp_reply_line_count(reply);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < lines; i++) {
        guint line = i + 1 == lines && lines > 1 ? count - 1 : i;
        append_line(text, smtp_reply_line(reply, line)->text);
    }
    return g_string_free(text, FALSE);
}

/* The caller frees it. */
static char *
one_line(const SmtpReply *reply)
{
    char *text = NULL;
    for (guint lines = smtp_reply_line_count(reply); lines > 0; lines--) {
        g_free(text);
        text = join_lines(reply, lines);
        if (strlen(text) <= SENDMAIL_ANSWER_TEXT)
            return text;
    }
    text[SENDMAIL_ANSWER_TEXT] = '\0';
    return text;
}

char *
sendmail_answer(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
                Decision *decision)
{
    if (strnlen(key, TABLE_KEY_MAX + 1) > TABLE_KEY_MAX)
        return NULL;
    g_autofree char *reply = whole_reply(key);
    if (reply == NULL)
        return NULL;
    facts->stage = SMTP_STAGE_RCPT; /* check_rcpt, whatever it has looked at */
    g_autofree char *wire = table_answer(policy, reply, facts, moment, decision);
    if (wire == NULL)
        return NULL;
    const SmtpReply *final = decision->final;
    g_autofree char *text = one_line(final);
    SmtpReply *said = smtp_reply_new(final->code, final->status, text);
    smtp_reply_free(decision->final);
    decision->final = said;
    g_autofree char *line = smtp_reply_to_line(said);
    return g_strdup_printf("\"%s\"", line);
}
