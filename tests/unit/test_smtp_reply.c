/*
 * mail/smtp_reply: what MTAs, logs and reports write is read as what it is, and printed right.
 */
#include <string.h>

#include "test_support.h"

#include "mail/smtp_reply.h"

/* A line as "code|separator|status|text". */
static char *
described_line(const SmtpReplyLine *line)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    return g_strdup_printf("%u|%c|%s|%s", line->code, line->separator ? line->separator : '.',
                           enhanced_status_format(line->status, status), line->text);
}

static char *
described(const SmtpReply *reply)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        g_autofree char *line = described_line(smtp_reply_line(reply, i));
        g_string_append_printf(out, "%s%s", i > 0 ? "\n" : "", line);
    }
    return g_string_free(out, FALSE);
}

typedef struct {
    const char *raw;
    const char *lines; /* as described() */
} LineCase;

static void
check_lines(const LineCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(SmtpReply) reply = smtp_reply_parse(cases[i].raw, -1);
        g_autofree char *lines = described(reply);
        if (strcmp(lines, cases[i].lines) != 0)
            print_error("input: %s\n", cases[i].raw);
        assert_string_equal(lines, cases[i].lines);
    }
}

static void
reads_one_line(void **state)
{
    static const LineCase cases[] = {
        {"550 5.1.1 no such user", "550| |5.1.1|no such user"},
        {"550 no such user", "550| ||no such user"},
        {"550 5.1.1", "550| |5.1.1|"},
        {"550", "550|.||"},
        {"550 ", "550|.||"},
        {"550-", "550|-||"},
        {"550-5.7.1 part one", "550|-|5.7.1|part one"},
        {"550\t5.7.1\ttabs", "550| |5.7.1|tabs"},
        {"550   5.7.1   wide", "550| |5.7.1|wide"},
        {"  450 4.2.0 indented  ", "450| |4.2.0|indented"},
        {"550 #5.7.1 gateway style", "550| |5.7.1|gateway style"},
        {"550#5.1.0 glued on", "550|.|5.1.0|glued on"},
        {"550 5.1.1: a colon", "550| |5.1.1|a colon"},
        {"550 5.1.1 : a colon apart", "550| |5.1.1|: a colon apart"},
        {"550 5.1.1. a dot", "550| |5.1.1|. a dot"},
        {"550 5.1 not a status", "550| ||5.1 not a status"},
        {"550 3.1.1 not a class", "550| ||3.1.1 not a class"},
        {"550 192.0.2.1 is listed", "550| ||192.0.2.1 is listed"},
        {"550 4.7.1 class disagrees", "550| |4.7.1|class disagrees"},
        {"5.1.1 <a@b.example>: status alone", "0|.|5.1.1|<a@b.example>: status alone"},
        {"no code at all", "0|.||no code at all"},
        {"", "0|.||"},
        {"   ", "0|.||"},
        {"255", "0|.||255"},
        {"250", "0|.||250"},
        {"250 2.1.5 ok", "250| |2.1.5|ok"},
        {"650 from nowhere", "650| ||from nowhere"},
        {"750 from nowhere", "0|.||750 from nowhere"},
        {"5500 is no code", "0|.||5500 is no code"},
        {"55 is no code", "0|.||55 is no code"},
        {"550x is no code", "0|.||550x is no code"},
        {"550 5.6.0 gr\xc3\xbc\xc3\x9f \x01 100%", "550| |5.6.0|gr\xc3\xbc\xc3\x9f \x01 100%"},
        {"<a@b.example>... User unknown", "0|.||<a@b.example>... User unknown"},
        {"550 5.1.1 <a@b.example>... User unknown", "550| |5.1.1|<a@b.example>... User unknown"},
        {"554 5.0.0 Service unavailable", "554| |5.0.0|Service unavailable"},
    };
    (void)state;
    check_lines(cases, G_N_ELEMENTS(cases));
}

