/*
 * server/milter_session and server/milter_needs: sessions played without an MTA.
 *
 * Each test has a policy of its own, and reads the event log that it made.
 */
#include <jansson.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <string.h>

#include "test_support.h"

#include "engine/report_headers.h"
#include "mail/mime_view.h"
#include "server/forged_headers.h"
#include "server/milter_needs.h"
#include "server/milter_session.h"
#include "session_world.h"

#define REFUSE(text) "then = { code = 550; status = \"5.7.1\"; text = \"" text "\"; }; }"

/* More sections may stand behind the checks and a '#'. */
static char *
sections_of(const char *checks)
{
    gsize length = strcspn(checks, "#");
    return g_strdup_printf("checks = ( %.*s );\n%s", (int)length, checks,
                           checks[length] == '#' ? checks + length + 1 : "");
}

static Policy *
load(const SessionWorld *world, const char *checks)
{
    g_autofree char *sections = sections_of(checks);
    return session_world_policy(world, sections);
}

static void
begin(SessionWorld *world, const char *checks)
{
    g_autofree char *sections = sections_of(checks);
    session_world_begin(world, sections, NULL);
}

static SessionAnswer
say_mail(MilterSession *session, const char *path, gboolean smtputf8, const char *auth_user,
         const char *queue_id)
{
    const char *arguments[] = {path, smtputf8 ? "SMTPUTF8" : NULL, NULL};
    return milter_session_mail(session, arguments, auth_user, queue_id);
}

static SessionAnswer
say_rcpt(MilterSession *session, const char *path, const char *queue_id)
{
    const char *arguments[] = {path, NULL};
    return milter_session_rcpt(session, arguments, queue_id);
}

static void
say_rcpt_refused(MilterSession *session, const char *path, const char *status, const char *text,
                 const char *queue_id)
{
    const char *arguments[] = {path, NULL};
    milter_session_rcpt_refused(session, arguments, status, text, queue_id);
}

static guint
change_count(const MilterSession *session)
{
    const ChangeList *changes = milter_session_changes(session);
    return changes != NULL ? change_list_count(changes) : 0;
}

static SessionAnswer
connect_and_greet(SessionWorld *world, const char *helo)
{
    milter_session_connect(world->session, "client.example", MILTER_FAMILY_INET, "192.0.2.7", 4711,
                           "smtp", "mx.example");
    return milter_session_helo(world->session, helo, NULL);
}

static int
set_up(void **state)
{
    SessionWorld *world = g_new0(SessionWorld, 1);
    session_world_open(world);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    session_world_close(*state);
    g_free(*state);
    return 0;
}

static void
a_greeting_speaks_at_every_recipient(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"h\"; when = { helo = \"bad.example\"; }; " REFUSE("No such HELO."));
    MilterSession *session = world->session;
    assert_int_equal(connect_and_greet(world, "bad.example"), SESSION_CONTINUE);
    assert_int_equal(say_mail(session, "<s@sender.example>", FALSE, NULL, NULL), SESSION_CONTINUE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(say_rcpt(session, "<r@local.example>", NULL), SESSION_REPLY);
        assert_int_equal(milter_session_reply(session)->code, 550);
    }
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 2);
    const json_t *event = json_array_get(events, 0);
    assert_string_equal(text_of(event, "check"), "h");
    assert_string_equal(text_of(event, "stage"), "rcpt");
    assert_string_equal(text_of(event, "recipient"), "r@local.example");
    assert_string_equal(text_of(event, "sender"), "s@sender.example");
    json_decref(events);
}

static void
what_the_mta_refuses_is_only_watched(void **state)
{
    SessionWorld *world = *state;
    begin(world, "");
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    say_mail(session, "<s@sender.example>", FALSE, NULL, NULL);
    say_rcpt_refused(session, "<no@local.example>", "5.1.1",
                     "Recipient address rejected: User unknown in virtual mailbox table", NULL);
    say_rcpt_refused(session, "<no@local.example>", "5.1.1", "550 5.1.1 User unknown", "4Q1");
    say_rcpt_refused(session, "<no@local.example>", "5.1.1", "User unknown\r\n250 2.0.0 Ok", NULL);
    say_rcpt(session, "<yes@local.example>", "4Q1");
    /* Nothing is left to be asked: the message need not be read. */
    assert_int_equal(milter_session_data(session, "4Q1"), SESSION_ACCEPT);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *event = json_array_get(events, i);
        assert_string_equal(text_of(event, "category"), "user-unknown");
        assert_string_equal(text_of(json_object_get(event, "original"), "status"), "5.1.1");
        assert_false(json_is_true(json_object_get(event, "changed")));
    }
    assert_null(json_object_get(json_array_get(events, 0), "queue_id"));
    assert_string_equal(text_of(json_array_get(events, 1), "queue_id"), "4Q1");
    json_decref(events);
}

