/*
 * test_mime_view: mails whole, broken and hostile, and the parts that are read from them.
 */
#include "test_support.h"

#include <string.h>
#include <time.h>

#include "mail/mime_view.h"

/* "TEXT text/plain [hello]" a part; in texts, LF is shown as '|'. */
static char *
show_parts(const MimeView *view)
{
    static const char *const kinds[] = {"TEXT",        "HTML",     "STATUS", "FEEDBACK",
                                        "DISPOSITION", "ORIGINAL", "OTHER"};
    GString *shown = g_string_new(NULL);
    for (guint i = 0; i < view->parts->len; i++) {
        const MimePart *part = view->parts->pdata[i];
        assert_int_equal(strlen(part->text), part->length);
        g_string_append_printf(shown, "%s%s %s [%s]", i > 0 ? "; " : "", kinds[part->kind],
                               part->type, part->text);
        if (part->original != NULL) {
            const char *id = header_fields_get(part->original, "Message-ID");
            g_string_append_printf(shown, " %s", id != NULL ? id : "-");
        }
    }
    g_strdelimit(shown->str, "\n", '|');
    return g_string_free(shown, FALSE);
}

typedef struct {
    const char *name;
    const char *mail;
    const char *parts;
} MailCase;

#define REPORT                                                                                     \
    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n"              \
    "This is MIME\n"                                                                               \
    "--b\nContent-Type: text/plain\n\nSorry\n"                                                     \
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"         \
    "--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.org>\n\nhello\n"

