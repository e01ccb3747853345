/*
 * engine/report_headers: what is said in our name, and who else says so.
 */
#include "test_support.h"

#include <string.h>

#include "engine/report_headers.h"
#include "mail/mime_view.h"

#define HOST "mx.example.net"

/* "Name: value" a line. The caller frees it. */
static char *
lines_of(const GArray *headers)
{
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < headers->len; i++) {
        const ReportHeader *header = &g_array_index(headers, ReportHeader, i);
        g_string_append_printf(lines, "%s: %s\n", header->name, header->value);
    }
    return g_string_free(lines, FALSE);
}

static char *
headers_for(const char *recipient, const char *reply)
{
    Decision decision;
    g_autoptr(GArray) headers = report_headers_new();
    decision_init(&decision);
    decision.kind = MAIL_KIND_FAILURE;
    decision.cause.category = CATEGORY_USER_UNKNOWN;
    decision.cause.action = ACTION_SUPPRESS;
    decision.original = reply != NULL ? smtp_reply_parse(reply, -1) : NULL;
    report_headers_add(headers, HOST, recipient, &decision);
    decision_clear(&decision);
    return lines_of(headers);
}

#define FIRST                                                                                      \
    "X-Bounce-Kind: " HOST "; failure\n"                                                           \
    "X-Bounce-Category: " HOST "; user-unknown\n"                                                  \
    "X-Bounce-Action: " HOST "; suppress\n"

static void
says_what_is_known(void **state)
{
    static const struct {
        const char *recipient, *reply, *said;
    } cases[] = {
        {"jo@far.example", "550 5.1.1 no such user",
         FIRST "X-Bounce-Recipient: " HOST "; jo@far.example\n"
               "X-Bounce-Status: " HOST "; 5.1.1\n"},
        {"jo@far.example", "550 no such user",
         FIRST "X-Bounce-Recipient: " HOST "; jo@far.example\n"},
        {NULL, NULL, FIRST},
        {"j\xc3\xbc@far.example", NULL,
         FIRST "X-Bounce-Recipient: " HOST "; j\\x{FC}@far.example\n"},
        {"\"j o\"@far.example", NULL, FIRST "X-Bounce-Recipient: " HOST "; \"j o\"@far.example\n"},
        {"jo\r\nX-Evil: 1@far.example", NULL, FIRST},
        {"jo\x7f@far.example", NULL, FIRST},
        {"jo\xff@far.example", NULL, FIRST},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *said = headers_for(cases[i].recipient, cases[i].reply);
        assert_string_equal(said, cases[i].said);
    }
    g_autofree char *endless = g_strnfill(5000, 'x');
    g_autofree char *said = headers_for(endless, NULL);
    assert_string_equal(said, FIRST);
}

static void
finds_its_names(void **state)
{
    (void)state;
    for (int i = 0; report_header_names()[i] != NULL; i++) {
        g_autofree char *spaced = g_strconcat(report_header_names()[i], " \t", NULL);
        assert_int_equal(report_header_find(report_header_names()[i]), i);
        g_autofree char *lower = g_ascii_strdown(spaced, -1);
        assert_int_equal(report_header_find(lower), i);
    }
    assert_int_equal(report_header_find("X-Bounce"), -1);
    assert_int_equal(report_header_find("X-Bounce-Category2"), -1);
    assert_int_equal(report_header_find("X-Bounce-Category x"), -1);
    assert_int_equal(report_header_find(""), -1);
}

static void
knows_who_speaks(void **state)
{
    static const struct {
        const char *value;
        gboolean ours;
    } cases[] = {
        {HOST "; user-unknown", TRUE},
        {"MX.Example.NET; x", TRUE},
        {"  \t" HOST ";x", TRUE},
        {"\r\n " HOST " ; x", TRUE},
        {HOST, TRUE},
        {HOST ".; x", TRUE},
        {"(a (nested \\) comment)) " HOST "(b); x", TRUE},
        {"\"" HOST "\"; x", TRUE},
        {"\"mx.\\example.net\"; x", TRUE},
        {"=?utf-8?q?mx=2Eexample.net?=; x", TRUE},
        {"=?utf-8?B?bXguZXhhbXBsZS5uZXQ7IHg=?=", TRUE},
        {"other.example; " HOST, FALSE},
        {"x" HOST "; x", FALSE},
        {HOST ".evil.example; x", FALSE},
        {"(" HOST ") other.example; x", FALSE},
        {"(" HOST, FALSE},
        {"", FALSE},
        {"; " HOST, FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (report_header_is_from(cases[i].value, HOST) != cases[i].ours)
            fail_msg("%s", cases[i].value);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_known),
        cmocka_unit_test(finds_its_names),
        cmocka_unit_test(knows_who_speaks),
    };
    mime_view_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