static void
the_mtas_own_mail_is_never_touched(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"all\"; when = { client = \"0.0.0.0/0\"; }; " REFUSE("Nobody."));
    MilterSession *session = world->session;
    milter_session_connect(session, "localhost", MILTER_FAMILY_INET, "127.0.0.1", 0, "mx.example",
                           "mx.example");
    milter_session_helo(session, "localhost", NULL);
    say_mail(session, "", FALSE, NULL, "4Q2");
    assert_int_equal(say_rcpt(session, "s@sender.example", "4Q2"), SESSION_CONTINUE);
    /* It is read for the log. */
    assert_int_equal(milter_session_data(session, "4Q2"), SESSION_CONTINUE);
    assert_int_equal(milter_session_end_of_headers(session), SESSION_CONTINUE);
    assert_int_equal(milter_session_end_of_message(session, "4Q2"), SESSION_CONTINUE);
    /* Somebody's mail from the command line is not the MTA's own. */
    say_mail(session, "<>", FALSE, NULL, "4Q3");
    assert_int_equal(say_rcpt(session, "<r@local.example>", "4Q3"), SESSION_REPLY);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
}

/* A message up to its last header. */
static SessionAnswer
send_headers(MilterSession *session, const char *name, const char *value)
{
    say_mail(session, "<s@sender.example>", FALSE, NULL, "4Q4");
    say_rcpt(session, "<r@local.example>", "4Q4");
    assert_int_equal(milter_session_data(session, "4Q4"), SESSION_CONTINUE);
    milter_session_header(session, "From", " s@sender.example");
    milter_session_header(session, name, value);
    return milter_session_end_of_headers(session);
}

static void
a_header_is_refused_and_the_next_message_not(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"h\"; when = { header = \"X-Odd: *\"; }; " REFUSE("Not this."));
    connect_and_greet(world, "client.example");
    assert_int_equal(send_headers(world->session, "X-Odd", " yes"), SESSION_REPLY);
    /* Nothing is left to be asked: the body need not be sent. */
    assert_int_equal(send_headers(world->session, "X-Even", " yes"), SESSION_ACCEPT);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
}

static void
more_headers_than_the_limits_match_nothing(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"h\"; when = { header = \"X-Odd: *\"; }; " REFUSE("Not this."));
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    say_mail(session, "<s@sender.example>", FALSE, NULL, "4Q5");
    say_rcpt(session, "<r@local.example>", "4Q5");
    milter_session_data(session, "4Q5");
    for (int i = 0; i < 5000; i++)
        milter_session_header(session, "X-Many", " 1");
    milter_session_header(session, "X-Odd", " yes");
    assert_int_equal(milter_session_end_of_headers(session), SESSION_ACCEPT);
    /* The next message has room again. */
    assert_int_equal(send_headers(session, "X-Odd", " yes"), SESSION_REPLY);
    json_decref(session_world_end(world));
}

static void
the_size_counts_headers_and_body(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"s\"; when = { size = \">1000\"; }; " REFUSE("Too long for us."));
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    for (gsize octets = 900; octets <= 1000; octets += 100) {
        say_mail(session, "<s@sender.example>", FALSE, NULL, "4Q6");
        say_rcpt(session, "<r@local.example>", "4Q6");
        assert_int_equal(milter_session_data(session, "4Q6"), SESSION_CONTINUE);
        milter_session_header(session, "Subject", " hello");
        milter_session_end_of_headers(session);
        g_autofree char *content = g_strnfill(octets, 'x');
        milter_session_body(session, content, octets);
        assert_int_equal(milter_session_end_of_message(session, "4Q6"),
                         octets == 1000 ? SESSION_REPLY : SESSION_CONTINUE);
    }
    json_decref(session_world_end(world));
}