static const MailCase cases[] = {
    {"plain", "Subject: x\r\n\r\nhello\r\nyou\r\n", "TEXT  [hello|you|]"},
    {"CR alone", "Subject: x\r\rhello\r\ryou\r", "TEXT  [hello||you|]"},
    {"header alone", "Subject: x\n", "TEXT  []"},
    {"no header", "hello you\nthere\n", "TEXT  [hello you|there|]"},
    {"nothing", "", "TEXT  []"},
    {"blank lines before", "\r\n\r\nSubject: x\r\n\r\nhello", "TEXT  [hello]"},
    {"mbox", "From a@example.org Thu Nov 19 10:00:00 2026\nSubject: x\n\nhello", "TEXT  [hello]"},
    {"type without subtype", "Content-Type: text\n\nhello", "TEXT  [hello]"},
    {"type with half a subtype", "Content-Type: text/;\n\nhello", "TEXT  [hello]"},
    {"a quote is missing",
     "Content-Type: multipart/mixed; boundary=\"b\n\n--b\n\na\n--b\n\nb\n--b--\n",
     "TEXT  [a]; TEXT  [b]"},
    {"report", REPORT "--b--\n",
     "TEXT text/plain [Sorry]; STATUS message/delivery-status [Reporting-MTA: dns; "
     "mx.example.org|]; ORIGINAL message/rfc822 [] <1@example.org>"},
    {"report without its end", REPORT,
     "TEXT text/plain [Sorry]; STATUS message/delivery-status [Reporting-MTA: dns; "
     "mx.example.org|]; ORIGINAL message/rfc822 [] <1@example.org>"},
    {"the boundary is not told",
     "Content-Type: multipart/mixed\n\n--xyz\nContent-Type: text/plain\n\na\n--xyz\n\nb\n--xyz--",
     "TEXT text/plain [a]; TEXT  [b]"},
    {"the boundary is another",
     "Content-Type: multipart/mixed; boundary=no\n\n--xyz\nContent-Type: text/plain\n\na\n--xyz--",
     "TEXT text/plain [a]"},
    {"the type is not told",
     "Subject: x\n\nThis is a MIME-encapsulated message\n\n--xyz\nContent-Type: "
     "text/plain\n\na\n--xyz--",
     "TEXT text/plain [a]"},
    {"a report in plain text is no multipart",
     "Subject: x\n\nI could not deliver it.\n\n--- Below\n\n--xyz\nContent-Type: "
     "text/plain\n\na\n--xyz--",
     "TEXT  [I could not deliver it.||--- Below||--xyz|Content-Type: text/plain||a|--xyz--]"},
    {"no boundary at all", "Content-Type: multipart/report; boundary=b\n\nSorry\n",
     "TEXT multipart/report [Sorry|]"},
    {"a boundary that begins like another",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
     "boundary=bb\n\n--bb\n\none\n--bb\nContent-Type: text/html\n\n<p>two\n--bb--\n\n--b\n\nthree\n"
     "--b--\n",
     "TEXT  [one]; HTML text/html [two]; TEXT  [three]"},
    {"the inner one uses the outer one's",
     "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; "
     "boundary=b\n\n--b\n\none\n--b--\n\n--b\n\ntwo\n--b--\n",
     "TEXT  [one]; TEXT  [two]"},
    {"a part without header", "Content-Type: multipart/mixed; boundary=b\n\n--b\none two\n--b--\n",
     "TEXT  [one two]"},
    {"digest",
     "Content-Type: multipart/digest; boundary=b\n\n--b\n\nMessage-ID: <2@example.org>\n\nx\n--b--",
     "ORIGINAL message/rfc822 [] <2@example.org>"},
    {"headers alone", "Content-Type: text/rfc822-headers\n\nMessage-ID: <3@example.org>\nTo: x",
     "ORIGINAL text/rfc822-headers [] <3@example.org>"},
    {"original in base64",
     "Content-Type: message/rfc822\nContent-Transfer-Encoding: "
     "base64\n\nTWVzc2FnZS1JRDogPDRAZXhhbXBsZS5vcmc+CgpoZWxsbwo=\n",
     "ORIGINAL message/rfc822 [] <4@example.org>"},
    {"an original is one part",
     "Content-Type: message/rfc822\n\nMessage-ID: <5@example.org>\nContent-Type: multipart/mixed; "
     "boundary=q\n\n--q\n\none\n--q--\n",
     "ORIGINAL message/rfc822 [] <5@example.org>"},
    {"a piece of a mail",
     "Content-Type: message/partial; number=1; total=2; id=x\n\nMessage-ID: <6@example.org>\n\nx",
     "ORIGINAL message/partial [] <6@example.org>"},
    {"not read", "Content-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n",
     "OTHER image/png []"},
    {"base64", "Content-Type: text/plain\nContent-Transfer-Encoding: BASE64\n\naGVsbG8NCg==\n",
     "TEXT text/plain [hello|]"},
    {"base64 cut off", "Content-Transfer-Encoding: base64\n\naGVsbG8NC", "TEXT  [hello|]"},
    {"base64 that is none", "Content-Transfer-Encoding: base64\n\nnot at all\n",
     "TEXT  [not at all|]"},
    {"quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\nh=C3=A4l=\r\nlo=3D=zz\n",
     "TEXT  [h\xc3\xa4llo==zz|]"},
    {"status in quoted-printable",
     "Content-Type: message/delivery-status\nContent-Transfer-Encoding: "
     "quoted-printable\n\nStatus:=205.1.1\n",
     "STATUS message/delivery-status [Status: 5.1.1|]"},
    {"international status", "Content-Type: message/global-delivery-status\n\nStatus: 5.1.1\n",
     "STATUS message/global-delivery-status [Status: 5.1.1|]"},
    {"unknown encoding", "Content-Transfer-Encoding: x-gibberish\n\nhello", "TEXT  [hello]"},
    {"HTML under a false name", "Content-Type: text/plain\n\n\n<HTML><p>hello</p>",
     "HTML text/plain [hello|]"},
};

static void
test_parts(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MimeView) view =
            mime_view_new(cases[i].mail, strlen(cases[i].mail), &mime_limits_default);
        g_autofree char *shown = show_parts(view);
        if (strcmp(shown, cases[i].parts) != 0)
            print_error("%s:\n", cases[i].name);
        assert_string_equal(shown, cases[i].parts);
        assert_false(view->truncated);
    }
}

