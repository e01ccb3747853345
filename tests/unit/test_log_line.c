/*
 * mail/log_line, mail/log_stamp: lines of mail logs.
 */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mail/log_line.h"

#define OLD   "Nov 21 12:00:01 mx "
#define SMTP  OLD "postfix/smtp[123]: "
#define SMTPD OLD "postfix/smtpd[123]: "
#define MTA   OLD "sm-mta[123]: "

typedef struct {
    const char *line;
    LogLineKind kind;
    const char *queue_id, *recipients, *sender, *relay, *text;
} Case;

static const Case cases[] = {
    {SMTP "4XyZ12: to=<a@b.example>, relay=mx.example.org[192.0.2.1]:25, delay=1, delays=0/0/1/0, "
          "dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.1] said: 550 5.1.1 no (x) (in "
          "reply to RCPT TO command))",
     LOG_LINE_FAILED, "4XyZ12", "a@b.example", NULL, "mx.example.org 192.0.2.1",
     "host mx.example.org[192.0.2.1] said: 550 5.1.1 no (x) (in reply to RCPT TO command)"},
    /* cut by a syslog daemon */
    {SMTP
     "4XyZ12: to=<a@b.example>, relay=none, dsn=5.4.4, status=bounced (Host or domain name not",
     LOG_LINE_FAILED, "4XyZ12", "a@b.example", NULL, NULL, "5.4.4 Host or domain name not"},
    {OLD "postfix/local[9]: ABCDEF0123: to=<a@b.example>, orig_to=<root>, relay=local, dsn=5.2.2, "
         "status=bounced (maildir over quota)",
     LOG_LINE_FAILED, "ABCDEF0123", "a@b.example", NULL, NULL, "5.2.2 maildir over quota"},
    {SMTP "4XyZ12: to=<a@b.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to "
          "mx[192.0.2.1]:25: Connection timed out)",
     LOG_LINE_DEFERRED, "4XyZ12", "a@b.example", NULL, NULL,
     "4.4.1 connect to mx[192.0.2.1]:25: Connection timed out"},
    {SMTP "4XyZ12: to=<a@b.example>, relay=x.example[::1]:25, dsn=2.0.0, status=sent (250 ok)",
     LOG_LINE_DELIVERED, "4XyZ12", "a@b.example", NULL, "x.example ::1", "250 ok"},
    {SMTP "4XyZ12: to=<a@b.example>, relay=none, dsn=5.1.1, status=SOFTBOUNCE (550 no)",
     LOG_LINE_DEFERRED, "4XyZ12", "a@b.example", NULL, NULL, "550 no"},
    {SMTP "4XyZ12: to=<a@b.example>, relay=none, dsn=5.1.1, status=undeliverable (550 no)",
     LOG_LINE_REFUSED, "4XyZ12", "a@b.example", NULL, NULL, "550 no"},
    {OLD "postfix/qmgr[1]: 4XyZ12: from=<s@t.example>, size=1, nrcpt=2 (queue active)",
     LOG_LINE_SENDER, "4XyZ12", "", "s@t.example", NULL, NULL},
    {OLD "postfix/qmgr[1]: 4XyZ12: from=<>, status=expired, returned to sender", LOG_LINE_EXPIRED,
     "4XyZ12", "", "", NULL, NULL},
    {OLD "postfix/qmgr[1]: 4XyZ12: from=<>, status=force-expired, returned to sender",
     LOG_LINE_EXPIRED, "4XyZ12", "", "", NULL, NULL},
    {OLD "postfix/cleanup[1]: 4XyZ12: message-id=<>", LOG_LINE_OTHER, NULL, NULL, NULL, NULL, NULL},
    {OLD "postfix/qmgr[1]: 4XyZ12: removed", LOG_LINE_REMOVED, "4XyZ12", "", NULL, NULL, NULL},
    {OLD "postfix/cleanup[1]: 4XyZ12: message-id=<1@x.example>", LOG_LINE_MESSAGE_ID, "4XyZ12", "",
     NULL, NULL, NULL},
    {SMTPD "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 <n@b.example>: Recipient "
           "address rejected: User unknown; from=<s@t.example> to=<n@b.example> proto=ESMTP "
           "helo=<x y>",
     LOG_LINE_REFUSED, NULL, "n@b.example", "s@t.example", "- 192.0.2.9",
     "550 5.1.1 <n@b.example>: Recipient address rejected: User unknown"},
    {OLD
     "postfix/submission/smtpd[1]: NOQUEUE: reject: CONNECT from c.example[192.0.2.9]: 554 5.7.1 "
     "no; proto=SMTP",
     LOG_LINE_REFUSED, NULL, "", NULL, "c.example 192.0.2.9", "554 5.7.1 no"},
    {OLD "postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.9]:5678: 550 5.7.1 Service "
         "unavailable; client [192.0.2.9] blocked using zen.spamhaus.org; from=<s@t.example>, "
         "to=<n@b.example>, proto=ESMTP, helo=<x>",
     LOG_LINE_REFUSED, NULL, "n@b.example", "s@t.example", "- 192.0.2.9",
     "550 5.7.1 Service unavailable; client [192.0.2.9] blocked using zen.spamhaus.org"},
    {OLD
     "postfix/cleanup[1]: 4XyZ12: milter-reject: END-OF-MESSAGE from c.example[192.0.2.9]: 5.7.1 "
     "rejected by DMARC policy; from=<s@t.example> to=<n@b.example> proto=ESMTP helo=<x>",
     LOG_LINE_REFUSED, "4XyZ12", "n@b.example", "s@t.example", "c.example 192.0.2.9",
     "5.7.1 rejected by DMARC policy"},
    {OLD "postfix/cleanup[1]: 4XyZ12: reject: header Subject: buy; now: from c.example[192.0.2.9]; "
         "from=<s@t.example> to=<n@b.example> proto=ESMTP helo=<x>: 5.7.1 No thanks",
     LOG_LINE_REFUSED, "4XyZ12", "n@b.example", "s@t.example", NULL, "5.7.1 No thanks"},
    {MTA "xALC0001012345: to=<a@b.example>,<c@d.example>, ctladdr=<u@h.example> (1/1), "
         "delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.org. "
         "[192.0.2.1], dsn=5.1.1, stat=User unknown",
     LOG_LINE_FAILED, "xALC0001012345", "a@b.example c@d.example", NULL, "mx.example.org 192.0.2.1",
     "5.1.1 User unknown"},
    {MTA
     "xALC0001012345: to=<a@b.example>, relay=mx.example.org. [192.0.2.1], dsn=5.1.1, reply=550 "
     "5.1.1 <a@b.example>, size=no, stat=User unknown",
     LOG_LINE_FAILED, "xALC0001012345", "a@b.example", NULL, "mx.example.org 192.0.2.1",
     "550 5.1.1 <a@b.example>, size=no"},
    {MTA "xALC0001012345: to=root, mailer=local, dsn=4.0.0, stat=Deferred: 450 4.2.0 later",
     LOG_LINE_DEFERRED, "xALC0001012345", "root", NULL, NULL, "450 4.2.0 later"},
    {MTA
     "xALC0001012345: to=\"|exec prog -f, stat=Sent\", mailer=prog, dsn=5.3.0, stat=unknown mailer "
     "error 1",
     LOG_LINE_FAILED, "xALC0001012345", "\"|exec prog -f, stat=Sent\"", NULL, NULL,
     "5.3.0 unknown mailer error 1"},
    {MTA "xALC0001012345: to=<a@b.example>, dsn=2.0.0, stat=Sent (ok)", LOG_LINE_DELIVERED,
     "xALC0001012345", "a@b.example", NULL, NULL, NULL},
    {MTA "xALC0001012345: to=<a@b.example>, stat=queued", LOG_LINE_OTHER, NULL, NULL, NULL, NULL,
     NULL},
    {OLD "sendmail[1]: xALC0001012345: from=<s@t.example>, size=9, class=0, nrcpts=1, "
         "msgid=<1@x.example>, relay=localhost",
     LOG_LINE_SENDER, "xALC0001012345", "", "s@t.example", NULL, NULL},
    {MTA "xALC0001012345: xALC0002012345: sender notify: Cannot send message for 5 days",
     LOG_LINE_EXPIRED, "xALC0001012345", "", NULL, NULL, NULL},
    {MTA
     "xALC0001012345: xALC0002012345: sender notify: Warning: could not send message for past 4 "
     "hours",
     LOG_LINE_OTHER, NULL, NULL, NULL, NULL, NULL},
    {MTA "xALC0001012345: ruleset=check_rcpt, arg1=<n@b.example>, relay=c.example [192.0.2.9], "
         "reject=550 5.7.1 <n@b.example>... Relaying denied",
     LOG_LINE_REFUSED, "xALC0001012345", "n@b.example", NULL, "c.example 192.0.2.9",
     "550 5.7.1 <n@b.example>... Relaying denied"},
    {MTA "xALC0001012345: Milter: to=<n@b.example>, reject=451 4.7.1 Greylisted", LOG_LINE_REFUSED,
     "xALC0001012345", "n@b.example", NULL, NULL, "451 4.7.1 Greylisted"},
    {MTA "xALC0001012345: Milter: data, reject=554 5.7.1 Spam", LOG_LINE_REFUSED, "xALC0001012345",
     "", NULL, NULL, "554 5.7.1 Spam"},
    {MTA "xALC0001012345: Milter: cmd=data, reject=450 4.7.0 Later", LOG_LINE_REFUSED,
     "xALC0001012345", "", NULL, NULL, "450 4.7.0 Later"},
    {MTA "xALC0001012345: Milter: helo=bad, reject=550 5.7.1 No", LOG_LINE_REFUSED,
     "xALC0001012345", "", NULL, NULL, "550 5.7.1 No"},
    /* what follows a refusal at the end of a message, for each recipient */
    {MTA "xALC0001012345: to=<a@b.example>, delay=00:00:00, pri=30016, stat=Bad.", LOG_LINE_OTHER,
     NULL, NULL, NULL, NULL, NULL},
    /* cut by Sendmail */
    {MTA "xALC0001012345[1]: Milter: to=<n@b.example>, reject=550-5.7.1 a ...", LOG_LINE_REFUSED,
     "xALC0001012345", "n@b.example", NULL, NULL, "550-5.7.1 a ..."},
    {MTA "xALC0001012345[2]: to=<n@b.example>, dsn=5.0.0, stat=no", LOG_LINE_OTHER, NULL, NULL,
     NULL, NULL, NULL},
    {MTA "xALC0001012345: <n@b.example>... User unknown", LOG_LINE_REFUSED, "xALC0001012345",
     "n@b.example", NULL, NULL, "5.1.1 User unknown"},

    /* the forms that come before a line */
    {"2026-11-21T12:00:01.123456+01:00 mx postfix/smtp[1]: 4XyZ12: to=<a@b.example>, dsn=5.0.0, "
     "status=bounced (no)",
     LOG_LINE_FAILED, "4XyZ12", "a@b.example", NULL, NULL, "5.0.0 no"},
    {"<22>Nov  1 02:00:01 mx postfix/smtp[1]: 4XyZ12: to=<a@b.example>, dsn=5.0.0, status=bounced "
     "(no)",
     LOG_LINE_FAILED, "4XyZ12", "a@b.example", NULL, NULL, "5.0.0 no"},
    {"Sat 2026-11-21 12:00:01 CET mx postfix/smtp[1]: 4XyZ12: to=<a@b.example>, dsn=5.0.0, "
     "status=bounced (no)",
     LOG_LINE_FAILED, "4XyZ12", "a@b.example", NULL, NULL, "5.0.0 no"},
    {"Nov 21 12:00:01 mx sendmail[1]: [ID 801593 mail.info] xALC0001012345: to=<a@b.example>, "
     "dsn=5.0.0, stat=no",
     LOG_LINE_FAILED, "xALC0001012345", "a@b.example", NULL, NULL, "5.0.0 no"},
    {"4XyZ12: to=<a@b.example>, dsn=5.0.0, status=bounced (no)\r\n", LOG_LINE_FAILED, "4XyZ12",
     "a@b.example", NULL, NULL, "5.0.0 no"},

    /* who sends the mail, and to whom, chooses the words */
    {SMTP "4XyZ12: to=<\"x>, relay=none, dsn=2.0.0, status=sent (250 ok)\"@b.example>, relay=none, "
          "dsn=5.0.0, status=bounced (no)",
     LOG_LINE_FAILED, "4XyZ12", "\"x>, relay=none, dsn=2.0.0, status=sent (250 ok)\"@b.example",
     NULL, NULL, "5.0.0 no"},
    {SMTP "4XyZ12: to=<o\"brien@b.example>, relay=none, dsn=5.0.0, status=bounced (no)",
     LOG_LINE_FAILED, "4XyZ12", "o\"brien@b.example", NULL, NULL, "5.0.0 no"},
    {OLD "sshd[1]: 4XyZ12: to=<a@b.example>, dsn=5.0.0, status=bounced (no)", LOG_LINE_OTHER, NULL,
     NULL, NULL, NULL, NULL},
    {OLD "postfix/anvil[1]: 4XyZ12: to=<a@b.example>, dsn=5.0.0, status=bounced (no)",
     LOG_LINE_OTHER, NULL, NULL, NULL, NULL, NULL},
    {SMTPD "warning: hostname x does not resolve to address 192.0.2.1", LOG_LINE_OTHER, NULL, NULL,
     NULL, NULL, NULL},
    {SMTPD "4XyZ12: client=c.example[192.0.2.9]", LOG_LINE_OTHER, NULL, NULL, NULL, NULL, NULL},
    {SMTP "4XyZ12: to=<a@b.example>, relay=none, status=bouncedd (no)", LOG_LINE_OTHER, NULL, NULL,
     NULL, NULL, NULL},
    {"Subject: to=<a@b.example>, status=bounced (no)", LOG_LINE_OTHER, NULL, NULL, NULL, NULL,
     NULL},
    {"", LOG_LINE_OTHER, NULL, NULL, NULL, NULL, NULL},
};