static void
quarantine_and_discard_are_no_replies(void **state)
{
    SessionWorld *world = *state;
    begin(world,
          "{ name = \"q\"; when = { header = \"X-Q: *\"; }; then = { action = \"quarantine\"; }; },"
          "{ name = \"d\"; when = { header = \"X-D: *\"; }; then = { action = \"discard\"; }; }");
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    SessionAnswer quarantined = send_headers(session, "X-Q", " 1");
    if (quarantined == SESSION_CONTINUE)
        quarantined = milter_session_end_of_message(session, "4Q4");
    assert_int_equal(quarantined, SESSION_QUARANTINE);
    assert_string_equal(milter_session_reason(session), "q");
    assert_int_equal(send_headers(session, "X-D", " 1"), SESSION_DISCARD);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 2);
    json_decref(events);
}

/* ---- mail that reports ------------------------------------------------------------------------
 */

#define DSN_TYPE " multipart/report; report-type=delivery-status; boundary=b"
#define DSN_TEXT(recipients)                                                                       \
    "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"              \
    "--b\r\nContent-Type: message/delivery-status\r\n\r\n"                                         \
    "Reporting-MTA: dns; mx.far.example\r\n" recipients                                            \
    "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"                                         \
    "From: news@sender.example\r\nMessage-ID: <77@%s>\r\n\r\n--b--\r\n"
#define DSN_RECIPIENT(address, status, text)                                                       \
    "\r\nFinal-Recipient: rfc822; " address "\r\nAction: failed\r\nStatus: " status                \
    "\r\nDiagnostic-Code: smtp; " text "\r\n"
#define ONE_FAILED                                                                                 \
    DSN_RECIPIENT("jo@far.example", "5.1.1", "550 5.1.1 <jo@far.example>: no such user")

/* The headers and the body of a bounce, from DATA on. */
static void
send_bounce(MilterSession *session, const char *body, const char *original_host)
{
    g_auto(GStrv) parts = g_strsplit(body, "%s", 2);
    assert_int_equal(milter_session_data(session, "4Q7"), SESSION_CONTINUE);
    milter_session_header(session, "From", " MAILER-DAEMON@far.example (Mail Delivery System)");
    milter_session_header(session, "Subject", " Undelivered Mail Returned to Sender");
    milter_session_header(session, "MIME-Version", " 1.0");
    milter_session_header(session, "Content-Type", DSN_TYPE);
    milter_session_end_of_headers(session);
    g_autofree char *whole =
        g_strconcat(parts[0], parts[1] != NULL ? original_host : NULL, parts[1], NULL);
    gsize length = strlen(whole), half = length / 2;
    milter_session_body(session, whole, half);
    milter_session_body(session, whole + half, length - half);
}

static SessionAnswer
bounce_to(MilterSession *session, const char *recipient, const char *body)
{
    say_mail(session, "<>", FALSE, NULL, "4Q7");
    say_rcpt(session, recipient, "4Q7");
    send_bounce(session, body, "far.example");
    return milter_session_end_of_message(session, "4Q7");
}

static void
a_bounce_is_told_of_and_let_be(void **state)
{
    SessionWorld *world = *state;
    begin(world, "");
    connect_and_greet(world, "client.example");
    assert_int_equal(bounce_to(world->session, "<news@local.example>", DSN_TEXT(ONE_FAILED)),
                     SESSION_CONTINUE);
    assert_int_equal(change_count(world->session), 0);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 1);
    const json_t *event = json_array_get(events, 0);
    assert_string_equal(text_of(event, "event"), "failure");
    assert_string_equal(text_of(event, "door"), "milter");
    assert_string_equal(text_of(event, "queue_id"), "4Q7");
    assert_string_equal(text_of(event, "recipient"), "jo@far.example");
    assert_string_equal(text_of(event, "category"), "user-unknown");
    assert_string_equal(text_of(event, "action"), "review");
    assert_string_equal(text_of(event, "proof"), "none");
    assert_string_equal(text_of(event, "reporting_mta"), "mx.far.example");
    assert_string_equal(text_of(event, "message_id"), "77@far.example");
    assert_string_equal(text_of(json_object_get(event, "original"), "status"), "5.1.1");
    assert_null(json_object_get(event, "incomplete"));
    json_decref(events);
}

