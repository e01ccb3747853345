/*
 * test_dsn_report: reports as the RFC has them, and as real MTAs write them.
 */
#include "test_support.h"

#include <string.h>
#include <time.h>

#include "mail/dsn_report.h"
#include "mail/mime_view.h"

static const char *const action_names[] = {"unknown",   "failed",  "delayed",
                                           "delivered", "relayed", "expanded"};

/* "final<original>=actual action status type:diagnostic @remote; ..." */
static char *
show_report(const DsnReport *report)
{
    GString *shown = g_string_new(NULL);
    for (guint i = 0; i < report->recipients->len; i++) {
        const DsnRecipient *recipient = report->recipients->pdata[i];
        char status[ENHANCED_STATUS_TEXT_SIZE];
        g_string_append_printf(
            shown, "%s%s<%s>=%s %s %s %s:%s @%s", i > 0 ? "; " : "", recipient->final_recipient,
            recipient->original_recipient, recipient->actual_recipient,
            action_names[recipient->action], enhanced_status_format(recipient->status, status),
            recipient->diagnostic_type, recipient->diagnostic, recipient->remote_mta);
    }
    return g_string_free(shown, FALSE);
}

typedef struct {
    const char *name;
    const char *text;
    const char *shown;
} ReportCase;

static const ReportCase cases[] = {
    {"nothing", "", ""},
    {"message alone", "Reporting-MTA: dns; mx.example.org\n", ""},
    {"one",
     "Reporting-MTA: dns; mx.example.org\n\nOriginal-Recipient: rfc822;u@example.org\n"
     "Final-Recipient: rfc822; v@example.org\nAction: failed\nStatus: 5.1.1\n"
     "Remote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; 550 5.1.1 no\n",
     "v@example.org<u@example.org>= failed 5.1.1 smtp:550 5.1.1 no @mx.example.net"},
    {"two, one delayed",
     "Reporting-MTA: dns; mx.example.org\n\nFinal-Recipient: rfc822; a@example.org\n"
     "Action: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@example.org\n"
     "Action: Delayed\nStatus: 4.4.1\n",
     "a@example.org<>= failed 5.1.1 : @; b@example.org<>= delayed 4.4.1 : @"},
    {"no blank lines",
     "Reporting-MTA: dns; mx.example.org\nFinal-Recipient: rfc822; a@example.org\nAction: failed\n"
     "Status: 5.1.1\nFinal-Recipient: rfc822; b@example.org\nAction: failed\nStatus: 5.2.2\n",
     "a@example.org<>= failed 5.1.1 : @; b@example.org<>= failed 5.2.2 : @"},
    {"Action first",
     "Action: failed\nFinal-Recipient: rfc822;a@example.org\nStatus: 5.0.0\nAction: failed\n"
     "Final-Recipient: rfc822;b@example.org\nStatus: 5.0.0\n",
     "a@example.org<>= failed 5.0.0 : @; b@example.org<>= failed 5.0.0 : @"},
    {"a blank line within",
     "Final-Recipient: rfc822;a@example.org\n\nAction: failed\nStatus: 5.0.0\n\n"
     "Diagnostic-Code: smtp;550 no\n",
     "a@example.org<>= failed 5.0.0 smtp:550 no @"},
    {"original before final, the first without",
     "Final-Recipient: rfc822;a@example.org\nAction: failed\n\n"
     "Original-Recipient: rfc822;b@example.org\nFinal-Recipient: rfc822;c@example.org\n"
     "Action: failed\n",
     "a@example.org<>= failed  : @; c@example.org<b@example.org>= failed  : @"},
    {"no recipient named", "Reporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n",
     "<>= failed 5.1.1 : @"},
    {"no type", "Final-Recipient: u@example.org\nAction: failed\n", "u@example.org<>= failed  : @"},
    {"brackets", "Final-Recipient: RFC822; <u@example.org>\nAction: failed\n",
     "u@example.org<>= failed  : @"},
    {"route", "Final-recipient: rfc822;@relay.example.net:u@example.org\nAction: failed\n",
     "u@example.org<>= failed  : @"},
    {"comment", "Final-Recipient: rfc822; u@example.org (User, A.)\nAction: failed (gave up)\n",
     "u@example.org<>= failed  : @"},
    {"quoted local part", "Final-Recipient: rfc822; \"a \\\" b\"@example.org\nAction: failed\n",
     "\"a \\\" b\"@example.org<>= failed  : @"},
    {"nobody", "Final-Recipient: RFC822; @mx.example.org\nAction: failed\nStatus: 5.1.2\n",
     "<>= failed 5.1.2 : @"},
    {"alias",
     "Final-Recipient: RFC822; u@example.org\nX-Actual-Recipient: rfc822; v@example.net\n"
     "Action: failed\n",
     "u@example.org<>=v@example.net failed  : @"},
    {"program",
     "Final-Recipient: RFC822; u@example.org\nX-Actual-Recipient: RFC822; |/usr/bin/x #u\n"
     "Action: failed\n",
     "u@example.org<>= failed  : @"},
    {"xtext", "Original-Recipient: rfc822;a+2Bb+40example.org\nAction: failed\n",
     "<a+b@example.org>= failed  : @"},
    {"no xtext", "Original-Recipient: rfc822;a+20b@example.org\nAction: failed\n",
     "<a+20b@example.org>= failed  : @"},
    {"international",
     "Final-Recipient: utf-8; gr\xc3\xbc@example.org\nOriginal-Recipient: "
     "utf-8;gr\\x{FC}@example.org\nAction: failed\n",
     "gr\xc3\xbc@example.org<gr\xc3\xbc@example.org>= failed  : @"},
    {"status with a comment", "Final-Recipient: rfc822;u@x\nStatus: 5.0.0 (permanent failure)\n",
     "u@x<>= unknown 5.0.0 : @"},
    {"status behind other things", "Final-Recipient: rfc822;u@x\nStatus: 550 #5.1.1\n",
     "u@x<>= unknown 5.1.1 : @"},
    {"no status", "Final-Recipient: rfc822;u@x\nStatus: \nAction: failed\n", "u@x<>= failed  : @"},
    {"given up", "Final-Recipient: rfc822;u@x\nAction: expired\n", "u@x<>= failed  : @"},
    {"successes",
     "Final-Recipient: rfc822;a@x\nAction: delivered\n\nFinal-Recipient: rfc822;b@x\nAction: "
     "relayed (to another)\n\nFinal-Recipient: rfc822;c@x\nAction: expanded\n",
     "a@x<>= delivered  : @; b@x<>= relayed  : @; c@x<>= expanded  : @"},
    {"folded",
     "Final-Recipient: rfc822;\n u@example.org\nDiagnostic-Code: smtp; 550-one\n 550 two\n",
     "u@example.org<>= unknown  smtp:550-one 550 two @"},
    {"not folded as it should be",
     "Final-Recipient: rfc822;u@x\nDiagnostic-Code: smtp; 550-one\n550 two\nStatus: 5.1.1\n",
     "u@x<>= unknown 5.1.1 smtp:550-one 550 two @"},
    {"diagnostic without type", "Final-Recipient: rfc822;u@x\nDiagnostic-Code: timed out; sorry\n",
     "u@x<>= unknown  :timed out; sorry @"},
    {"diagnostic of an MTA", "Final-Recipient: rfc822;u@x\nDiagnostic-Code: X-Postfix; unknown\n",
     "u@x<>= unknown  x-postfix:unknown @"},
    {"hosts", "Final-Recipient: rfc822;u@x\nRemote-MTA: dns; mx.example.org. (192.0.2.1, x)\n",
     "u@x<>= unknown  : @mx.example.org"},
    {"address literal", "Final-Recipient: rfc822;u@x\nRemote-MTA: DNS; [192.0.2.1]\n",
     "u@x<>= unknown  : @192.0.2.1"},
    {"a mailbox's Status", "Status: RO\n", ""},
};