/* Whatever ends the lines, the parts are the same. */
static void
test_line_ends(void **state)
{
    (void)state;
    static const char *const ends[] = {"\r\n", "\r", "\r\r\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (strchr(cases[i].mail, '\r') != NULL)
            continue;
        for (gsize j = 0; j < G_N_ELEMENTS(ends); j++) {
            g_auto(GStrv) lines = g_strsplit(cases[i].mail, "\n", -1);
            g_autofree char *mail = g_strjoinv(ends[j], lines);
            g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &mime_limits_default);
            g_autofree char *shown = show_parts(view);
            if (strcmp(shown, cases[i].parts) != 0)
                print_error("%s, line ends %zu:\n", cases[i].name, j);
            assert_string_equal(shown, cases[i].parts);
        }
    }
}

/* Cut off anywhere, a mail is read without harm. */
static void
test_cut_anywhere(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize length = strlen(cases[i].mail); length > 0; length--) {
            g_autofree char *piece = g_memdup2(cases[i].mail, length);
            g_autoptr(MimeView) view = mime_view_new(piece, length, &mime_limits_default);
            g_autofree char *shown = show_parts(view);
            assert_true(g_utf8_validate(shown, -1, NULL));
        }
}

typedef struct {
    const char *charset;
    const char *octets;
    const char *text;
} CharsetCase;

static const CharsetCase charset_cases[] = {
    {"utf-8", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"utf-8", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f"},
    {"utf-8", "\xef\xbb\xbfhello", "hello"},
    {"us-ascii", "gr\xc3\xbc", "gr\xc3\xbc"},
    {"iso-8859-1", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f"},
    {"iso-8859-1", "\x93x\x94", "\xe2\x80\x9cx\xe2\x80\x9d"},
    {"iso-8859-1", "gr\xc3\xbc", "gr\xc3\xbc"},
    {"ISO_8859-2", "\xb3", "\xc5\x82"},
    {"iso-8859-15", "\xa4", "\xe2\x82\xac"},
    {"windows-1251", "\xcd\xe5", "\xd0\x9d\xd0\xb5"},
    {"cp1251", "\xcd\xe5", "\xd0\x9d\xd0\xb5"},
    {"koi8-r", "\xee\xc5", "\xd0\x9d\xd0\xb5"},
    {"ISO-2022-JP", "\033$B%(%i!<\033(B x", "\xe3\x82\xa8\xe3\x83\xa9\xe3\x83\xbc x"},
    {"", "\033$B%(%i!<\033(B x", "\xe3\x82\xa8\xe3\x83\xa9\xe3\x83\xbc x"},
    {"us-ascii", "\033$B%(\033(B", "\xe3\x82\xa8"},
    {"iso-2022-jp", "plain", "plain"},
    {"Shift_JIS", "\x83G\x83\x89", "\xe3\x82\xa8\xe3\x83\xa9"},
    {"x-sjis", "\x87\x40", "\xe2\x91\xa0"},
    {"euc-jp", "\xa5\xa8", "\xe3\x82\xa8"},
    {"gb2312", "\xc4\xe3", "\xe4\xbd\xa0"},
    {"GB18030", "\xc4\xe3", "\xe4\xbd\xa0"},
    {"big5", "\xa7\x41", "\xe4\xbd\xa0"},
    {"ks_c_5601-1987", "\xb0\xa1", "\xea\xb0\x80"},
    {"euc-kr", "\xb0\xa1", "\xea\xb0\x80"},
    {"utf-7", "a+AOQ-b",
     "a\xc3\xa4"
     "b"},
    {"gb2312", "a\xff\xff.", "a\xef\xbf\xbd\xef\xbf\xbd."},
    {"gb2312", "gr\xc3\xbc\xc3.", "gr\xe7\x9c\x89\xef\xbf\xbd."},
    {"no-such-charset", "gr\xfc\xdf", "gr\xc3\xbc\xc3\x9f"},
    {"../../x", "gr\xfc", "gr\xc3\xbc"},
};

static void
test_charsets(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(charset_cases); i++) {
        const CharsetCase *c = &charset_cases[i];
        g_autofree char *mail = g_strdup_printf("Content-Type: text/plain; charset=\"%s\"\n\n%s",
                                                c->charset, c->octets);
        g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &mime_limits_default);
        const MimePart *part = mime_view_part(view, MIME_PART_TEXT);
        if (strcmp(part->text, c->text) != 0)
            print_error("%s:\n", c->charset);
        assert_string_equal(part->text, c->text);
    }
}