static void
a_proof_makes_it_worth_acting_on(void **state)
{
    static const struct {
        const char *recipient, *original_host, *proof, *action;
    } cases[] = {
        {"<news@local.example>", "far.example", "none", "review"},
        {"<news@local.example>", "mx.example", "message-id", "suppress"},
        {"<bounces+jo=far.example@local.example>", "far.example", "verp", "suppress"},
        {"<bounces+eve=far.example@local.example>", "far.example", "none", "review"},
    };
    SessionWorld *world = *state;
    begin(world, "# bounces = { recipients = \"bounces@*\"; };");
    connect_and_greet(world, "client.example");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        say_mail(world->session, "<>", FALSE, NULL, "4Q7");
        say_rcpt(world->session, cases[i].recipient, "4Q7");
        send_bounce(world->session, DSN_TEXT(ONE_FAILED), cases[i].original_host);
        milter_session_end_of_message(world->session, "4Q7");
    }
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), G_N_ELEMENTS(cases));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_string_equal(text_of(json_array_get(events, i), "proof"), cases[i].proof);
        assert_string_equal(text_of(json_array_get(events, i), "action"), cases[i].action);
    }
    json_decref(events);
}

static void
each_recipient_has_an_event(void **state)
{
    SessionWorld *world = *state;
    begin(world, "# classify = { rules = ( { category = \"policy\"; text = \"*odd*\"; } ); };");
    connect_and_greet(world, "client.example");
    bounce_to(
        world->session, "<news@local.example>",
        DSN_TEXT(ONE_FAILED DSN_RECIPIENT("eve@far.example", "5.2.2", "552 5.2.2 mailbox full")
                     DSN_RECIPIENT("odd@far.example", "5.1.1", "550 5.1.1 odd")));
    const Policy *policy = milter_session_policy(world->session);
    assert_int_equal(policy_site_rule_hits(policy, 0), 1);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 3);
    assert_string_equal(text_of(json_array_get(events, 0), "category"), "user-unknown");
    assert_string_equal(text_of(json_array_get(events, 1), "category"), "mailbox-full");
    assert_string_equal(text_of(json_array_get(events, 2), "category"), "policy");
    assert_string_equal(text_of(json_object_get(json_array_get(events, 2), "evidence"), "rule"),
                        "site:1");
    json_decref(events);
}

static void
other_mail_is_not_read(void **state)
{
    static const struct {
        const char *sender, *recipient;
        SessionAnswer answer;
    } cases[] = {
        {"<s@sender.example>", "<r@local.example>", SESSION_ACCEPT},
        {"<>", "<r@local.example>", SESSION_CONTINUE},
        {"<s@sender.example>", "<fbl@local.example>", SESSION_CONTINUE},
        {"<s@sender.example>", "<FBL+x=y.example@local.example>", SESSION_CONTINUE},
        {"<s@sender.example>", "<fbl+x@local.example>", SESSION_ACCEPT},
    };
    SessionWorld *world = *state;
    begin(world, "# bounces = { recipients = [ \"fbl@*\", \"!fbl@else.example\" ]; };");
    connect_and_greet(world, "client.example");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        say_mail(world->session, cases[i].sender, FALSE, NULL, "4Q8");
        say_rcpt(world->session, cases[i].recipient, "4Q8");
        assert_int_equal(milter_session_data(world->session, "4Q8"), cases[i].answer);
    }
    json_decref(session_world_end(world));
}

/* Each header as "Name: value", and each to be removed as "Name[index]", one a line. */
static char *
changes_of(const MilterSession *session)
{
    /* They are told from the last to the first, what goes before what comes. */
    static const ChangeKind kinds[] = {CHANGE_DELETE_HEADER, CHANGE_INSERT_HEADER};
    const ChangeList *changes = milter_session_changes(session);
    GString *lines = g_string_new(NULL);
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (guint i = change_count(session); i > 0; i--) {
            const Change *one = change_list_get(changes, i - 1);
            if (one->kind != kinds[k])
                continue;
            if (one->kind == CHANGE_DELETE_HEADER)
                g_string_append_printf(lines, "-%s[%u]\n", one->name, one->index);
            else
                g_string_append_printf(lines, "+%s:%s\n", one->name, one->value);
        }
    }
    return g_string_free(lines, FALSE);
}

