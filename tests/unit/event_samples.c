/*
 * event_samples: prints events of every kind, one a line, for scripts/check-event-schema.
 */
#include <stdio.h>
#include <string.h>

#include "event_cases.h"

static const char *const hostile[] = {
    "",
    "two\r\n550 5.1.1 lines\t\x01\x7f",
    "\"}],\"v\":2,\\\"\\u0000",
    "broken \xff\xc3 utf-8 \xe2\x80\xae gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xa7",
    "%s%n%%, ${x}, <script>",
};

/* At each way of hiding addresses and clients. */
static void
print_case(const EventCase *one)
{
    for (int i = 0; i < 9; i++) {
        char id[EVENT_ID_SIZE];
        EventMark mark = {.now_us = EVENT_CASE_TIME_US + i};
        PolicySettings settings = {
            .log = {.addresses = (Privacy)(i % 3), .client = (Privacy)(i / 3)}};
        mark.id = event_id(mark.now_us, 0x0123456789abcdef + (guint64)i, id);
        mark.joins = i == 4 ? "1k5x00000000000000000000ab" : NULL;
        settings.log.key = i == 8 ? NULL : g_bytes_new_static("key", 3);
        g_autofree char *line = event_line_by(&settings, &one->facts, &one->decision, &mark);
        (void)puts(line);
        g_clear_pointer(&settings.log.key, g_bytes_unref);
    }
}

static void
print_hostile(const char *value)
{
    static const Fact facts[] = {FACT_CLIENT,    FACT_CLIENT_NAME, FACT_HELO,  FACT_SENDER,
                                 FACT_RECIPIENT, FACT_AUTH_USER,   FACT_FILTER};
    EventCase one;
    event_case_observed(&one, value);
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++)
        facts_set(&one.facts, facts[i], value);
    g_free(one.decision.cause.match);
    one.decision.cause.match = g_strdup(value);
    one.decision.cause.dnsbl = g_strdup(value);
    one.facts.queue_id = g_strdup(value);
    print_case(&one);
    one.decision.report = TRUE;
    one.decision.kind = MAIL_KIND_DELAY;
    one.decision.proof = PROOF_NONE;
    one.decision.reporting_mta = g_strdup(value);
    one.decision.remote_mta = g_strdup(value);
    one.decision.message_id = g_strdup(value);
    print_case(&one);
    event_case_clear(&one);
}

/* Likewise. */
static void
print_failure(const Facts *facts, const EventFilterFailure *failure)
{
    for (int i = 0; i < 9; i++) {
        EventMark mark = {.id = "1k5x00000000000000000000ab", .now_us = EVENT_CASE_TIME_US};
        PolicySettings settings = {
            .log = {.addresses = (Privacy)(i % 3), .client = (Privacy)(i / 3)}};
        g_autofree char *line = event_case_failure_line(&settings, facts, failure, &mark);
        (void)puts(line);
    }
}

static void
print_filters(void)
{
    static const Verdict verdicts[] = {VERDICT_REPLY, VERDICT_QUARANTINE, VERDICT_DISCARD};
    static const FilterFailure outcomes[] = {FILTER_FAILURE_TEMPFAIL, FILTER_FAILURE_ACCEPT,
                                             FILTER_FAILURE_REJECT};
    EventCase one;
    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        event_case_filter(&one, verdicts[i]);
        print_case(&one);
        print_failure(&one.facts, &(EventFilterFailure){.filter = "rspamd",
                                                        .reason = hostile[i],
                                                        .on_failure = outcomes[i],
                                                        .spent_us = (gint64)i * 1000000});
        event_case_clear(&one);
    }
}

static void
print_usual(void)
{
    static const Verdict verdicts[] = {VERDICT_REPLY, VERDICT_QUARANTINE, VERDICT_DISCARD};
    EventCase one;
    event_case_observed(&one, "Recipient address rejected: User unknown");
    print_case(&one);
    event_case_clear(&one);
    event_case_replaced(&one);
    print_case(&one);
    event_case_clear(&one);
    event_case_delivery(&one, "5.7.1 host mx.remote.example[192.0.2.1] said: 550 no", "5.1.1 none");
    print_case(&one);
    event_case_clear(&one);
    event_case_delivery(&one, "4.4.1 connect to 192.0.2.1: refused", NULL);
    print_case(&one);
    event_case_clear(&one);
    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        event_case_check(&one, verdicts[i]);
        print_case(&one);
        event_case_clear(&one);
    }
}

static void
print_reports(void)
{
    static const Proof proofs[] = {PROOF_NONE, PROOF_MESSAGE_ID, PROOF_VERP, PROOF_OWN_MTA};
    for (guint i = 0; i < MAIL_KIND_COUNT; i++) {
        EventCase one;
        event_case_report(&one, (MailKind)i);
        if (i > 0)
            one.decision.gap = (ReportGap)(i % 4);
        one.decision.proof = proofs[i % G_N_ELEMENTS(proofs)];
        print_case(&one);
        event_case_clear(&one);
    }
}

/* Every door, stage and category that can stand in an event. */
static void
print_all_names(void)
{
    for (guint i = 0; category_names()[i] != NULL; i++) {
        EventCase one;
        event_case_observed(&one, "text");
        one.facts.door = (Door)(i % DOOR_COMMAND);
        one.facts.stage = (SmtpStage)(i % SMTP_STAGE_COUNT);
        event_case_cause(&one, (Category)i, (Confidence)(i % 3), "none", NULL);
        one.decision.cause.action = (Action)(i % ACTION_COUNT);
        print_case(&one);
        event_case_clear(&one);
    }
}

int
main(void)
{
    print_usual();
    print_filters();
    print_reports();
    print_all_names();
    for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++)
        print_hostile(hostile[i]);
    g_autofree char *endless = g_strnfill(60000, '\n');
    print_hostile(endless);
    return 0;
}
