/*
 * scope: is a reply one that the policy's default may touch?
 */
#include "engine/scope.h"

#include <string.h>

#define MAIL_STAGES                                                                                \
    (1u << SMTP_STAGE_MAIL | 1u << SMTP_STAGE_RCPT | 1u << SMTP_STAGE_DATA | 1u << SMTP_STAGE_EOM)

/* Codes that say nothing of a message, where nothing but the text is known. */
static gboolean
is_session_code(guint code)
{
    return smtp_code_hangs_up(code) || code == 555 || (code >= 500 && code <= 504) ||
           (code >= 530 && code <= 538);
}

/* "554 mx.example.org ESMTP not accepting connections": a host name and no status. */
static gboolean
is_greeting(const SmtpReply *reply)
{
    return !enhanced_status_is_set(reply->status) &&
           strstr(smtp_reply_line(reply, 0)->text, " ESMTP not accepting ") != NULL;
}

static gboolean
stage_is_ours(const Policy *policy, SmtpStage stage)
{
    guint stages = policy_settings(policy)->replies.stages;
    if (stage != SMTP_STAGE_UNKNOWN)
        return (stages & 1u << stage) != 0;
    return (stages & MAIL_STAGES) == MAIL_STAGES;
}

gboolean
scope_has_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply)
{
    switch (facts->door) {
    case DOOR_DELIVERY:
    case DOOR_RBL:
        return TRUE;
    case DOOR_REJECT:
    case DOOR_FOOTER:
        return !is_session_code(reply->code) && !is_greeting(reply) &&
               stage_is_ours(policy, facts->stage);
    default:
        if (facts->stage == SMTP_STAGE_UNKNOWN && is_session_code(reply->code))
            return FALSE;
        return stage_is_ours(policy, facts->stage);
    }
}