static void
assert_text(const char *got, const char *wanted)
{
    if (wanted == NULL)
        assert_null(got);
    else
        assert_string_equal(got != NULL ? got : "(nothing)", wanted);
}

static void
assert_relay(const LogLine *line, const char *wanted)
{
    g_autofree char *got = NULL;
    if (line->relay_name != NULL || line->relay_addr != NULL)
        got = g_strdup_printf("%s %s", line->relay_name != NULL ? line->relay_name : "-",
                              line->relay_addr != NULL ? line->relay_addr : "-");
    assert_text(got, wanted);
}

static void
reads_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        LogLine line;
        gboolean said = log_line_parse(cases[i].line, strlen(cases[i].line), &line);
        print_message("%s\n", cases[i].line);
        assert_int_equal(said ? line.kind : LOG_LINE_OTHER, cases[i].kind);
        if (!said)
            continue;
        g_ptr_array_add(line.recipients, NULL);
        g_autofree char *recipients = g_strjoinv(" ", (char **)line.recipients->pdata);
        assert_text(line.queue_id, cases[i].queue_id);
        assert_text(recipients, cases[i].recipients);
        assert_text(line.sender, cases[i].sender);
        assert_text(line.text, cases[i].text);
        assert_relay(&line, cases[i].relay);
        log_line_clear(&line);
    }
}