static void
a_bounce_is_tagged_in_our_name_only(void **state)
{
    SessionWorld *world = *state;
    MilterSession *session;
    begin(world, "# bounces = { tag = true; };");
    session = world->session;
    connect_and_greet(world, "client.example");
    say_mail(session, "<>", FALSE, NULL, "4Q7");
    say_rcpt(session, "<news@local.example>", "4Q7");
    assert_int_equal(milter_session_data(session, "4Q7"), SESSION_CONTINUE);
    milter_session_header(session, "X-Bounce-Category", " other.example; user-unknown");
    milter_session_header(session, "x-bounce-category", " (really) MX.example; user-unknown");
    milter_session_header(session, "X-Bounce-Action", " mx.example; suppress");
    milter_session_header(session, "X-Bounce-Category", " mx.example; spam");
    milter_session_header(session, "X-Bounced", " mx.example; spam");
    milter_session_end_of_headers(session);
    milter_session_body(session, "Hello.\r\n", 8);
    assert_int_equal(milter_session_end_of_message(session, "4Q7"), SESSION_CONTINUE);
    g_autofree char *removed = changes_of(session);
    /* Nothing is reported; what is forged goes all the same. */
    assert_string_equal(removed, "-X-Bounce-Category[2]\n-X-Bounce-Action[1]\n"
                                 "-X-Bounce-Category[3]\n");
    bounce_to(session, "<news@local.example>", DSN_TEXT(ONE_FAILED));
    g_autofree char *added = changes_of(session);
    assert_string_equal(added, "+X-Bounce-Kind: mx.example; failure\n"
                               "+X-Bounce-Category: mx.example; user-unknown\n"
                               "+X-Bounce-Action: mx.example; review\n"
                               "+X-Bounce-Recipient: mx.example; jo@far.example\n"
                               "+X-Bounce-Status: mx.example; 5.1.1\n");
    /* Nothing is left for the next message. */
    say_mail(session, "<s@sender.example>", FALSE, NULL, "4Q8");
    assert_int_equal(change_count(session), 0);
    json_decref(session_world_end(world));
}

static void
only_so_many_recipients_are_tagged(void **state)
{
    SessionWorld *world = *state;
    g_autoptr(GString) recipients = g_string_new(NULL);
    for (int i = 0; i < 50; i++)
        g_string_append_printf(
            recipients, DSN_RECIPIENT("jo%d@far.example", "5.1.1", "550 5.1.1 no such user"), i);
    g_auto(GStrv) around = g_strsplit(DSN_TEXT("|"), "|", 2);
    g_autofree char *body = g_strconcat(around[0], recipients->str, around[1], NULL);
    begin(world, "# bounces = { tag = true; };");
    connect_and_greet(world, "client.example");
    bounce_to(world->session, "<news@local.example>", body);
    assert_int_equal(change_count(world->session), 5 * REPORT_HEADERS_RECIPIENTS);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 50);
    json_decref(events);
}

static void
the_mtas_own_bounce_is_told_of_and_never_touched(void **state)
{
    SessionWorld *world = *state;
    MilterSession *session;
    begin(world, "{ name = \"all\"; when = { kind = \"*\"; }; " REFUSE(
                     "No.") ","
                            "{ name = \"cat\"; when = { category = \"*\"; }; then = { action = "
                            "\"discard\"; }; }"
                            "# bounces = { tag = true; };");
    session = world->session;
    milter_session_connect(session, "localhost", MILTER_FAMILY_INET, "127.0.0.1", 0, "mx.example",
                           "mx.example");
    milter_session_helo(session, "localhost", NULL);
    say_mail(session, "", FALSE, NULL, "4Q9");
    say_rcpt(session, "news@sender.example", "4Q9");
    send_bounce(session, DSN_TEXT(ONE_FAILED), "far.example");
    milter_session_header(session, "X-Bounce-Category", " mx.example; spam");
    assert_int_equal(milter_session_end_of_message(session, "4Q9"), SESSION_CONTINUE);
    assert_int_equal(change_count(session), 0);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 1);
    const json_t *event = json_array_get(events, 0);
    assert_string_equal(text_of(event, "event"), "failure");
    assert_string_equal(text_of(event, "proof"), "own-mta");
    assert_string_equal(text_of(event, "action"), "suppress");
    json_decref(events);
}