static void
reads_many_lines(void **state)
{
    static const LineCase cases[] = {
        {"550-5.7.1 one\r\n550 5.7.1 two", "550|-|5.7.1|one\n550| |5.7.1|two"},
        {"550-5.7.1 one\r\n550 5.7.1 two\r\n", "550|-|5.7.1|one\n550| |5.7.1|two"},
        {"550-5.7.1 one\n550 5.7.1 two\n", "550|-|5.7.1|one\n550| |5.7.1|two"},
        {"550-5.7.1 one\r550 5.7.1 two", "550|-|5.7.1|one\n550| |5.7.1|two"},
        {"550-one\r\n\r\n550 two\r\n\r\n", "550|-||one\n550| ||two"},
        {"550-5.7.1 one\r\n550-\r\n550 two", "550|-|5.7.1|one\n550|-||\n550| ||two"},
        {"550-one\r\n551 two", "550|-||one\n551| ||two"},
        {"550-5.1.1 one\r\n550 5.7.1 two", "550|-|5.1.1|one\n550| |5.7.1|two"},
        {"550 one\r\n550 two", "550| ||one\n550| ||two"},
        {"550-one\r\ntwo without a code", "550|-||one\n0|.||two without a code"},
        {"550-see 550 pages\r\n550 end", "550|-||see 550 pages\n550| ||end"},
        /* Folded, as in a report's header. */
        {"550 5.1.1 <a@b.example>:\r\n    User unknown\r\n\tin table",
         "550| |5.1.1|<a@b.example>: User unknown in table"},
        {"550-5.7.26 first\n 550-5.7.26 second\n 550 5.7.26 third",
         "550|-|5.7.26|first\n550|-|5.7.26|second\n550| |5.7.26|third"},
    };
    (void)state;
    check_lines(cases, G_N_ELEMENTS(cases));
}

static void
reads_flattened_lines(void **state)
{
    static const LineCase cases[] = {
        {"550-5.7.1 remote line1 550 5.7.1 second line",
         "550|-|5.7.1|remote line1\n550| |5.7.1|second line"},
        {"550-5.7.26 a 550-5.7.26 550-5.7.26 b 550 5.7.26 c",
         "550|-|5.7.26|a\n550|-|5.7.26|\n550|-|5.7.26|b\n550| |5.7.26|c"},
        {"554-mx.example ESMTP 554-No service 554 For help see https://example.org/",
         "554|-||mx.example ESMTP\n554|-||No service\n554| ||For help see https://example.org/"},
        {"552-5.3.4 message 552 bytes over 552 5.3.4 the limit",
         "552|-|5.3.4|message 552 bytes over\n552| |5.3.4|the limit"},
        {"552-message 552 bytes over 552 the limit",
         "552|-||message 552 bytes over\n552| ||the limit"},
        {"550-a message 550 bytes long", "550|-||a message 550 bytes long"},
        {"550-more than 550 is too much", "550|-||more than 550 is too much"},
        {"550 5.3.4 message 550 bytes", "550| |5.3.4|message 550 bytes"},
        {"550 5.7.1 a 550 5.7.1 b", "550| |5.7.1|a 550 5.7.1 b"},
        {"550-5.1.1 has 550-bytes 550 5.1.1 end", "550|-|5.1.1|has 550-bytes\n550| |5.1.1|end"},
        {"550-5.1.1 about 551 5.1.1 other code", "550|-|5.1.1|about 551 5.1.1 other code"},
        {"550-5.1.1 x550 5.1.1 glued", "550|-|5.1.1|x550 5.1.1 glued"},
        {"550-5.1.1 cut off here 550-5.1.1 and here",
         "550|-|5.1.1|cut off here\n550|-|5.1.1|and here"},
        /* Postfix's log and bounces. */
        {"550-5.6.0 one??550 5.6.0 two", "550|-|5.6.0|one\n550| |5.6.0|two"},
        {"5.6.0 eom one??554 5.6.0 eom two", "0|.|5.6.0|eom one\n554| |5.6.0|eom two"},
        {"450-4.2.0 one??450 two", "450|-|4.2.0|one\n450| ||two"},
        {"550 5.7.1 says no__550 5.7.1 100% two", "550| |5.7.1|says no\n550| |5.7.1|100% two"},
        {"550 5.7.1 really??550 times", "550| |5.7.1|really\n550| ||times"},
        {"550 5.7.1 really??551 5.7.1 x", "550| |5.7.1|really??551 5.7.1 x"},
        {"550 5.7.1 really?? 550 x", "550| |5.7.1|really?? 550 x"},
    };
    (void)state;
    check_lines(cases, G_N_ELEMENTS(cases));
}