static void
test_parse(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(DsnReport) report = dsn_report_parse(cases[i].text, strlen(cases[i].text));
        g_autofree char *shown = show_report(report);
        if (strcmp(shown, cases[i].shown) != 0)
            print_error("%s:\n", cases[i].name);
        assert_string_equal(shown, cases[i].shown);
        assert_false(report->truncated);
    }
}

static void
test_message_fields(void **state)
{
    (void)state;
    const char *text = "Original-Envelope-Id: QQ123\nReporting-MTA: dns;mx.example.org (x)\n"
                       "X-Postfix-Sender: rfc822; s@example.org\n\nFinal-Recipient: rfc822;u@x\n"
                       "X-Display-Name: U\n";
    g_autoptr(DsnReport) report = dsn_report_parse(text, strlen(text));
    assert_string_equal(report->envelope_id, "QQ123");
    assert_string_equal(report->reporting_mta, "mx.example.org");
    assert_string_equal(header_fields_get(report->fields, "X-Postfix-Sender"),
                        "rfc822; s@example.org");
    const DsnRecipient *recipient = report->recipients->pdata[0];
    assert_string_equal(header_fields_get(recipient->fields, "X-Display-Name"), "U");
    assert_null(report->original);
}

#define RUN   "Final-Recipient: rfc822;u@example.org\nAction: failed\nStatus: 5.1.1\n"
#define SHOWN "u@example.org<>= failed 5.1.1 : @"