static void
checks_ask_what_is_reported(void **state)
{
    static const struct {
        const char *when;
        SessionAnswer bounce, plain, unread;
    } cases[] = {
        {"kind = \"failure\";", SESSION_REPLY, SESSION_CONTINUE, SESSION_ACCEPT},
        {"kind = \"delay\";", SESSION_CONTINUE, SESSION_CONTINUE, SESSION_ACCEPT},
        {"kind = \"not-a-bounce\";", SESSION_CONTINUE, SESSION_REPLY, SESSION_ACCEPT},
        {"kind = \"!delay\";", SESSION_REPLY, SESSION_REPLY, SESSION_ACCEPT},
        {"category = \"user-unknown\";", SESSION_REPLY, SESSION_CONTINUE, SESSION_ACCEPT},
        {"category = \"mailbox-full\";", SESSION_REPLY, SESSION_CONTINUE, SESSION_ACCEPT},
        {"category = \"spam\";", SESSION_CONTINUE, SESSION_CONTINUE, SESSION_ACCEPT},
        {"category = \"!mailbox-full\";", SESSION_CONTINUE, SESSION_CONTINUE, SESSION_ACCEPT},
        {"category = \"user-unknown\"; direction = \"outbound\";", SESSION_CONTINUE,
         SESSION_CONTINUE, SESSION_ACCEPT},
    };
    SessionWorld *world = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *checks =
            g_strdup_printf("{ name = \"c\"; when = { %s }; " REFUSE("No."), cases[i].when);
        begin(world, checks);
        MilterSession *session = world->session;
        connect_and_greet(world, "client.example");
        SessionAnswer answer =
            bounce_to(session, "<news@local.example>",
                      DSN_TEXT(ONE_FAILED DSN_RECIPIENT("eve@far.example", "5.2.2",
                                                        "552 5.2.2 mailbox full")));
        if (answer != cases[i].bounce)
            fail_msg("%s: a bounce gets %d", cases[i].when, answer);
        say_mail(session, "<>", FALSE, NULL, "4QA");
        say_rcpt(session, "<r@local.example>", "4QA");
        assert_int_equal(milter_session_data(session, "4QA"), SESSION_CONTINUE);
        milter_session_header(session, "Subject", " Hello");
        milter_session_body(session, "Hello.\r\n", 8);
        answer = milter_session_end_of_message(session, "4QA");
        if (answer != cases[i].plain)
            fail_msg("%s: a plain mail gets %d", cases[i].when, answer);
        say_mail(session, "<s@sender.example>", FALSE, NULL, "4QB");
        say_rcpt(session, "<r@local.example>", "4QB");
        assert_int_equal(milter_session_data(session, "4QB"), cases[i].unread);
        json_decref(session_world_end(world));
        g_remove(world->events);
    }
}

/* The first octets tell what it is, or they do not. */
static void
a_long_report_says_so(void **state)
{
    SessionWorld *world = *state;
    g_autofree char *filler = g_strnfill(5000, 'x');
    g_autofree char *behind = g_strconcat(DSN_TEXT(ONE_FAILED), filler, NULL);
    g_autofree char *before = g_strconcat(filler, "\r\n", DSN_TEXT(ONE_FAILED), NULL);
    begin(world, "# bounces = { max_body = 1200; tag = true; };");
    connect_and_greet(world, "client.example");
    bounce_to(world->session, "<news@local.example>", behind);
    g_autofree char *tagged = changes_of(world->session);
    assert_non_null(strstr(tagged, "+X-Bounce-Category: mx.example; user-unknown\n"));
    MilterSession *session = world->session;
    say_mail(session, "<>", FALSE, NULL, "4QC");
    say_rcpt(session, "<r@local.example>", "4QC");
    milter_session_data(session, "4QC");
    milter_session_header(session, "Subject", " Hello");
    milter_session_body(session, before, strlen(before));
    milter_session_end_of_message(session, "4QC");
    g_autofree char *untagged = changes_of(session);
    assert_string_equal(untagged, "");
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "failure");
    assert_string_equal(text_of(json_array_get(events, 0), "incomplete"), "max_body");
    assert_string_equal(text_of(json_array_get(events, 1), "event"), "unread");
    assert_string_equal(text_of(json_array_get(events, 1), "incomplete"), "max_body");
    json_decref(events);
}