static void
knows_the_rest(void **state)
{
    LogLine line;
    (void)state;
    const char *refusal =
        SMTPD "NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 550 5.1.1 no; from=<> "
              "to=<n@b.example> proto=ESMTP helo=<x>";
    assert_true(log_line_parse(refusal, strlen(refusal), &line));
    assert_int_equal(line.stage, SMTP_STAGE_RCPT);
    assert_int_equal(line.stamp.host.length, 2);
    log_line_clear(&line);
    const char *sendmail = MTA "xALC0001012345: from=<>, msgid=<1@x.example>, relay=h";
    assert_true(log_line_parse(sendmail, strlen(sendmail), &line));
    assert_string_equal(line.message_id, "1@x.example");
    log_line_clear(&line);
}

static void
knows_at_which_stage_sendmail_refused(void **state)
{
    static const struct {
        const char *line;
        SmtpStage stage;
    } refusals[] = {
        {"ruleset=check_mail, arg1=<s@t.example>, reject=550 5.7.1 no", SMTP_STAGE_MAIL},
        {"ruleset=check_rcpt, arg1=<n@b.example>, reject=550 5.7.1 no", SMTP_STAGE_RCPT},
        {"Milter: helo=x, reject=550 5.7.1 no", SMTP_STAGE_HELO},
        {"Milter: from=<s@t.example>, reject=550 5.7.1 no", SMTP_STAGE_MAIL},
        {"Milter: to=<n@b.example>, reject=550 5.7.1 no", SMTP_STAGE_RCPT},
        {"Milter: cmd=data, reject=550 5.7.1 no", SMTP_STAGE_DATA},
        {"Milter: data, reject=550 5.7.1 no", SMTP_STAGE_EOM},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *text = g_strconcat(MTA "xALC0001012345: ", refusals[i].line, NULL);
        LogLine line;
        print_message("%s\n", text);
        assert_true(log_line_parse(text, strlen(text), &line));
        assert_int_equal(line.stage, refusals[i].stage);
        log_line_clear(&line);
    }
}

