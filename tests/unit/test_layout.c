/*
 * classify/layout: each mail of tests/layouts/ is read as tests/layouts/expected.tsv says, and no
 * ordinary mail is read at all.
 */
#include <string.h>

#include "test_support.h"

#include "classify/layout.h"

static Layouts *layouts;

static const char *const verdict_names[] = {"failed", "delayed", "delivered"};

static LayoutReading *
read_mail(const char *octets, gsize length)
{
    g_autoptr(MimeView) view = mime_view_new(octets, length, &mime_limits_default);
    return layout_read(layouts, view);
}

static char *
file_text(const char *name)
{
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, name, NULL);
    char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

/* ---- the examples -------------------------------------------------------------------------- */

static void
append_rows(GString *rows, const char *name, const LayoutReading *reading)
{
    for (guint i = 0; i < reading->findings->len; i++) {
        const LayoutFinding *finding = g_ptr_array_index(reading->findings, i);
        g_string_append_printf(rows, "%s\t%s\t%s\t%s\t%s\t%s\n", name, reading->name,
                               verdict_names[finding->verdict], finding->recipient,
                               finding->remote_mta, finding->text);
    }
}

static char *
rows_of(const char *name)
{
    g_autofree char *path = g_strconcat("tests/layouts/", name, NULL);
    g_autofree char *mail = file_text(path);
    g_autoptr(LayoutReading) reading = read_mail(mail, strlen(mail));
    GString *rows = g_string_new(NULL);
    if (reading != NULL)
        append_rows(rows, name, reading);
    return g_string_free(rows, FALSE);
}

static GPtrArray *
example_names(void)
{
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "tests/layouts", NULL);
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    assert_non_null(folder);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL)
        if (g_str_has_suffix(name, ".eml"))
            g_ptr_array_add(names, g_strdup(name));
    assert_true(names->len > 40);
    return names;
}

/* The rows of this file, in their order. */
static char *
expected_rows(const char *table, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    g_autofree char *prefix = g_strconcat(name, "\t", NULL);
    GString *rows = g_string_new(NULL);
    for (guint i = 0; lines[i] != NULL; i++)
        if (g_str_has_prefix(lines[i], prefix))
            g_string_append_printf(rows, "%s\n", lines[i]);
    return g_string_free(rows, FALSE);
}

static void
reads_each_example(void **state)
{
    g_autofree char *table = file_text("tests/layouts/expected.tsv");
    g_autoptr(GPtrArray) names = example_names();
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *rows = rows_of(name), *expected = expected_rows(table, name);
        assert_string_not_equal(expected, "");
        assert_string_equal(rows, expected);
    }
    (void)state;
}

static void
has_an_example_and_a_row_in_the_manual_for_each_layout(void **state)
{
    g_autofree char *table = file_text("tests/layouts/expected.tsv");
    g_autofree char *manual = file_text("doc/layouts.md");
    assert_true(layouts_count(layouts) > 30);
    for (guint i = 0; i < layouts_count(layouts); i++) {
        const char *name = layouts_name(layouts, i);
        g_autofree char *field = g_strdup_printf("\t%s\t", name);
        g_autofree char *quoted = g_strdup_printf("`%s`", name);
        if (strstr(table, field) == NULL || strstr(manual, quoted) == NULL)
            print_message("%s\n", name);
        assert_non_null(strstr(table, field));
        assert_non_null(strstr(manual, quoted));
    }
    (void)state;
}

/* ---- ordinary mail ------------------------------------------------------------------------- */

