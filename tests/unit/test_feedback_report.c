/*
 * test_feedback_report: complaints in the standard's form and in others; and mails that are none.
 */
#include "test_support.h"

#include <string.h>
#include <time.h>

#include "mail/feedback_report.h"

#define ORIGINAL(to)                                                                               \
    "--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.org>\nTo: " to "\n\nBuy!\n--b--"  \
    "\n"

typedef struct {
    const char *name;
    const char *mail;
    const char *shown; /* type source recipients; NULL: no report */
} FeedbackCase;

static const FeedbackCase cases[] = {
    {"RFC 5965",
     "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
     "--b\nContent-Type: text/plain\n\nSee below.\n"
     "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: Abuse\nUser-Agent: x/1\n"
     "Version: 1\nSource-IP: 192.0.2.1\nOriginal-Rcpt-To: <u@example.net>\n"
     "Original-Rcpt-To: v@example.net\n" ORIGINAL("w@example.net"),
     "abuse 192.0.2.1 u@example.net v@example.net"},
    {"RFC 6591, recipient in the original alone",
     "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
     "--b\nContent-Type: message/feedback-report\n\n\nAuth-Failure: dmarc\nUser-Agent: x/1\n\n"
     "Source-IP: 2001:db8::1\n" ORIGINAL("\"U, x\" <u@example.net>"),
     "auth-failure 2001:db8::1 u@example.net"},
    {"opt-out",
     "Content-Type: multipart/report; boundary=b\n\n"
     "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: opt-out\n"
     "Removal-Recipient: rfc822; u@example.net\n" ORIGINAL("<undisclosed>"),
     "opt-out  u@example.net"},
    {"fields under another type",
     "Content-Type: multipart/mixed; boundary=b\n\n"
     "--b\nContent-Type: text/plain\n\nFeedback-Type: fraud\nUser-Agent: x\nVersion: 1\n" ORIGINAL(
         "u@example.net"),
     "fraud  u@example.net"},
    {"words and the original",
     "Subject: complaint about message from 192.0.2.7\n"
     "Content-Type: multipart/mixed; boundary=b\n\n"
     "--b\nContent-Type: message/rfc822\n\nX-HmXmrOriginalRecipient: u@example.net\n"
     "To: list@example.org\n\nBuy!\n--b--\n",
     "abuse 192.0.2.7 u@example.net"},
    {"JSON",
     "Subject: x\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complainedRecipients\":[{"
     "\"emailAddress\":\"u@example.net\"},{\"emailAddress\":\"v@example.net\"}],\"x\":[{"
     "\"emailAddress\":\"no@example.net\"}]}}",
     "abuse  u@example.net v@example.net"},
    {"JSON in JSON",
     "Subject: x\n\n{\"Message\" : \"{\\\"eventType\\\":\\\"Complaint\\\",\\\"complaint\\\":{"
     "\\\"complainedRecipients\\\": [ { \\\"emailAddress\\\":\\\"u@example.net\\\"}]}}\"}",
     "abuse  u@example.net"},
    {"JSON about a bounce",
     "Subject: "
     "x\n\n{\"notificationType\":\"Bounce\",\"bouncedRecipients\":[{\"emailAddress\":\"u\"}]}",
     NULL},
    {"words without the original", "Subject: complaint about message from 192.0.2.7\n\nHello",
     NULL},
    {"an original without words",
     "Subject: Fwd: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nLook\n" ORIGINAL(
         "u@example.net"),
     NULL},
    {"a delivery report",
     "Content-Type: multipart/report; report-type=delivery-status; "
     "boundary=b\n\n--b\n\nSorry\n" ORIGINAL("u@example.net"),
     NULL},
};

static char *
show_report(const FeedbackReport *report)
{
    GString *shown = g_string_new(NULL);
    g_string_append_printf(shown, "%s %s", report->feedback_type, report->source_ip);
    for (guint i = 0; i < report->recipients->len; i++)
        g_string_append_printf(shown, " %s", (const char *)report->recipients->pdata[i]);
    return g_string_free(shown, FALSE);
}

static void
test_read(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MimeView) view =
            mime_view_new(cases[i].mail, strlen(cases[i].mail), &mime_limits_default);
        g_autoptr(FeedbackReport) report = feedback_report_read(view);
        if ((report == NULL) != (cases[i].shown == NULL))
            fail_msg("%s: %s", cases[i].name, report != NULL ? "a report" : "no report");
        if (report == NULL)
            continue;
        g_autofree char *shown = show_report(report);
        assert_string_equal(shown, cases[i].shown);
    }
}

/* A header of a megabyte of addresses. */
static void
test_many_recipients(void **state)
{
    (void)state;
    g_autoptr(GString) mail =
        g_string_new("Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
                     "--b\nContent-Type: message/rfc822\n\nTo: ");
    for (guint i = 0; i < 100000; i++)
        g_string_append_printf(mail, "u%u@example.org,", i);
    clock_t begin = clock();
    g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
    g_autoptr(FeedbackReport) report = feedback_report_read(view);
    assert_int_equal(report->recipients->len, FEEDBACK_REPORT_MAX_RECIPIENTS);
    assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
}

int
main(void)
{
    mime_view_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_many_recipients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
