/*
 * site_rules: classify.rules, which know better than the classifier what a reply means here.
 */
#include "engine/site_rules.h"

#include "base/text.h"
#include "engine/conditions.h"
#include "mail/utf8_text.h"

/* Octets of the text that stand as evidence. */
#define EVIDENCE_MAX 200

static const PolicySiteRule *
first_rule(const Policy *policy, MatchView *view)
{
    for (guint i = 0; i < policy_site_rule_count(policy); i++) {
        const PolicySiteRule *rule = policy_site_rule(policy, i);
        if (conditions_hold(view, rule->conditions, NULL))
            return rule;
    }
    return NULL;
}

static char *
evidence(const SmtpReply *reply)
{
    g_autofree char *line = smtp_reply_to_line(reply);
    gsize length = strlen(line);
    if (length <= EVIDENCE_MAX)
        return g_steal_pointer(&line);
    return g_strdup_printf("%.*s...", (int)utf8_text_cut(line, length, EVIDENCE_MAX), line);
}

void
site_rules_decide(const Policy *policy, const ClassifierSubject *subject, Classification *cause)
{
    if (policy == NULL || policy_site_rule_count(policy) == 0 ||
        cause->category == CATEGORY_DELIVERED)
        return;
    Facts nothing;
    MatchView view;
    facts_init(&nothing, DOOR_COMMAND);
    match_view_init(&view, &nothing, subject->reply, cause);
    const PolicySiteRule *rule = first_rule(policy, &view);
    if (rule != NULL) {
        g_autofree char *match = evidence(subject->reply);
        classification_overrule(cause, subject, rule->category, rule->id, match);
    }
    match_view_clear(&view);
    facts_clear(&nothing);
}

void
site_rules_decide_recipient(const Policy *policy, const BounceRecipient *recipient,
                            Classification *cause)
{
    const ClassifierSubject subject = {
        .reply = recipient->reply,
        .finality = mail_kind_finality(recipient->kind),
    };
    if (mail_kind_fails(recipient->kind))
        site_rules_decide(policy, &subject, cause);
}
