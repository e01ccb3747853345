/*
 * server/milter_session and server/milter_needs: sessions played without an MTA.
 *
 * Each test has a policy of its own in a temporary folder, and reads the event log that it made.
 */
#include <glib/gstdio.h>
#include <jansson.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <string.h>

#include "test_support.h"

#include "server/milter_needs.h"
#include "server/milter_session.h"

typedef struct {
    char *folder, *events;
    Classifier *classifier;
    DoorContext context;
    MilterSession *session;
} World;

#define REFUSE(text) "then = { code = 550; status = \"5.7.1\"; text = \"" text "\"; }; }"

static Policy *
load(World *world, const char *checks)
{
    g_autofree char *path = g_build_filename(world->folder, "policy.conf", NULL);
    g_autofree char *text = g_strdup_printf("milter = { socket = \"unix:%s/milter.sock\"; };\n"
                                            "log = { events = \"%s\"; };\n"
                                            "checks = ( %s );\n",
                                            world->folder, world->events, checks);
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    assert_true(
        g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, NULL));
    Policy *policy = policy_load(path, world->classifier, problems, NULL);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(problems, i));
        print_message("%s\n", line);
    }
    assert_non_null(policy);
    return policy;
}

static void
begin(World *world, const char *checks)
{
    Policy *policy = load(world, checks);
    world->context.events = event_log_open(policy_settings(policy), NULL);
    assert_non_null(world->context.events);
    world->context.joins = joins_new();
    world->context.policies = policy_holder_new(policy);
    world->session = milter_session_new(&world->context);
}

/* Ends the session and returns the events, an array. */
static json_t *
end(World *world)
{
    milter_session_free(world->session);
    event_log_close(world->context.events, G_USEC_PER_SEC);
    joins_free(world->context.joins);
    policy_holder_free(world->context.policies);
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(world->events, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(g_strstrip(text), "\n", -1);
    json_t *events = json_array();
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        json_t *event = json_loads(*line, 0, NULL);
        assert_non_null(event);
        json_array_append_new(events, event);
    }
    return events;
}

static const char *
text_of(const json_t *event, const char *key)
{
    return json_string_value(json_object_get(event, key));
}

static SessionAnswer
connect_and_greet(World *world, const char *helo)
{
    milter_session_connect(world->session, "client.example", "192.0.2.7", 4711, "smtp",
                           "mx.example");
    return milter_session_helo(world->session, helo, NULL);
}

static int
set_up(void **state)
{
    World *world = g_new0(World, 1);
    world->folder = g_dir_make_tmp("replymilter-session-XXXXXX", NULL);
    world->events = g_build_filename(world->folder, "events.jsonl", NULL);
    world->classifier = classifier_new(NULL);
    assert_non_null(world->classifier);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    World *world = *state;
    g_autofree char *policy = g_build_filename(world->folder, "policy.conf", NULL);
    g_remove(policy);
    g_remove(world->events);
    g_rmdir(world->folder);
    classifier_unref(world->classifier);
    g_free(world->events);
    g_free(world->folder);
    g_free(world);
    return 0;
}

static void
a_greeting_speaks_at_every_recipient(void **state)
{
    World *world = *state;
    begin(world, "{ name = \"h\"; when = { helo = \"bad.example\"; }; " REFUSE("No such HELO."));
    MilterSession *session = world->session;
    assert_int_equal(connect_and_greet(world, "bad.example"), SESSION_CONTINUE);
    assert_int_equal(milter_session_mail(session, "<s@sender.example>", FALSE, NULL, NULL),
                     SESSION_CONTINUE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(milter_session_rcpt(session, "<r@local.example>", NULL), SESSION_REPLY);
        assert_int_equal(milter_session_reply(session)->code, 550);
    }
    json_t *events = end(world);
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
    World *world = *state;
    begin(world, "");
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    milter_session_mail(session, "<s@sender.example>", FALSE, NULL, NULL);
    milter_session_rcpt_refused(session, "<no@local.example>", "5.1.1",
                                "Recipient address rejected: User unknown in virtual mailbox table",
                                NULL);
    milter_session_rcpt_refused(session, "<no@local.example>", "5.1.1", "550 5.1.1 User unknown",
                                "4Q1");
    milter_session_rcpt_refused(session, "<no@local.example>", "5.1.1",
                                "User unknown\r\n250 2.0.0 Ok", NULL);
    milter_session_rcpt(session, "<yes@local.example>", "4Q1");
    /* Nothing is left to be asked: the message need not be read. */
    assert_int_equal(milter_session_data(session, "4Q1"), SESSION_ACCEPT);
    json_t *events = end(world);
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
    World *world = *state;
    begin(world, "{ name = \"all\"; when = { client = \"0.0.0.0/0\"; }; " REFUSE("Nobody."));
    MilterSession *session = world->session;
    milter_session_connect(session, "localhost", "127.0.0.1", 0, "mx.example", "mx.example");
    milter_session_helo(session, "localhost", NULL);
    milter_session_mail(session, "", FALSE, NULL, "4Q2");
    assert_int_equal(milter_session_rcpt(session, "s@sender.example", "4Q2"), SESSION_CONTINUE);
    assert_int_equal(milter_session_data(session, "4Q2"), SESSION_ACCEPT);
    /* Somebody's mail from the command line is not the MTA's own. */
    milter_session_mail(session, "<>", FALSE, NULL, "4Q3");
    assert_int_equal(milter_session_rcpt(session, "<r@local.example>", "4Q3"), SESSION_REPLY);
    json_t *events = end(world);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
}