/* 2026-11-21T12:00:01Z is 1795262401. */
static void
reads_times(void **state)
{
    static const struct {
        const char *line;
        gint64 seconds;
    } times[] = {
        {"2026-11-21T12:00:01Z mx p[1]: x", 1795262401},
        {"2026-11-21T13:00:01+01:00 mx p[1]: x", 1795262401},
        {"2026-11-21T07:00:01-0500 mx p[1]: x", 1795262401},
        {"2026-11-21 12:00:01 mx p[1]: x", 1795262401},
        {"Sat 2026-11-21 12:00:01 UTC mx p[1]: x", 1795262401},
        {"Nov 21 12:00:01 mx p[1]: x", 1795262401},
        {"Nov 22 11:00:01 mx p[1]: x", 1795262401 + 23 * 3600},
        {"Dec 31 12:00:01 mx p[1]: x", 1795262401 + (40 - 365) * 86400},
        {"Feb 30 99:00:01 mx p[1]: x", -1},
        {"Nov 21 12:00:01", -1},
        {"4XyZ12: to=<a@b.example>", -1},
    };
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        LogStamp stamp;
        log_stamp_parse(times[i].line, strlen(times[i].line), &stamp);
        gint64 now_us = 1795262401 * G_GINT64_CONSTANT(1000000);
        gint64 time_us = log_stamp_time(&stamp, now_us);
        assert_int_equal(time_us < 0 ? -1 : time_us / G_USEC_PER_SEC, times[i].seconds);
    }
    LogStamp stamp;
    const char *precise = "2026-11-21T12:00:01.250000Z mx p[1]: x";
    log_stamp_parse(precise, strlen(precise), &stamp);
    assert_int_equal(log_stamp_time(&stamp, 0), 1795262401250000);
}