static const struct {
    const char *name;
    const char *text;
    const char *shown; /* NULL: none */
    const char *original;
} find_cases[] = {
    {"no fields", "Sorry, no.\n", NULL, NULL},
    {"prose alone", "Reporting-MTA: dns; x\nAction: none\n", NULL, NULL},
    {"behind prose", "Sorry, no:\n\n" RUN, SHOWN, NULL},
    {"before an original", RUN "\nReturn-Path: <s@x>\nMessage-ID: <1@x>\n\nhello\n" RUN, SHOWN,
     "<1@x>"},
    {"no blank line before it", RUN "Return-Path: <s@x>\nMessage-ID: <1@x>\n\nhello\n", SHOWN,
     "<1@x>"},
    {"before prose", RUN "\nWhat can you do?\nAction: call us\nStatus: 4.0.0\n\n" RUN, SHOWN, NULL},
    {"quoted",
     "You wrote:\n> Final-Recipient: rfc822;u@example.org\n> Action: failed\n> Status: 5.1.1\n>\n> "
     "Received: x\n> Message-ID: <1@x>\n>\n> hello\n",
     SHOWN, "<1@x>"},
    {"indented",
     "   Final-Recipient: rfc822;u@example.org\n   Action: failed\n   Status: 5.1.1\n\nBye\n",
     SHOWN, NULL},
};

static void
test_find(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(find_cases); i++) {
        const char *text = find_cases[i].text;
        g_autoptr(DsnReport) report = dsn_report_find(text, strlen(text));
        if (find_cases[i].shown == NULL) {
            assert_null(report);
            continue;
        }
        if (report == NULL)
            fail_msg("%s: nothing found", find_cases[i].name);
        g_autofree char *shown = show_report(report);
        assert_string_equal(shown, find_cases[i].shown);
        if (find_cases[i].original == NULL)
            assert_null(report->original);
        else
            assert_string_equal(header_fields_get(report->original, "Message-ID"),
                                find_cases[i].original);
    }
}

static void
test_many_recipients(void **state)
{
    (void)state;
    static const char *const partings[] = {"\n", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(partings); i++) {
        g_autoptr(GString) text = g_string_new("Reporting-MTA: dns; x\n\n");
        for (guint j = 0; j < 100000; j++)
            g_string_append_printf(text, "Final-Recipient: rfc822;u%u@x\nAction: failed\n%s", j,
                                   partings[i]);
        clock_t begin = clock();
        g_autoptr(DsnReport) report = dsn_report_parse(text->str, text->len);
        assert_int_equal(report->recipients->len, DSN_REPORT_MAX_RECIPIENTS);
        assert_true(report->truncated);
        assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
    }
}

static void
test_cut_anywhere(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize length = strlen(cases[i].text); length > 0; length--) {
            g_autofree char *piece = g_memdup2(cases[i].text, length);
            g_autoptr(DsnReport) report = dsn_report_parse(piece, length);
            g_autoptr(DsnReport) found = dsn_report_find(piece, length);
            assert_true(report->recipients->len <= 3);
            assert_true(found == NULL || found->recipients->len <= 3);
        }
}

int
main(void)
{
    mime_view_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),        cmocka_unit_test(test_message_fields),
        cmocka_unit_test(test_find),         cmocka_unit_test(test_many_recipients),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