static void
test_utf16(void **state)
{
    (void)state;
    const char mail[] = "Content-Type: text/plain; charset=utf-16le\n\nh\0i\0\r\0\n\0";
    g_autoptr(MimeView) view = mime_view_new(mail, sizeof(mail) - 1, &mime_limits_default);
    assert_string_equal(mime_view_part(view, MIME_PART_TEXT)->text, "hi\n");
}

static const struct {
    const char *html;
    const char *text;
} html_cases[] = {
    {"<p>one</p><p>two</p>", "one\ntwo\n"},
    {"one<br>two<br/>three<BR />", "one\ntwo\nthree\n"},
    {"<table><tr><td>To:</td><td>you</td></tr><tr><td>x</td></tr></table>", "To: you\nx\n"},
    {"<p>a  b\n c&nbsp;d", "a b c d"},
    {"no tag,\nto <u@example.org>:\n c&nbsp;d", "no tag,\nto <u@example.org>:\nc d"},
    {"<pre>a\nb</pre>c\nd", "a\nb\nc d"},
    {"<style>p { x }</style>a<script>b</script><!-- <p> -->c", "ac"},
    {"&lt;u@example.org&gt; &amp; &#64;&#x40; &auml; &unknown; & x",
     "<u@example.org> & @@ \xc3\xa4 "
     "&unknown; & x"},
    {"to <u@example.org> at <https://example.org/x> by <mx.example.org>",
     "to <u@example.org> at <https://example.org/x> by <mx.example.org>"},
    {"<b>bold</b> <a href=\"mailto:u@example.org\">u@example.org</a>", "bold u@example.org"},
    {"a < b and c > d", "a < b and c > d"},
    {"never <b closed", "never <b closed"},
    {"<script>never closed", ""},
    {"&#0;&#xd800;&#99999999;&", "&#xd800;&#99999999;&"},
};

static void
test_html(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(html_cases); i++) {
        g_autofree char *mail =
            g_strconcat("Content-Type: text/html\n\n", html_cases[i].html, NULL);
        g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &mime_limits_default);
        assert_string_equal(mime_view_part(view, MIME_PART_HTML)->text, html_cases[i].text);
    }
}

static void
test_of_the_mail(void **state)
{
    (void)state;
    const char *mail = "Subject: =?utf-8?Q?=C3=A4?=\n" REPORT;
    g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &mime_limits_default);
    assert_string_equal(view->type, "multipart/report");
    assert_string_equal(view->report_type, "delivery-status");
    assert_string_equal(header_fields_get(view->header, "Subject"), "\xc3\xa4");
    assert_null(mime_view_part(view, MIME_PART_FEEDBACK));
}

/* A gateway that puts a report into a mail of its own. */
static void
test_wrapped_report(void **state)
{
    (void)state;
    const char *mail = "Content-Type: multipart/mixed; report-type=delivery-status; boundary=o\n\n"
                       "--o\nContent-Type: message/rfc822\n\nSubject: x\n" REPORT "\n--o--\n";
    g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &mime_limits_default);
    assert_non_null(mime_view_part(view, MIME_PART_DELIVERY_STATUS));
    const char *forwarded = "Content-Type: multipart/mixed; boundary=o\n\n"
                            "--o\nContent-Type: message/rfc822\n\nSubject: x\n" REPORT "\n--o--\n";
    g_autoptr(MimeView) other = mime_view_new(forwarded, strlen(forwarded), &mime_limits_default);
    assert_null(mime_view_part(other, MIME_PART_DELIVERY_STATUS));
    assert_non_null(mime_view_part(other, MIME_PART_ORIGINAL));
}

/* ---- hostile ------------------------------------------------------------------------------ */

static void
test_many_parts(void **state)
{
    (void)state;
    g_autoptr(GString) mail = g_string_new("Content-Type: multipart/mixed; boundary=b\n\n");
    for (guint i = 0; i < 10000; i++)
        g_string_append(mail, "--b\n\nx\n");
    g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
    assert_int_equal(view->parts->len, mime_limits_default.parts);
    assert_true(view->truncated);
}