static void
leaves_ordinary_mail_alone(void **state)
{
    static const char *const mails[] = {
        /* somebody quotes a report */
        "From: Ada <ada@example.org>\nTo: help@example.net\nSubject: what does this mean?\n\n"
        "I got this:\n\n"
        "Hi. This is the qmail-send program at mx.example.org.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
        "<charles@example.net>:\nno such user\n",
        /* a postmaster answers */
        "From: postmaster@example.net\nTo: ada@example.org\nSubject: Re: Undelivered Mail Returned "
        "to Sender\n\n"
        "<charles@example.net>: host mx said: 550 unknown\n\n"
        "Your message could not be delivered to charles@example.net, since he left.\n",
        /* a postmaster tells of the service */
        "From: postmaster@example.net\nTo: all@example.net\nSubject: maintenance on Sunday\n\n"
        "Mail that cannot be delivered to charles@example.net in the meantime is kept.\n",
        /* a shop cannot deliver a parcel */
        "Return-Path: <>\nFrom: Parcels <info@parcels.example>\nTo: ada@example.org\n"
        "Subject: Your parcel\n\nIt could not be delivered to you. Write to "
        "help@parcels.example.\n",
        /* a newsletter on mail */
        "Return-Path: <news@example.com>\nFrom: News <no-reply@example.com>\nTo: ada@example.org\n"
        "List-Id: <news.example.com>\nSubject: Why mail bounces\n\n"
        "The following addresses had permanent fatal errors: what this means.\n"
        "<you@example.com>: 550 5.1.1 user unknown\n",
        /* an absence notice */
        "Return-Path: <>\nFrom: Charles <charles@example.net>\nTo: ada@example.org\n"
        "Subject: Automatic reply: engine\nAuto-Submitted: auto-replied\n\n"
        "I am away. Your message was not delivered to mary@example.net.\n",
        /* list mail, and a list that is run by fml */
        "From: Ada <ada@example.org>\nTo: engineers@example.org\nSubject: [eng] mail\n"
        "X-MLServer: fml 4\nList-Id: eng\n\nIs bob <bob@example.net> on the list?\n",
        "From: Ada <ada@example.org>\nSubject: =?utf-8?Q?Undelivered?=\n\nfailed: a@b.example\n",
        /* forwarded with all its words */
        "From: Bob <bob@example.net>\nTo: ada@example.org\n"
        "Subject: Fwd: Undelivered Mail Returned to Sender\n\nBegin forwarded message:\n\n"
        "From: MAILER-DAEMON@mx.example.org\n\nThis is the mail system at host mx.example.org.\n\n"
        "<charles@example.net>: host mx said: 550 unknown\n",
        /* on mailing lists: somebody who runs mail asks, a list that announces, a digest */
        "From: postmaster@example.net\nTo: mail-users@lists.example.org\nList-Id: <mail-users>\n"
        "Subject: Undeliverable: what does it mean?\n\n"
        "Your mail could not be delivered to charles@example.net, it said.\n",
        "Return-Path: <>\nFrom: Systems <systems@example.net>\nTo: all@lists.example.org\n"
        "List-Unsubscribe: <mailto:all-leave@lists.example.org>\n"
        "Subject: Delivery failure on Sunday\n\n"
        "Mail that could not be delivered to charles@example.net is sent again.\n",
        /* a postmaster answers the owner of a list; a person, and a machine, answer its bounces */
        "From: postmaster@example.net\nTo: engines-owner@lists.example.org\n"
        "Subject: Re: Undeliverable: engines\n\n"
        "Delivery to the following recipients failed, as charles@example.net moved.\n",
        "From: Bob <bob@example.net>\nTo: engines-bounces@lists.example.org\n"
        "Subject: where are you?\n\nMail could not be delivered to charles@example.net\n",
        "From: Bob <bob@example.net>\nTo: engines-bounces@lists.example.org\n"
        "Subject: Out of office: delivery failure\n\nI cannot be reached; mail could not be "
        "delivered to charles@example.net\n",
        /* a mail system tells of other things than a failure */
        "From: MAILER-DAEMON@example.net\nTo: ada@example.org\nSubject: Statistics of today\n\n"
        "Received: 12, sent: 10, see https://mail.example.net/\n",
        "From: postmaster@example.net\nTo: ada@example.org\nSubject: Report of returned mail\n\n"
        "12 mails came back this week. Ask charles@example.net.\n",
        /* about the reader's own mailbox, and about mail to it */
        "From: MAILER-DAEMON@example.org\nTo: ada@example.org\nSubject: Mailbox quota\n\n"
        "Your mailbox is over quota. New mail for ada@example.org will be rejected.\n",
        "Return-Path: <>\nFrom: postmaster@example.org\nTo: ada@example.org\n"
        "Subject: Virus in a mail rejected\n\n"
        "A mail from charles@example.net to you was held: it has a virus.\n",
        "Return-Path: <>\nFrom: postmaster@example.org\nTo: ada@example.org\n"
        "Subject: Rejected mail of today\n\n"
        "These messages were rejected as spam:\n\n  charles@example.net: buy now\n",
        "From: MAILER-DAEMON@example.org\nTo: ada@example.org\nSubject: Today\n\n"
        "Messages delivered: 10. Messages rejected: 3. User unknown: 2. Top: bob@example.org\n",
        /* what else has a recipient and a reason, or rejects somebody */
        "Return-Path: <>\nFrom: Bank <service@bank.example>\nTo: ada@example.org\n"
        "Subject: Payment returned to sender\n\n"
        "Recipient: charles@example.net\nReason: account closed\n",
        "From: postmaster@example.org\nTo: ada@example.org\nSubject: Rejected logins\n\n"
        "User unknown: 3 logins of charles@example.net were rejected.\n",
        "Return-Path: <>\nFrom: alert@example.org\nTo: ada@example.org\n"
        "Subject: Delivery failure rate\n\n"
        "12 % of all mail could not be delivered to others. Top: charles@example.net\n",
        /* a calendar's answer, a shop, a list that gives up, an announcement */
        "Return-Path: <>\nFrom: calendar@example.net\nSubject: Accepted: meeting\n\n"
        "The invitation could not be delivered to charles@example.net\n",
        "Return-Path: <bounce@shop.example>\nFrom: noreply@shop.example\n"
        "Subject: Your order could not be delivered\n\nWrite to help@shop.example\n",
        "From: noreply@list.example\nSubject: Your subscription is disabled: delivery failed\n\n"
        "Your membership of engineers@list.example has been disabled: too many bounces.\n",
        "From: Administrator <administrator@example.net>\nSubject: Mail system down on Sunday\n\n"
        "Mail could not be delivered to anybody, not even to charles@example.net\n",
        "",
        "\n",
        "Subject: x",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(mails); i++) {
        g_autoptr(LayoutReading) reading = read_mail(mails[i], strlen(mails[i]));
        if (reading != NULL)
            print_message("%s: %s\n", reading->name, mails[i]);
        assert_null(reading);
    }
    (void)state;
}