typedef struct {
    const char *raw, *line, *name, *addr;
    SmtpStage stage;
} EnvelopeCase;

static void
reads_what_stands_around(void **state)
{
    static const EnvelopeCase cases[] = {
        {"host mx.example.org[192.0.2.1] said: 550 5.1.1 no user (in reply to RCPT TO command)",
         "550 5.1.1 no user", "mx.example.org", "192.0.2.1", SMTP_STAGE_RCPT},
        {"host mx.example.org[2001:db8::25] said: 450 wait (in reply to end of DATA command)",
         "450 wait", "mx.example.org", "2001:db8::25", SMTP_STAGE_EOM},
        {"host mx.example.org[IPv6:2001:db8::25]:25 said: 450 wait (in reply to MAIL FROM command)",
         "450 wait", "mx.example.org", "2001:db8::25", SMTP_STAGE_MAIL},
        {"host mx.example.org[192.0.2.1] refused to talk to me: 421 4.7.0 too many",
         "421 4.7.0 too many", "mx.example.org", "192.0.2.1", SMTP_STAGE_CONNECT},
        {"delivery temporarily suspended: host mx[192.0.2.1] refused to talk to me: 554 no",
         "554 no", "mx", "192.0.2.1", SMTP_STAGE_CONNECT},
        {"connect to mx.example.org[192.0.2.1]: server refused to talk to me: 421 closing",
         "421 closing", "mx.example.org", "192.0.2.1", SMTP_STAGE_CONNECT},
        {"4.4.1 connect to mx.example.org[192.0.2.1]:2999: Connection refused",
         "4.4.1 connect to mx.example.org[192.0.2.1]:2999: Connection refused", "mx.example.org",
         "192.0.2.1", SMTP_STAGE_CONNECT},
        {"lost connection with mx.example.org[192.0.2.1] while sending RCPT TO",
         "lost connection with mx.example.org[192.0.2.1] while sending RCPT TO", "mx.example.org",
         "192.0.2.1", SMTP_STAGE_RCPT},
        {"4.4.2 conversation with mx[192.0.2.1] timed out while receiving the initial greeting",
         "4.4.2 conversation with mx[192.0.2.1] timed out while receiving the initial greeting",
         "mx", "192.0.2.1", SMTP_STAGE_CONNECT},
        {"host mx[/run/lmtp] said: 550 5.1.1 <a> unknown (in reply to RCPT TO command)",
         "550 5.1.1 <a> unknown", "mx", NULL, SMTP_STAGE_RCPT},
        {"5.7.1 host mx[127.0.0.1] said: 550-5.7.1 REJECT 550 5.7.1 two (in reply to DATA command)",
         "550 5.7.1 REJECT two", "mx", "127.0.0.1", SMTP_STAGE_DATA},
        {"5.0.0 host mx[127.0.0.1] said: 550 go (in reply to RCPT TO command)", "550 5.0.0 go",
         "mx", "127.0.0.1", SMTP_STAGE_RCPT},
        {"2.0.0 250 2.0.0 stored", "250 2.0.0 stored", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"<a@b.example>: host mx[192.0.2.1] said: 550 no (in reply to RCPT TO\n    command)",
         "550 no", "mx", "192.0.2.1", SMTP_STAGE_RCPT},
        {"Host or domain name not found. Name service error for name=a.example type=A",
         "Host or domain name not found. Name service error for name=a.example type=A", NULL, NULL,
         SMTP_STAGE_UNKNOWN},
        {"SMTP error from remote mail server after RCPT TO:<a@b.example>: gone",
         "SMTP error from remote mail server after RCPT TO:<a@b.example>: gone", NULL, NULL,
         SMTP_STAGE_UNKNOWN},
        {"mx.example.org[192.0.2.1] said: 550 no", "550 no", "mx.example.org", "192.0.2.1",
         SMTP_STAGE_UNKNOWN},
        {"<a@b.example>: 550 no", "550 no", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"(host mx[192.0.2.1] said: 550 no)", "(host mx[192.0.2.1] said: 550 no)", NULL, NULL,
         SMTP_STAGE_UNKNOWN},
        {"smtp; 550 5.1.1 no user", "550 5.1.1 no user", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"SMTP;550-5.2.1 off 550 5.2.1 gone", "550 5.2.1 off gone", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"Diagnostic-Code: X-Postfix; host mx[192.0.2.1] said: 550\n    rule (in reply to DATA\n"
         "    command)",
         "550 rule", "mx", "192.0.2.1", SMTP_STAGE_DATA},
        {"x-unix; 67", "67", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"x-unix; user unknown", "user unknown", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"X-LMTP-Agent; 550 5.2.2 full", "550 5.2.2 full", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"quota; exceeded", "quota; exceeded", NULL, NULL, SMTP_STAGE_UNKNOWN},
        /* Exim */
        {"SMTP error from remote mail server after RCPT TO:<a@b.example>:\n"
         "    host mx.b.example [192.0.2.1]: 550 5.1.1 <a@b.example>: gone",
         "550 5.1.1 <a@b.example>: gone", "mx.b.example", "192.0.2.1", SMTP_STAGE_RCPT},
        {"host mx.b.example [192.0.2.1]\n    SMTP error from remote mail server after MAIL "
         "FROM:<a@b.example> SIZE=1024:\n    550 Bad records",
         "550 Bad records", "mx.b.example", "192.0.2.1", SMTP_STAGE_MAIL},
        {"SMTP error from remote mailer after end of data: 552 too big", "552 too big", NULL, NULL,
         SMTP_STAGE_EOM},
        {"SMTP error from remote mail server after pipelined MAIL FROM:<a@b.example>: 550 no",
         "550 no", NULL, NULL, SMTP_STAGE_MAIL},
        {"SMTP error from remote server for RCPT command, host: mx.example (192.0.2.1) "
         "reason: 550 5.2.0 refused",
         "550 5.2.0 refused", "mx.example", "192.0.2.1", SMTP_STAGE_RCPT},
        /* Sendmail */
        {"... while talking to mx.example.:\n>>> RCPT To:<a@b.example>\n<<< 550 5.1.1 unknown\n"
         "550 5.1.1 <a@b.example>... User unknown",
         "550 5.1.1 unknown", "mx.example", NULL, SMTP_STAGE_RCPT},
        {"   ----- Transcript\n... while", "----- Transcript ... while", NULL, NULL,
         SMTP_STAGE_UNKNOWN},
        {"... while talking to mx.example.: >>> DATA <<< 550-5.7.1 one 550 5.7.1 two",
         "550 5.7.1 one two", "mx.example", NULL, SMTP_STAGE_DATA},
        {">>> MAIL From:<a@b.example>\n<<< 553-5.1.8 one\n<<< 553 5.1.8 two\n501 5.6.0 Data",
         "553 5.1.8 one two", NULL, NULL, SMTP_STAGE_MAIL},
        {"<<< 450 busy", "450 busy", NULL, NULL, SMTP_STAGE_UNKNOWN},
        /* qmail */
        {"192.0.2.25 does not like recipient.\nRemote host said: 550 5.1.1 no\nGiving up on "
         "192.0.2.25.",
         "550 5.1.1 no", NULL, "192.0.2.25", SMTP_STAGE_RCPT},
        {"Connected to 192.0.2.25 but my name was rejected. Remote host said: 501 bad name I'm "
         "not going to try again; this message has been in the queue too long.",
         "501 bad name", NULL, NULL, SMTP_STAGE_HELO},
        {"192.0.2.25 failed after I sent the message.\nRemote host said: 554 spam", "554 spam",
         NULL, "192.0.2.25", SMTP_STAGE_EOM},
        {"Remote host said:\n552 full", "552 full", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"Sorry, most progress was RCPT TO response; remote host 192.0.2.32 said: 550 no", "550 no",
         NULL, "192.0.2.32", SMTP_STAGE_UNKNOWN},
        {"550 sorry, no mailbox here by that name (#5.1.1)",
         "550 5.1.1 sorry, no mailbox here by that name (#5.1.1)", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"450 sorry (#5.1.1)", "450 sorry (#5.1.1)", NULL, NULL, SMTP_STAGE_UNKNOWN},
        /* Exchange, Cisco */
        {"Remote Server returned '550 5.1.1 not found; user's gone'",
         "550 5.1.1 not found; user's gone", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"Remote server returned nothing", "Remote server returned nothing", NULL, NULL,
         SMTP_STAGE_UNKNOWN},
        {"#5.5.0 smtp;550 no such user", "550 5.5.0 no such user", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"mx.example #<mx.example #5.7.1 smtp;550 5.7.2 no relay> #SMTP#", "550 5.7.2 no relay",
         NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"#550 5.1.1 gone ##", "550 5.1.1 gone", NULL, NULL, SMTP_STAGE_UNKNOWN},
        {"5.1.0 - Unknown address error 550-'5.1.1 nobody' (delivery attempts: 0)",
         "550 5.1.1 nobody", NULL, NULL, SMTP_STAGE_UNKNOWN},
        /* A reply's own words are not somebody else's. */
        {"550 5.1.1 host mx[192.0.2.1] said: 421 hang up",
         "550 5.1.1 host mx[192.0.2.1] said: 421 hang up", NULL, NULL, SMTP_STAGE_UNKNOWN},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SmtpReply) reply = smtp_reply_parse(cases[i].raw, -1);
        g_autofree char *line = smtp_reply_to_line(reply);
        if (strcmp(line, cases[i].line) != 0)
            print_error("input: %s\n", cases[i].raw);
        assert_string_equal(line, cases[i].line);
        assert_int_equal(g_strcmp0(reply->remote_name, cases[i].name), 0);
        assert_int_equal(g_strcmp0(reply->remote_addr, cases[i].addr), 0);
        assert_int_equal(reply->stage, cases[i].stage);
    }
}