/* One such mail, kept and read, fits into 1 MiB; four, kept, nearly fill it. */
enum { FILLER = 250 * 1024 };

/* A session of another client that keeps so much of a mail. */
static MilterSession *
busy_session(SessionWorld *world, const char *filler)
{
    MilterSession *session = milter_session_new(&world->context, NULL);
    milter_session_connect(session, "client.example", MILTER_FAMILY_INET, "192.0.2.8", 4712, "smtp",
                           "mx.example");
    say_mail(session, "<>", FALSE, NULL, "4QD");
    say_rcpt(session, "<r@local.example>", "4QD");
    assert_int_equal(milter_session_data(session, "4QD"), SESSION_CONTINUE);
    milter_session_body(session, filler, strlen(filler));
    return session;
}

/* What one session keeps is missing for the others, until its message is over. */
static void
without_memory_it_goes_on_unread(void **state)
{
    SessionWorld *world = *state;
    begin(world, "{ name = \"c\"; when = { kind = \"!delay\"; }; " REFUSE(
                     "No.") "# limits = { memory = \"1M\"; };");
    g_autofree char *filler = g_strnfill(FILLER, 'x');
    MilterSession *first = busy_session(world, filler);
    connect_and_greet(world, "client.example");
    g_autofree char *long_body = g_strconcat(DSN_TEXT(ONE_FAILED), filler, NULL);
    assert_int_equal(bounce_to(world->session, "<news@local.example>", long_body),
                     SESSION_CONTINUE);
    milter_session_free(first);
    assert_int_equal(bounce_to(world->session, "<news@local.example>", long_body), SESSION_REPLY);
    json_t *events = session_world_end(world);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "unread");
    assert_string_equal(text_of(json_array_get(events, 0), "incomplete"), "memory");
    assert_string_equal(text_of(json_array_get(events, 1), "event"), "failure");
    assert_null(json_object_get(json_array_get(events, 1), "incomplete"));
    json_decref(events);
}

/* Where memory is used up while a mail comes, and not any more when it is read. */
static void
a_file_keeps_what_memory_does_not(void **state)
{
    SessionWorld *world = *state;
    MilterSession *others[4];
    begin(world, "# limits = { memory = \"1M\"; };");
    g_autofree char *filler = g_strnfill(FILLER, 'x');
    g_autofree char *long_body = g_strconcat(DSN_TEXT(ONE_FAILED), filler, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        others[i] = busy_session(world, filler);
    connect_and_greet(world, "client.example");
    say_mail(world->session, "<>", FALSE, NULL, "4Q7");
    say_rcpt(world->session, "<news@local.example>", "4Q7");
    send_bounce(world->session, long_body, "far.example");
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        milter_session_free(others[i]);
    assert_int_equal(milter_session_end_of_message(world->session, "4Q7"), SESSION_CONTINUE);
    json_t *events = session_world_end(world);
    assert_int_equal(json_array_size(events), 1);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "failure");
    assert_null(json_object_get(json_array_get(events, 0), "incomplete"));
    json_decref(events);
}

static void
endless_headers_are_cut(void **state)
{
    SessionWorld *world = *state;
    begin(world, "# bounces = { tag = true; };");
    MilterSession *session = world->session;
    g_autofree char *filler = g_strnfill(60000, 'x');
    connect_and_greet(world, "client.example");
    say_mail(session, "<>", FALSE, NULL, "4QE");
    say_rcpt(session, "<r@local.example>", "4QE");
    milter_session_data(session, "4QE");
    for (int i = 0; i < 20; i++)
        milter_session_header(session, "X-Long", filler);
    for (int i = 0; i < FORGED_HEADERS_MAX + 5; i++)
        milter_session_header(session, "X-Bounce-Kind", " mx.example; x");
    milter_session_end_of_message(session, "4QE");
    assert_int_equal(change_count(session), FORGED_HEADERS_MAX);
    json_t *events = session_world_end(world);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "unread");
    assert_string_equal(text_of(json_array_get(events, 0), "incomplete"), "limits");
    json_decref(events);
}

