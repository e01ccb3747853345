/*
 * record/event_words: events as lines of the daemon's own log: the queue id first, as much as the
 * settings let be told, and never a second line.
 */
#include <string.h>

#include "test_support.h"

#include "captured_log.h"
#include "event_cases.h"
#include "record/event_log.h"
#include "record/event_words.h"

static const PolicySettings plain = {.log = {.lines = LOG_LINES_ALL}};

static char *
words_of(const EventCase *one, const PolicySettings *settings)
{
    g_auto(EventTexts) texts;
    event_texts_init(&texts, settings, &one->facts, &one->decision);
    return event_words(&texts, &one->facts, &one->decision);
}

static void
expect(EventCase *one, const PolicySettings *settings, const char *wanted)
{
    g_autofree char *words = words_of(one, settings);
    assert_string_equal(words, wanted);
    event_case_clear(one);
}

static void
tells_what_was_done(void **state)
{
    EventCase one;
    (void)state;
    event_case_observed(&one, "Recipient address rejected: User unknown");
    expect(&one, &plain,
           "NOQUEUE: refused RCPT <nouser@rcpt.example> by the MTA: 5.1.1 Recipient address "
           "rejected: User unknown; from=<> client=host-77.dyn.client.example[192.0.2.77] "
           "helo=<client.example> category=user-unknown");
    event_case_replaced(&one);
    expect(&one, &plain,
           "NOQUEUE: reworded RCPT <nouser@rcpt.example> by table reject: 550 5.1.1 No mailbox "
           "nouser@rcpt.example here. Reference kfmtwxhz; category=user-unknown rule=no-such-user "
           "reference=kfmtwxhz");
    event_case_check(&one, VERDICT_REPLY);
    expect(&one, &plain,
           "4F1234ABCD: refused message by check bad-helo: 550 5.7.1 Not yours to use.; "
           "from=<alice@sender.example> client=unknown[2001:db8:1:2::5] category=policy");
    event_case_check(&one, VERDICT_QUARANTINE);
    expect(&one, &plain,
           "4F1234ABCD: held message by check bad-helo; from=<alice@sender.example> "
           "client=unknown[2001:db8:1:2::5]");
    event_case_filter(&one, VERDICT_DISCARD);
    expect(&one, &plain,
           "4F1234ABCD: discarded message by filter rspamd; from=<alice@sender.example> "
           "client=unknown[2001:db8:1:2::5]");
    event_case_delivery(&one, "550 5.7.1 blocked using x", "550 5.7.1 blocked. Ask them.");
    expect(&one, &plain,
           "NOQUEUE: failure of <bob@remote.example> reworded by table delivery: 550 5.7.1 "
           "blocked. Ask them.; to=<bob@remote.example> category=host-blocked");
    event_case_delivery(&one, "450 4.7.1 blocked using x", NULL);
    expect(&one, &plain,
           "NOQUEUE: delay of <bob@remote.example> by table delivery: 450 4.7.1 blocked using x; "
           "to=<bob@remote.example> category=host-blocked");
    event_case_report(&one, MAIL_KIND_FAILURE);
    expect(&one, &plain,
           "4F1234ABCD: failure of <bob@remote.example>: 550 5.1.1 <bob@remote.example>: User "
           "unknown; from=<alice@sender.example> client=host-77.dyn.client.example[192.0.2.77] "
           "category=user-unknown action=suppress remote=mx.remote.example");
}