static void
takes_code_and_status_of_the_last_line(void **state)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse("550-5.1.1 a\r\n451-4.3.0 b\r\nc", -1);
    (void)state;
    assert_int_equal(reply->code, 451);
    assert_true(enhanced_status_equal(reply->status, (EnhancedStatus){4, 3, 0}));
    assert_int_equal(smtp_reply_line_count(reply), 3);
    assert_false(reply->flattened);
    assert_false(reply->truncated);
}

static void
reads_any_octets(void **state)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse("550 5.1.1 a\0b\0\r\n", 15);
    (void)state;
    assert_string_equal(smtp_reply_line(reply, 0)->text, "a b");
}

static void
stops_at_its_limits(void **state)
{
    (void)state;
    GString *many = g_string_new(NULL);
    for (int i = 0; i < SMTP_REPLY_MAX_LINES + 50; i++)
        g_string_append(many, "550-x\r\n");
    g_autoptr(SmtpReply) lines = smtp_reply_parse(many->str, -1);
    assert_int_equal(smtp_reply_line_count(lines), SMTP_REPLY_MAX_LINES);
    assert_true(lines->truncated);
    g_string_assign(many, "550 ");
    for (int i = 0; i < SMTP_REPLY_MAX_TEXT; i++)
        g_string_append_c(many, 'x');
    g_autoptr(SmtpReply) text = smtp_reply_parse(many->str, -1);
    assert_int_equal(strlen(smtp_reply_line(text, 0)->text), SMTP_REPLY_MAX_TEXT - 4);
    assert_true(text->truncated);
    g_string_free(many, TRUE);
}