/* A message up to its last header. */
static SessionAnswer
send_headers(MilterSession *session, const char *name, const char *value)
{
    milter_session_mail(session, "<s@sender.example>", FALSE, NULL, "4Q4");
    milter_session_rcpt(session, "<r@local.example>", "4Q4");
    assert_int_equal(milter_session_data(session, "4Q4"), SESSION_CONTINUE);
    milter_session_header(session, "From", " s@sender.example");
    milter_session_header(session, name, value);
    return milter_session_end_of_headers(session);
}

static void
a_header_is_refused_and_the_next_message_not(void **state)
{
    World *world = *state;
    begin(world, "{ name = \"h\"; when = { header = \"X-Odd: *\"; }; " REFUSE("Not this."));
    connect_and_greet(world, "client.example");
    assert_int_equal(send_headers(world->session, "X-Odd", " yes"), SESSION_REPLY);
    /* Nothing is left to be asked: the body need not be sent. */
    assert_int_equal(send_headers(world->session, "X-Even", " yes"), SESSION_ACCEPT);
    json_t *events = end(world);
    assert_int_equal(json_array_size(events), 1);
    json_decref(events);
}

static void
more_headers_than_the_limits_match_nothing(void **state)
{
    World *world = *state;
    begin(world, "{ name = \"h\"; when = { header = \"X-Odd: *\"; }; " REFUSE("Not this."));
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    milter_session_mail(session, "<s@sender.example>", FALSE, NULL, "4Q5");
    milter_session_rcpt(session, "<r@local.example>", "4Q5");
    milter_session_data(session, "4Q5");
    for (int i = 0; i < 5000; i++)
        milter_session_header(session, "X-Many", " 1");
    milter_session_header(session, "X-Odd", " yes");
    assert_int_equal(milter_session_end_of_headers(session), SESSION_ACCEPT);
    /* The next message has room again. */
    assert_int_equal(send_headers(session, "X-Odd", " yes"), SESSION_REPLY);
    json_decref(end(world));
}

static void
the_size_counts_headers_and_body(void **state)
{
    World *world = *state;
    begin(world, "{ name = \"s\"; when = { size = \">1000\"; }; " REFUSE("Too long for us."));
    MilterSession *session = world->session;
    connect_and_greet(world, "client.example");
    for (gsize octets = 900; octets <= 1000; octets += 100) {
        milter_session_mail(session, "<s@sender.example>", FALSE, NULL, "4Q6");
        milter_session_rcpt(session, "<r@local.example>", "4Q6");
        assert_int_equal(milter_session_data(session, "4Q6"), SESSION_CONTINUE);
        milter_session_header(session, "Subject", " hello");
        milter_session_end_of_headers(session);
        milter_session_body(session, octets);
        assert_int_equal(milter_session_end_of_message(session, "4Q6"),
                         octets == 1000 ? SESSION_REPLY : SESSION_CONTINUE);
    }
    json_decref(end(world));
}

static void
quarantine_and_discard_are_no_replies(void **state)
{
    World *world = *state;
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
    json_t *events = end(world);
    assert_int_equal(json_array_size(events), 2);
    json_decref(events);
}

/* What the MTA is asked for, by policy: steps that must be there, and must not. */
static void
only_what_is_needed_is_asked_for(void **state)
{
    static const struct {
        const char *checks;
        unsigned long with, without;
    } cases[] = {
        {"",
         SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
             SMFIP_RCPT_REJ,
         SMFIP_NR_RCPT | SMFIP_NR_DATA},
        {"{ name = \"r\"; when = { recipient = \"x@y\"; }; " REFUSE("No."),
         SMFIP_NR_MAIL | SMFIP_NOHDRS | SMFIP_NOBODY, SMFIP_NR_RCPT},
        {"{ name = \"m\"; when = { sender = \"x@y\"; }; " REFUSE("No."),
         SMFIP_NOHDRS | SMFIP_NOBODY, SMFIP_NR_MAIL},
        {"{ name = \"h\"; when = { header = \"X: *\"; }; " REFUSE("No."),
         SMFIP_NOBODY | SMFIP_NR_HDR, SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NR_EOH},
        {"{ name = \"s\"; when = { size = \">1M\"; }; " REFUSE("No."), SMFIP_NR_BODY,
         SMFIP_NOBODY | SMFIP_NOHDRS},
    };
    World *world = *state;
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
        TEST(only_what_is_needed_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