/* ---- limits, and the rest ------------------------------------------------------------------ */

static void
keeps_its_limits(void **state)
{
    g_autoptr(GString) mail = g_string_new("From: MAILER-DAEMON@mx.example.org\n\n"
                                           "This is the mail system at host mx.example.org.\n\n");
    for (guint i = 0; i < LAYOUT_MAX_FINDINGS + 5; i++)
        g_string_append_printf(mail, "<user%u@example.net>: 550 %u\n", i, i);
    g_autoptr(LayoutReading) reading = read_mail(mail->str, mail->len);
    assert_non_null(reading);
    assert_int_equal(reading->findings->len, LAYOUT_MAX_FINDINGS);
    g_string_truncate(mail, 0);
    g_string_append(mail, "From: MAILER-DAEMON@mx.example.org\n\n"
                          "This is the mail system at host mx.example.org.\n\n"
                          "<a@example.net>: 550 ");
    for (guint i = 0; i < 5000; i++)
        g_string_append(mail, "\xc3\xa9");
    g_autoptr(LayoutReading) wide = read_mail(mail->str, mail->len);
    const LayoutFinding *finding = g_ptr_array_index(wide->findings, 0);
    assert_true(strlen(finding->text) <= 2000 && strlen(finding->text) > 1990);
    assert_true(g_utf8_validate(finding->text, -1, NULL));
    (void)state;
}

static void
gives_the_header_of_a_quoted_original(void **state)
{
    g_autofree char *mail = file_text("tests/layouts/qmail.eml");
    g_autoptr(LayoutReading) reading = read_mail(mail, strlen(mail));
    assert_non_null(reading->original);
    assert_string_equal(header_fields_get(reading->original, "Message-ID"), "<first@example.org>");
    g_autofree char *other = file_text("tests/layouts/domino.eml");
    g_autoptr(LayoutReading) without = read_mail(other, strlen(other));
    assert_null(without->original);
    (void)state;
}

static int
setup(void **state)
{
    g_autoptr(GError) error = NULL;
    mime_view_init();
    layouts = layouts_new(&error);
    if (layouts == NULL)
        print_error("%s\n", error->message);
    (void)state;
    return layouts != NULL ? 0 : 1;
}

static int
teardown(void **state)
{
    layouts_free(layouts);
    (void)state;
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_example),
        cmocka_unit_test(has_an_example_and_a_row_in_the_manual_for_each_layout),
        cmocka_unit_test(leaves_ordinary_mail_alone),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(gives_the_header_of_a_quoted_original),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
