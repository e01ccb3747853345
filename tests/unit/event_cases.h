/*
 * event_cases: facts and decisions to make events of, for test_event and event_samples.
 */
#pragma once

#include "record/event.h"

/* 2027-03-10T08:40:12.345678Z */
#define EVENT_CASE_TIME_US G_GINT64_CONSTANT(1804668012345678)

typedef struct {
    Facts facts;
    Decision decision;
} EventCase;

static inline void
event_case_clear(EventCase *one)
{
    facts_clear(&one->facts);
    decision_clear(&one->decision);
}

static inline char *
event_case_failure_line(const PolicySettings *settings, const Facts *facts,
                        const EventFilterFailure *failure, const EventMark *mark)
{
    g_auto(EventTexts) texts;
    event_texts_init_failure(&texts, settings, facts, failure->reason);
    return event_filter_failure_line(&texts, facts, failure, mark);
}

static inline void
event_case_cause(EventCase *one, Category category, Confidence confidence, const char *rule,
                 const char *match)
{
    Classification *cause = &one->decision.cause;
    g_free(cause->rule);
    g_free(cause->match);
    cause->category = category;
    cause->permanent = category_info(category)->permanent;
    cause->action = category_info(category)->action;
    cause->confidence = confidence;
    cause->rule = g_strdup(rule);
    cause->match = g_strdup(match);
}

/* An unknown user that the MTA refused, watched by the milter door: `text` is what was said. */
static inline void
event_case_observed(EventCase *one, const char *text)
{
    facts_init(&one->facts, DOOR_MILTER);
    decision_init(&one->decision);
    one->facts.stage = SMTP_STAGE_RCPT;
    one->facts.observed = TRUE;
    facts_set(&one->facts, FACT_CLIENT, "192.0.2.77");
    facts_set(&one->facts, FACT_CLIENT_NAME, "host-77.dyn.client.example");
    facts_set(&one->facts, FACT_HELO, "client.example");
    facts_set(&one->facts, FACT_SENDER, "");
    facts_set(&one->facts, FACT_RECIPIENT, "nouser@rcpt.example");
    one->decision.original = smtp_reply_new(0, (EnhancedStatus){5, 1, 1}, text);
    event_case_cause(one, CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, "postfix-user-unknown",
                     "User unknown");
}

/* A reply that the reject table replaced. */
static inline void
event_case_replaced(EventCase *one)
{
    facts_init(&one->facts, DOOR_REJECT);
    decision_init(&one->decision);
    one->facts.stage = SMTP_STAGE_RCPT;
    facts_set(&one->facts, FACT_RECIPIENT, "nouser@rcpt.example");
    one->decision.verdict = VERDICT_REPLY;
    one->decision.mode = REPLY_MODE_REPLACE;
    one->decision.changed = TRUE;
    one->decision.rule = "no-such-user";
    one->decision.reference = g_strdup("kfmtwxhz");
    one->decision.original =
        smtp_reply_parse("550 5.1.1 <nouser@rcpt.example>: Recipient address rejected", -1);
    one->decision.final = smtp_reply_parse("550-5.1.1 No mailbox nouser@rcpt.example here.\r\n"
                                           "550 5.1.1 Reference kfmtwxhz",
                                           -1);
    g_ptr_array_add(one->decision.repairs, (gpointer) "class-mismatch");
    event_case_cause(one, CATEGORY_USER_UNKNOWN, CONFIDENCE_MEDIUM, "status", "5.1.1");
}

/* A delivery that another host refused or put off. */
static inline void
event_case_delivery(EventCase *one, const char *original, const char *final)
{
    facts_init(&one->facts, DOOR_DELIVERY);
    decision_init(&one->decision);
    one->facts.hostname = g_strdup("mx.example.net");
    facts_set(&one->facts, FACT_RECIPIENT, "bob@remote.example");
    one->decision.original = smtp_reply_parse(original, -1);
    if (final != NULL) {
        one->decision.verdict = VERDICT_REPLY;
        one->decision.changed = TRUE;
        one->decision.final = smtp_reply_parse(final, -1);
    }
    event_case_cause(one, CATEGORY_HOST_BLOCKED, CONFIDENCE_HIGH, "google-blocked",
                     "blocked using");
    one->decision.cause.provider = "google";
    one->decision.cause.retry_after = 300;
    one->decision.cause.dnsbl = g_strdup("zen.dnsbl.example");
}

/* What a bounce says about one recipient. */
static inline void
event_case_report(EventCase *one, MailKind kind)
{
    facts_init(&one->facts, DOOR_MILTER);
    decision_init(&one->decision);
    one->facts.stage = SMTP_STAGE_RCPT;
    one->facts.queue_id = g_strdup("4F1234ABCD");
    facts_set(&one->facts, FACT_CLIENT, "192.0.2.77");
    facts_set(&one->facts, FACT_CLIENT_NAME, "host-77.dyn.client.example");
    facts_set(&one->facts, FACT_SENDER, "alice@sender.example");
    facts_set(&one->facts, FACT_RECIPIENT, "bob@remote.example");
    one->decision.report = TRUE;
    one->decision.kind = kind;
    if (kind == MAIL_KIND_NOT_A_BOUNCE) {
        one->decision.gap = REPORT_GAP_MEMORY;
        return;
    }
    one->decision.proof = PROOF_VERP;
    one->decision.original = smtp_reply_parse("550 5.1.1 <bob@remote.example>: User unknown", -1);
    one->decision.reporting_mta = g_strdup("mx.sender.example");
    one->decision.remote_mta = g_strdup("mx.remote.example");
    one->decision.message_id = g_strdup("20270310.4F1234ABCD@mx.sender.example");
    event_case_cause(one, CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, "no-such-user", "User unknown");
}

/* A check of ours that refuses, quarantines or discards. */
static inline void
event_case_check(EventCase *one, Verdict verdict)
{
    facts_init(&one->facts, DOOR_MILTER);
    decision_init(&one->decision);
    one->facts.stage = SMTP_STAGE_EOM;
    one->facts.queue_id = g_strdup("4F1234ABCD");
    facts_set(&one->facts, FACT_CLIENT, "2001:db8:1:2::5");
    facts_set(&one->facts, FACT_SENDER, "alice@sender.example");
    facts_set(&one->facts, FACT_FILTER, "rspamd");
    one->decision.verdict = verdict;
    one->decision.check = "bad-helo";
    if (verdict == VERDICT_REPLY)
        one->decision.final = smtp_reply_new(550, (EnhancedStatus){5, 7, 1}, "Not yours to use.");
    event_case_cause(one, CATEGORY_POLICY, CONFIDENCE_MEDIUM, "status", NULL);
}

/* What a filter behind us said or did, at the filter door. */
static inline void
event_case_filter(EventCase *one, Verdict verdict)
{
    event_case_check(one, verdict);
    one->facts.door = DOOR_FILTER;
    one->decision.check = NULL;
    one->decision.filter_us = 41499;
}