/* Multiparts that hold nothing count too. */
static void
test_many_empty_multiparts(void **state)
{
    (void)state;
    g_autoptr(GString) mail = g_string_new("Content-Type: multipart/mixed; boundary=b\n\n");
    for (guint i = 0; i < 10000; i++)
        g_string_append(mail, "--b\nContent-Type: multipart/mixed; boundary=c\n\n\n");
    g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
    assert_int_equal(view->parts->len, 0);
    assert_true(view->truncated);
}

static void
test_deep(void **state)
{
    (void)state;
    g_autoptr(GString) mail = g_string_new("Content-Type: multipart/mixed; boundary=b0\n\n");
    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(
            mail, "--b%u\n\nx%u\n--b%u\nContent-Type: multipart/mixed; boundary=b%u\n\n", i, i, i,
            i + 1);
    g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
    assert_int_equal(view->parts->len, mime_limits_default.depth + 1);
    assert_true(view->truncated);
}

/* Each part says nothing of itself and holds another one. */
static void
test_deep_without_types(void **state)
{
    (void)state;
    g_autoptr(GString) mail = g_string_new("Content-Type: multipart/mixed; boundary=b0\n\n");
    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(mail, "--b%u\nContent-X: y\n\n", i);
    g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
    assert_true(view->parts->len <= mime_limits_default.parts);
}

static void
test_small_limits(void **state)
{
    (void)state;
    const MimeLimits limits = {.octets = 100, .text_octets = 5, .parts = 3, .depth = 2};
    const char *mail = "Content-Type: text/plain; charset=utf-8\n\n1234\xc3\xa4 and more";
    g_autoptr(MimeView) view = mime_view_new(mail, strlen(mail), &limits);
    assert_string_equal(mime_view_part(view, MIME_PART_TEXT)->text, "1234");
    assert_true(view->truncated);

    g_autofree char *spaces = g_strnfill(200, ' ');
    g_autofree char *large = g_strconcat("Subject: x\n\nhe", spaces, NULL);
    g_autoptr(MimeView) cut = mime_view_new(large, strlen(large), &limits);
    assert_true(cut->truncated);
}

/* Texts that would cost the square of their length, read twice for each octet. */
static void
test_time_is_linear(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "<",          "<a",         "&",    "&#",           "<!--",
        "</script",   "<script>",   "\r",   "--b ",         "\n--",
        "\n--b\n",    "=?a?b?c",    "=\n",  "\n ",          "\033$B",
        "a:\n",       "--b\n--b--", "\xc3", "<td>",         "=?utf-8?Q?=C3?= ",
        "<a <b>>",    "\n\r",       ":",    "Subject: x\n", "\n--bb",
        "=?utf-8?B?",
    };
    static const char *const heads[] = {
        "Subject: ",
        "",
        "Content-Type: text/html\n\n",
        "Content-Type: text/plain; charset=iso-2022-jp\n\n",
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
        "Content-Type: multipart/mixed; boundary=\"",
        "Content-Type: multipart/mixed\n\n",
        "Content-Type: message/rfc822\n\n",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(heads); j++) {
            g_autoptr(GString) mail = g_string_new(heads[j]);
            while (mail->len < 300000)
                g_string_append(mail, pieces[i]);
            clock_t begin = clock();
            g_autoptr(MimeView) view = mime_view_new(mail->str, mail->len, &mime_limits_default);
            clock_t took = clock() - begin;
            assert_non_null(view->header);
            if (took > 2 * CLOCKS_PER_SEC)
                fail_msg("%s%s... takes too long", heads[j], pieces[i]);
        }
}

int
main(void)
{
    mime_view_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_cut_anywhere), cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_utf16),        cmocka_unit_test(test_html),
        cmocka_unit_test(test_of_the_mail),  cmocka_unit_test(test_wrapped_report),
        cmocka_unit_test(test_many_parts),   cmocka_unit_test(test_many_empty_multiparts),
        cmocka_unit_test(test_deep),         cmocka_unit_test(test_deep_without_types),
        cmocka_unit_test(test_small_limits), cmocka_unit_test(test_time_is_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