static void
finds_the_reply_in_a_pasted_part(void **state)
{
    static const char *const parts[][2] = {
        {"550 5.1.1 status=bounced (x)", "550 5.1.1 status=bounced (x)"},
        {"dsn=5.1.1, status=bounced (no such user)", "5.1.1 no such user"},
        {"status=deferred (host x[192.0.2.1] said: 450 later)",
         "host x[192.0.2.1] said: 450 later"},
        {"reject: RCPT from x[192.0.2.1]: 550 5.1.1 no; from=<> to=<>", "550 5.1.1 no"},
        {"reject=550 5.1.1 no", "550 5.1.1 no"},
        {"dsn=4.0.0, stat=Deferred: later", "4.0.0 Deferred: later"},
        {"SMTP error from remote mail server after RCPT TO:<a@b.example>: host x [192.0.2.1]: 550 "
         "no",
         "550 no"},
        {"no such user", "no such user"},
        {"550-a\n550 b", "550-a\n550 b"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *reply = log_line_reply(parts[i][0]);
        assert_string_equal(reply, parts[i][1]);
    }
}

/* What is not closed must not cost more than its length. */
static void
is_linear(void **state)
{
    enum { SIZE = 4 * 1024 * 1024 };
    static const char *const pieces[] = {"<", "\"", "<\"\\\">", "\\\"", "a=<", ", stat=", ", a@b"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        LogLine line;
        GString *text = g_string_new("4XyZ12: to=");
        while (text->len < SIZE)
            g_string_append(text, pieces[i]);
        if (log_line_parse(text->str, text->len, &line)) {
            assert_true(line.recipients->len <= LOG_LINE_MAX_RECIPIENTS);
            log_line_clear(&line);
        }
        g_string_free(text, TRUE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(knows_the_rest),
        cmocka_unit_test(knows_at_which_stage_sendmail_refused),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(finds_the_reply_in_a_pasted_part),
        cmocka_unit_test(is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
