/*
 * table_answer: a table's key -> the engine's decision -> the answer in that table's own encoding.
 *
 * Postfix checks little of what a table says, so each encoder checks its own answer last; any doubt
 * is "not found".
 */
#include "engine/table_answer.h"

#include <string.h>

#include "base/text.h"
#include "engine/attribute_mark.h"
#include "engine/reply_key.h"
#include "engine/scope.h"

static gboolean
is_refusal(guint code)
{
    return code >= 400 && code <= 599;
}

static char *
checked(char *answer)
{
    if (answer != NULL && (*answer == '\0' || !text_is_printable(answer)))
        g_clear_pointer(&answer, g_free);
    return answer;
}

/* ---- reject and footer: the key is a whole reply ----------------------------------------------
 */

/* Literal, with the code on each line. */
static char *
encode_reject(const Decision *decision)
{
    const SmtpReply *final = decision->final;
    if (!is_refusal(final->code) ||
        (enhanced_status_is_set(final->status) && final->status.class != final->code / 100))
        return NULL;
    for (guint i = 0; i < smtp_reply_line_count(final); i++)
        if (!text_is_printable(smtp_reply_line(final, i)->text))
            return NULL;
    return smtp_reply_to_wire(final);
}

static char *
encode_footer(const Decision *decision)
{
    GString *answer = g_string_new(NULL);
    for (guint i = 0; i < decision->added->len; i++) {
        g_autofree char *line = attribute_mark_encode(g_ptr_array_index(decision->added, i));
        g_string_append_printf(answer, "%s%s", i > 0 ? "\\n" : "", line);
    }
    return checked(g_string_free(answer, FALSE));
}

static char *
answer_reply(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
             Decision *decision)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(key, -1);
    if (!is_refusal(reply->code))
        return NULL;
    reply_key_read(reply, facts);
    reply->stage = facts->stage; /* what the text quotes from another session is not this one's */
    engine_reply(policy, facts, reply, moment, decision);
    if (decision->verdict != VERDICT_REPLY) {
        if (decision->rule == NULL && !scope_has_reply(policy, facts, reply))
            g_clear_pointer(&decision->original, smtp_reply_free);
        return NULL;
    }
    return facts->door == DOOR_FOOTER ? encode_footer(decision) : encode_reject(decision);
}

/* ---- delivery: the key is a status and a text --------------------------------------------------
 */

static char *
encode_delivery(const Decision *decision)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autofree char *text = smtp_reply_text(decision->final);
    enhanced_status_format(decision->final->status, status);
    return checked(g_strjoin(" ", status, text, NULL));
}

static char *
answer_delivery(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
                Decision *decision)
{
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    gsize taken = enhanced_status_scan(key, &status);
    if (taken == 0 || status.class == 2 || key[taken] != ' ')
        return NULL;
    g_autoptr(SmtpReply) remote = smtp_reply_parse(key + taken + 1, -1);
    g_autoptr(SmtpReply) reply = smtp_reply_new(0, status, key + taken + 1);
    reply->remote_name = g_strdup(remote->remote_name);
    reply->remote_addr = g_strdup(remote->remote_addr);
    reply->code = remote->code;
    reply->stage = facts->stage = remote->stage;
    engine_reply(policy, facts, reply, moment, decision);
    return decision->verdict == VERDICT_REPLY ? encode_delivery(decision) : NULL;
}

/* ---- rbl: the key is a restriction's argument ---------------------------------------------------
 */

/* "rbl.test" of "rbl.test=127.0.0.[2..11]", or NULL. */
static char *
rbl_domain(const char *key)
{
    gsize length = 0;
    while (g_ascii_isalnum(key[length]) || key[length] == '.' || key[length] == '-' ||
           key[length] == '_')
        length++;
    gboolean ends = key[length] == '\0' || key[length] == '=';
    return length == 0 || length > 255 || !ends ? NULL : g_strndup(key, length);
}

static char *
encode_rbl(const Decision *decision)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    const SmtpReply *final = decision->final;
    g_autofree char *text = attribute_mark_encode(g_ptr_array_index(decision->added, 0));
    if (final->code == 0)
        return checked(g_strconcat("$rbl_code ", text, NULL));
    enhanced_status_format(final->status, status);
    return checked(g_strdup_printf("%u %s %s", final->code, status, text));
}

static char *
answer_rbl(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
           Decision *decision)
{
    g_autofree char *domain = rbl_domain(key);
    if (domain == NULL)
        return NULL;
    g_autofree char *text = g_strconcat("Service unavailable; client blocked using ", domain, NULL);
    g_autoptr(SmtpReply) reply = smtp_reply_new(0, ENHANCED_STATUS_NONE, text);
    engine_reply(policy, facts, reply, moment, decision);
    return decision->verdict == VERDICT_REPLY ? encode_rbl(decision) : NULL;
}

/* ---- the call
 * ------------------------------------------------------------------------------------ */

char *
table_answer(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
             Decision *decision)
{
    if (strnlen(key, TABLE_KEY_MAX + 1) > TABLE_KEY_MAX)
        return NULL;
    switch (facts->door) {
    case DOOR_REJECT:
    case DOOR_FOOTER:
        return answer_reply(policy, key, facts, moment, decision);
    case DOOR_DELIVERY:
        return answer_delivery(policy, key, facts, moment, decision);
    case DOOR_RBL:
        return answer_rbl(policy, key, facts, moment, decision);
    default:
        g_assert_not_reached();
    }
}
