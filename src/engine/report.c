/*
 * report: what a mail that reports something means here.
 */
#include "engine/report.h"

#include <string.h>

#include "engine/site_rules.h"

/* A report that names nobody. */
static const char nobody[] = "";

gboolean
report_is_expected(const Policy *policy, const char *sender, gboolean takes_reports)
{
    return policy_needs(policy)->reports && (takes_reports || (sender != NULL && *sender == '\0'));
}

void
report_categories_add(const char *categories[CATEGORY_COUNT + 1], Category category)
{
    const char *name = category_info(category)->name; /* the same wherever it is asked for */
    guint count = 0;
    while (categories[count] != NULL && categories[count] != name)
        count++;
    categories[count] = name;
}

guint
report_count(const Bounce *bounce)
{
    return bounce->kind == MAIL_KIND_NOT_A_BOUNCE ? 0 : MAX(bounce->recipients->len, 1);
}

static char *
known(const char *text)
{
    return text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

/* ---- what it means --------------------------------------------------------------------------- */

static void
set_category(Decision *decision, Category category)
{
    decision->cause.category = category;
    decision->cause.action = category_info(category)->action;
}

/* Nothing is said of a recipient. */
static void
judge_kind(MailKind kind, Decision *decision)
{
    if (kind == MAIL_KIND_FEEDBACK)
        set_category(decision, CATEGORY_FEEDBACK_REPORT);
    else if (kind == MAIL_KIND_AUTO_REPLY)
        set_category(decision, CATEGORY_AUTO_REPLY);
    else if (kind == MAIL_KIND_DELIVERED)
        set_category(decision, CATEGORY_DELIVERED);
}

static void
judge_recipient(const Policy *policy, const BounceRecipient *recipient, Decision *decision)
{
    classification_clear(&decision->cause);
    classification_copy(&recipient->classification, &decision->cause);
    site_rules_decide_recipient(policy, recipient, &decision->cause);
}

static gboolean
is_trusted(const Policy *policy, Proof proof)
{
    switch (policy_settings(policy)->bounces.trust) {
    case BOUNCE_TRUST_OWN_MTA:
        return proof == PROOF_OWN_MTA;
    case BOUNCE_TRUST_PROOF:
        return proof != PROOF_NONE;
    case BOUNCE_TRUST_ALL:
        break;
    }
    return TRUE;
}

static void
doubt(const Policy *policy, Decision *decision)
{
    Action action = decision->cause.action;
    gboolean gives_up = action == ACTION_SUPPRESS || action == ACTION_CORRECT_ADDRESS;
    if (gives_up && !is_trusted(policy, decision->proof))
        decision->cause.action = ACTION_REVIEW;
}

/* ---- what is known of the mail ----------------------------------------------------------------
 */

static const char *
recipient_of(const BounceRecipient *recipient)
{
    return recipient != NULL ? recipient->recipient : nobody;
}

static gboolean
says_something(const SmtpReply *reply)
{
    return reply->code != 0 || enhanced_status_is_set(reply->status) ||
           *smtp_reply_line(reply, 0)->text != '\0';
}

/* A failure has a reply, even an empty one; the others have one if they say something. What an
 * automatic answer says is its subject, which tells of a person and is nobody's business here. */
static SmtpReply *
reply_of(const BounceRecipient *recipient, MailKind kind)
{
    gboolean fails = mail_kind_fails(kind);
    if (kind == MAIL_KIND_AUTO_REPLY)
        return NULL;
    if (recipient == NULL)
        return fails ? smtp_reply_new(0, ENHANCED_STATUS_NONE, "") : NULL;
    return fails || says_something(recipient->reply) ? smtp_reply_copy(recipient->reply) : NULL;
}

static void
take_hosts(const BounceRecipient *recipient, const Bounce *bounce, Decision *decision)
{
    decision->reporting_mta = known(bounce->reporting_mta);
    decision->message_id = known(bounce->message_id);
    if (recipient != NULL)
        decision->remote_mta = known(recipient->remote_mta);
}

static void
borrow_facts(const Facts *facts, const char *sender, const char *recipient, SmtpStage stage,
             Facts *reported)
{
    *reported = *facts;
    reported->stage = stage;
    reported->known[FACT_SENDER] = *sender != '\0' ? (char *)sender : NULL;
    reported->known[FACT_RECIPIENT] = *recipient != '\0' ? (char *)recipient : NULL;
}

void
report_decide(const Policy *policy, const ReportWay *way, const Facts *facts, const Bounce *bounce,
              guint index, Facts *reported, Decision *decision)
{
    const BounceRecipient *recipient =
        index < bounce->recipients->len ? g_ptr_array_index(bounce->recipients, index) : NULL;
    const char *address = recipient_of(recipient);
    decision->report = TRUE;
    decision->kind = recipient != NULL ? recipient->kind : bounce->kind;
    decision->gap = bounce->truncated ? REPORT_GAP_LIMITS : REPORT_WHOLE;
    decision->original = reply_of(recipient, decision->kind);
    take_hosts(recipient, bounce, decision);
    if (recipient != NULL)
        judge_recipient(policy, recipient, decision);
    else
        judge_kind(bounce->kind, decision);
    if (*address == '\0') {
        decision->recipient = proof_verp_recipient(policy, way);
        address = decision->recipient != NULL ? decision->recipient : nobody;
    }
    decision->proof = proof_find(policy, way, bounce, address);
    doubt(policy, decision);
    borrow_facts(facts, bounce->original_sender, address,
                 recipient != NULL ? recipient->reply->stage : SMTP_STAGE_UNKNOWN, reported);
}

void
report_decide_unread(const Facts *facts, ReportGap gap, Facts *reported, Decision *decision)
{
    decision->report = TRUE;
    decision->kind = MAIL_KIND_NOT_A_BOUNCE;
    decision->gap = gap;
    *reported = *facts;
    reported->stage = SMTP_STAGE_EOM;
}