static void
prints_what_is_right_on_the_wire(void **state)
{
    static const struct {
        const char *raw, *wire, *line;
    } cases[] = {
        {"550 5.1.1 one", "550 5.1.1 one", "550 5.1.1 one"},
        {"550-5.7.1 a 550 5.7.1 b", "550-5.7.1 a\r\n550 5.7.1 b", "550 5.7.1 a b"},
        {"550-a\n551 b", "551-a\r\n551 b", "551 a b"},
        {"550-a\n550-\n550 b", "550-a\r\n550-\r\n550 b", "550 a b"},
        {"550-5.7.1 a\nb", "550-5.7.1 a\r\n550 5.7.1 b", "550 5.7.1 a b"},
        {"550 5.1.1", "550 5.1.1", "550 5.1.1"},
        {"5.1.1 x", "5.1.1 x", "5.1.1 x"},
        {"words", "words", "words"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SmtpReply) reply = smtp_reply_parse(cases[i].raw, -1);
        g_autofree char *wire = smtp_reply_to_wire(reply);
        g_autofree char *line = smtp_reply_to_line(reply);
        assert_string_equal(wire, cases[i].wire);
        assert_string_equal(line, cases[i].line);
        g_autoptr(SmtpReply) again = smtp_reply_parse(wire, -1);
        g_autofree char *rewired = smtp_reply_to_wire(again);
        assert_string_equal(rewired, wire);
    }
}

