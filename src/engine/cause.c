/*
 * cause: what the classifier says about a reply, as the door at hand reads it.
 */
#include "engine/cause.h"

#include <string.h>

#include "engine/site_rules.h"

static void
classify(const Policy *policy, const ClassifierSubject *subject, Classification *cause)
{
    classification_clear(cause);
    memset(cause, 0, sizeof(*cause));
    classifier_reply(policy_classifier(policy), subject, cause);
}

/* A refusal without a text: what the filter knew by then is all that can be said. */
static void
cause_of_bare(const ClassifierSubject *subject, Classification *cause)
{
    Category category = subject->reply->code < 500             ? CATEGORY_SYSTEM_ERROR
                        : subject->stage == SMTP_STAGE_CONNECT ? CATEGORY_HOST_BLOCKED
                                                               : CATEGORY_POLICY;
    classification_overrule(cause, subject, category, "code", NULL);
    cause->confidence = CONFIDENCE_LOW;
}

static void
cause_of_delivery(const Policy *policy, const SmtpReply *reply, Classification *cause)
{
    g_autofree char *text = smtp_reply_text(reply);
    g_autoptr(SmtpReply) remote = smtp_reply_parse(text, -1);
    if (!enhanced_status_is_set(remote->status))
        remote->status = reply->status;
    const ClassifierSubject subject = {
        .reply = remote,
        .finality = reply->status.class == 4 ? FINALITY_DELAYED : FINALITY_FAILED,
    };
    classify(policy, &subject, cause);
    site_rules_decide(policy, &subject, cause);
}

void
cause_of_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply,
               Classification *cause)
{
    if (facts->door == DOOR_DELIVERY) {
        cause_of_delivery(policy, reply, cause);
        return;
    }
    const ClassifierSubject subject = {
        .reply = reply, .stage = facts->stage, .finality = FINALITY_REPLY};
    classify(policy, &subject, cause);
    if (facts->wordless)
        cause_of_bare(&subject, cause);
    if (facts->door == DOOR_RBL) {
        const CategoryInfo *listed = category_info(CATEGORY_HOST_BLOCKED);
        cause->category = CATEGORY_HOST_BLOCKED; /* whatever the list's name sounds like */
        cause->permanent = FALSE;
        cause->action = listed->action;
    } else {
        site_rules_decide(policy, &subject, cause);
    }
}