/* What the MTA is asked for, by policy: steps that must be there, and must not. */
#define NO_REPORTS "# bounces = { max_body = 0; };"

static void
only_what_is_needed_is_asked_for(void **state)
{
    static const struct {
        const char *checks;
        unsigned long with, without;
    } cases[] = {
        {"",
         SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_BODY |
             SMFIP_NR_EOH | SMFIP_RCPT_REJ,
         SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NOHDRS | SMFIP_NOBODY | SMFIP_NOEOH},
        {"# bounces = { max_body = 0; };",
         SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
             SMFIP_RCPT_REJ,
         SMFIP_NR_RCPT | SMFIP_NR_DATA},
        {"{ name = \"r\"; when = { recipient = \"x@y\"; }; " REFUSE("No.") NO_REPORTS,
         SMFIP_NR_MAIL | SMFIP_NOHDRS | SMFIP_NOBODY, SMFIP_NR_RCPT},
        {"{ name = \"m\"; when = { sender = \"x@y\"; }; " REFUSE("No.") NO_REPORTS,
         SMFIP_NOHDRS | SMFIP_NOBODY, SMFIP_NR_MAIL},
        {"{ name = \"h\"; when = { header = \"X: *\"; }; " REFUSE("No.") NO_REPORTS,
         SMFIP_NOBODY | SMFIP_NR_HDR, SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NR_EOH},
        {"{ name = \"s\"; when = { size = \">1M\"; }; " REFUSE("No.") NO_REPORTS, SMFIP_NR_BODY,
         SMFIP_NOBODY | SMFIP_NOHDRS},
    };
    SessionWorld *world = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Policy) policy = load(world, cases[i].checks);
        unsigned long steps = milter_needs_steps(policy_needs(policy), 0x1fffff);
        assert_int_equal(steps & cases[i].with, cases[i].with);
        assert_int_equal(steps & cases[i].without, 0);
        /* An MTA of old times is asked for nothing that it does not know. */
        assert_int_equal(milter_needs_steps(policy_needs(policy), 0x7f) & ~0x7ful, 0);
        assert_int_equal(milter_needs_actions(policy_needs(policy), 0), 0);
    }
}

static void
headers_are_changed_only_where_the_policy_says_so(void **state)
{
    static const struct {
        const char *policy;
        unsigned long actions;
    } cases[] = {
        {"", 0},
        {"# bounces = { tag = true; };", SMFIF_ADDHDRS | SMFIF_CHGHDRS},
    };
    SessionWorld *world = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Policy) policy = load(world, cases[i].policy);
        assert_int_equal(milter_needs_actions(policy_needs(policy), 0x1ff),
                         cases[i].actions | SMFIF_SETSYMLIST);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_greeting_speaks_at_every_recipient),
        TEST(what_the_mta_refuses_is_only_watched),
        TEST(the_mtas_own_mail_is_never_touched),
        TEST(a_header_is_refused_and_the_next_message_not),
        TEST(more_headers_than_the_limits_match_nothing),
        TEST(the_size_counts_headers_and_body),
        TEST(quarantine_and_discard_are_no_replies),
        TEST(a_bounce_is_told_of_and_let_be),
        TEST(a_proof_makes_it_worth_acting_on),
        TEST(each_recipient_has_an_event),
        TEST(other_mail_is_not_read),
        TEST(a_bounce_is_tagged_in_our_name_only),
        TEST(only_so_many_recipients_are_tagged),
        TEST(the_mtas_own_bounce_is_told_of_and_never_touched),
        TEST(checks_ask_what_is_reported),
        TEST(a_long_report_says_so),
        TEST(without_memory_it_goes_on_unread),
        TEST(a_file_keeps_what_memory_does_not),
        TEST(endless_headers_are_cut),
        TEST(only_what_is_needed_is_asked_for),
        TEST(headers_are_changed_only_where_the_policy_says_so),
    };
    mime_view_init();
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