static void
is_built_and_changed(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply = smtp_reply_new(450, (EnhancedStatus){4, 2, 0}, "one\r\n250 ok");
    assert_string_equal(smtp_reply_line(reply, 0)->text, "one  250 ok");
    smtp_reply_add_line(reply, "two");
    g_autofree char *lines = described(reply);
    assert_string_equal(lines, "450|-|4.2.0|one  250 ok\n450| |4.2.0|two");
    g_autoptr(SmtpReply) copy = smtp_reply_copy(reply);
    smtp_reply_set_code(copy, 550, (EnhancedStatus){5, 1, 1});
    g_autofree char *changed = smtp_reply_to_wire(copy);
    assert_string_equal(changed, "550-5.1.1 one  250 ok\r\n550 5.1.1 two");
    g_autofree char *text = smtp_reply_text(reply);
    assert_string_equal(text, "one  250 ok two");
}

static void
copies_everything(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply =
        smtp_reply_parse("host mx[192.0.2.1] said: 550-a 550 b (in reply to RCPT TO command)", -1);
    g_autoptr(SmtpReply) copy = smtp_reply_copy(reply);
    g_autofree char *before = described(reply), *after = described(copy);
    assert_string_equal(before, after);
    assert_string_equal(copy->remote_name, "mx");
    assert_string_equal(copy->remote_addr, "192.0.2.1");
    assert_ptr_not_equal(copy->remote_name, reply->remote_name);
    assert_int_equal(copy->stage, SMTP_STAGE_RCPT);
    assert_true(copy->flattened);
}

/* Quadratic reading of these would take minutes. */
static void
stays_linear(void **state)
{
    static const char *const units[] = {
        "<",     "550-",   "550 ",   "SMTP error from remote server after <",
        "smtp;", "??550 ", "host ",  "(in reply to x)",
        "\r\n ", "#",      "5.1.1 ", "remote host "};
    static const char *const heads[] = {"", "550-", "SMTP error from remote mail server after ",
                                        ">>> "};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(heads); j++) {
            GString *text = g_string_new(heads[j]);
            while (text->len < SMTP_REPLY_MAX_TEXT)
                g_string_append(text, units[i]);
            gint64 start = g_get_monotonic_time();
            smtp_reply_free(smtp_reply_parse(text->str, (gssize)text->len));
            assert_true(g_get_monotonic_time() - start < 2 * G_USEC_PER_SEC);
            g_string_free(text, TRUE);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one_line),
        cmocka_unit_test(reads_many_lines),
        cmocka_unit_test(reads_flattened_lines),
        cmocka_unit_test(reads_what_stands_around),
        cmocka_unit_test(takes_code_and_status_of_the_last_line),
        cmocka_unit_test(reads_any_octets),
        cmocka_unit_test(stops_at_its_limits),
        cmocka_unit_test(prints_what_is_right_on_the_wire),
        cmocka_unit_test(is_built_and_changed),
        cmocka_unit_test(copies_everything),
        cmocka_unit_test(stays_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