static void
tells_of_filters_that_fail(void **state)
{
    static const struct {
        SmtpStage stage;
        FilterFailure on_failure;
        const char *wanted;
    } cases[] = {
        {SMTP_STAGE_EOM, FILTER_FAILURE_TEMPFAIL,
         "4F1234ABCD: filter clamav failed at message: no answer in 5 s: the mail is put off; "
         "from=<alice@sender.example> client=unknown[2001:db8:1:2::5]"},
        {SMTP_STAGE_UNKNOWN, FILTER_FAILURE_ACCEPT,
         "4F1234ABCD: filter clamav failed: no answer in 5 s: the mail goes on without it; "
         "from=<alice@sender.example> client=unknown[2001:db8:1:2::5]"},
        {SMTP_STAGE_HELO, FILTER_FAILURE_REJECT,
         "4F1234ABCD: filter clamav failed at HELO: no answer in 5 s: the mail is refused; "
         "from=<alice@sender.example> client=unknown[2001:db8:1:2::5]"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EventCase one;
        EventFilterFailure failure = {
            .filter = "clamav", .reason = "no answer in 5 s", .on_failure = cases[i].on_failure};
        event_case_filter(&one, VERDICT_REPLY);
        one.facts.stage = cases[i].stage;
        g_auto(EventTexts) texts;
        event_texts_init_failure(&texts, &plain, &one.facts, failure.reason);
        g_autofree char *words = event_words_of_failure(&texts, &one.facts, &failure);
        assert_string_equal(words, cases[i].wanted);
        event_case_clear(&one);
    }
}

static void
keeps_what_is_private(void **state)
{
    static const PolicySettings hidden = {
        .log = {.addresses = PRIVACY_PARTIAL, .client = PRIVACY_PARTIAL, .lines = LOG_LINES_ALL}};
    EventCase one;
    (void)state;
    event_case_observed(&one, "<nouser@rcpt.example>: gone, says 192.0.2.77");
    g_autofree char *words = words_of(&one, &hidden);
    assert_null(strstr(words, "nouser"));
    assert_null(strstr(words, "192.0.2.77"));
    assert_null(strstr(words, "host-77"));
    assert_non_null(strstr(words, "*@rcpt.example"));
    event_case_clear(&one);
}

static void
is_wanted_as_the_setting_says(void **state)
{
    EventCase cases[5];
    static const gboolean own[G_N_ELEMENTS(cases)] = {FALSE, TRUE, TRUE, TRUE, FALSE};
    (void)state;
    event_case_observed(&cases[0], "no");
    event_case_replaced(&cases[1]);
    event_case_check(&cases[2], VERDICT_QUARANTINE);
    event_case_filter(&cases[3], VERDICT_REPLY);
    event_case_report(&cases[4], MAIL_KIND_FAILURE);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (LogLines lines = LOG_LINES_NONE; lines <= LOG_LINES_ALL; lines++) {
            PolicySettings settings = {.log = {.lines = lines}};
            gboolean wanted = lines == LOG_LINES_ALL || (lines == LOG_LINES_OWN && own[i]);
            assert_int_equal(event_words_wanted(&settings, &cases[i].facts, &cases[i].decision),
                             wanted);
        }
        event_case_clear(&cases[i]);
    }
}

/* Whatever stands in it, it is one line, and not a long one; also where there is no event log. */
static void
stays_one_line(void **state)
{
    EventCase one;
    PolicySettings settings = plain;
    (void)state;
    settings.log.rate = 2;
    EventLog *log = event_log_open(&settings, NULL);
    g_autofree char *text = g_strdup_printf("no%*s", 5000, "\r\nreplymilter: forged \x1b[31m");
    event_case_observed(&one, "no");
    smtp_reply_free(one.decision.original);
    one.decision.original = smtp_reply_new(550, (EnhancedStatus){5, 1, 1}, text);
    one.facts.queue_id = g_strdup("4F\n1");
    facts_set(&one.facts, FACT_HELO, "a\nreplymilter: forged");
    assert_true(event_log_wants(log, TRUE));
    captured_log_begin();
    for (guint i = 0; i < 4; i++)
        event_log_put_told(log, g_strdup("{}"), words_of(&one, &plain), 0);
    event_log_close(log, 20 * G_USEC_PER_SEC);
    g_autofree char *said = captured_log_end();
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
    assert_int_equal(g_strv_length(lines), 3); /* two of the rate, and what is behind the last \n */
    for (guint i = 0; i < 2; i++) {
        assert_true(g_str_has_prefix(lines[i], "replymilter: 4F\\n1: refused RCPT "));
        assert_true(strlen(lines[i]) < 1000);
    }
    event_case_clear(&one);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_done),   cmocka_unit_test(tells_of_filters_that_fail),
        cmocka_unit_test(keeps_what_is_private), cmocka_unit_test(is_wanted_as_the_setting_says),
        cmocka_unit_test(stays_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
