/*
 * engine/check_run: at which point of a session a check speaks.
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/check_run.h"

#define CHECK(name, when, then)                                                                    \
    "{ name = \"" name "\"; when = { " when " }; then = { text = \"Refused by " name ".\"; " then  \
    " }; }"

static const EngineMoment moment = {.now_us = 0, .random = 0};

typedef struct {
    Policy *policy;
    CheckRun *run;
    Facts facts;
    char *said; /* name of the check that spoke last; NULL: none */
    char *reply;
} Session;

static void
session_begin(Session *session, const char *checks)
{
    g_autofree char *text = g_strdup_printf("checks = ( %s );", checks);
    *session = (Session){.policy = policy_from(text)};
    session->run = check_run_new(session->policy);
    facts_init(&session->facts, DOOR_MILTER);
    facts_set(&session->facts, FACT_CLIENT, "198.51.100.7");
    facts_set(&session->facts, FACT_CLIENT_NAME, "unknown");
}

static void
session_end(Session *session)
{
    g_free(session->said);
    g_free(session->reply);
    check_run_free(session->run);
    facts_clear(&session->facts);
    policy_unref(session->policy);
}

/* The name of the check that speaks at this point, or NULL. */
static const char *
at(Session *session, CheckPoint point)
{
    Decision decision;
    decision_init(&decision);
    g_clear_pointer(&session->said, g_free);
    g_clear_pointer(&session->reply, g_free);
    session->facts.stage = check_point_stage(point);
    if (check_run_at(session->run, point, &session->facts, &moment, &decision)) {
        session->said = g_strdup(decision.check);
        session->reply = decision.final == NULL ? NULL : smtp_reply_to_wire(decision.final);
    } else {
        assert_null(decision.check);
    }
    decision_clear(&decision);
    return session->said;
}

static const char *
helo(Session *session, const char *name)
{
    facts_set(&session->facts, FACT_HELO, name);
    return at(session, CHECK_POINT_HELO);
}

static const char *
mail(Session *session, const char *sender)
{
    check_run_begin_message(session->run);
    facts_set(&session->facts, FACT_RECIPIENT, NULL);
    facts_set(&session->facts, FACT_SENDER, sender);
    facts_set(&session->facts, FACT_AUTH_USER, "");
    return at(session, CHECK_POINT_MAIL);
}

/* A recipient that no check refuses is accepted. */
static const char *
rcpt(Session *session, const char *recipient)
{
    facts_set(&session->facts, FACT_RECIPIENT, recipient);
    const char *said = at(session, CHECK_POINT_RCPT);
    if (said == NULL)
        check_run_accept_recipient(session->run, recipient);
    facts_set(&session->facts, FACT_RECIPIENT, NULL);
    return said;
}

static const char *
headers(Session *session, const char *header)
{
    session->facts.headers = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(session->facts.headers, g_strdup(header));
    const char *said = at(session, CHECK_POINT_HEADERS);
    g_clear_pointer(&session->facts.headers, g_ptr_array_unref);
    return said;
}

static void
early_matches_speak_at_every_rcpt(void **state)
{
    Session session;
    (void)state;
    session_begin(&session, CHECK("bad-helo", "helo = \"localhost\";", ""));
    assert_null(at(&session, CHECK_POINT_CONNECT));
    assert_null(helo(&session, "localhost"));
    assert_null(mail(&session, "a@b.example"));
    assert_string_equal(rcpt(&session, "x@example.net"), "bad-helo");
    assert_string_equal(session.reply, "550 5.7.1 Refused by bad-helo.");
    assert_string_equal(rcpt(&session, "y@example.net"), "bad-helo");
    assert_null(mail(&session, "a@b.example"));
    assert_string_equal(rcpt(&session, "x@example.net"), "bad-helo");
    assert_null(helo(&session, "mx.b.example"));
    assert_null(mail(&session, "a@b.example"));
    assert_null(rcpt(&session, "x@example.net"));
    assert_false(check_run_wants_message(session.run, CHECK_POINT_DATA, FALSE));
    session_end(&session);
}

static void
at_once_speaks_at_once(void **state)
{
    Session session;
    (void)state;
    session_begin(&session, CHECK("client", "client = \"198.51.100.0/24\";", "at_once = true;"));
    assert_string_equal(at(&session, CHECK_POINT_CONNECT), "client");
    session_end(&session);
}

static void
first_check_that_matches_decides(void **state)
{
    Session session;
    (void)state;
    session_begin(
        &session,
        CHECK("one", "recipient = \"x@*\"; sender = \"none@*\";", "") "," CHECK(
            "two", "recipient = \"x@*\";",
            "code = 450; status = \"4.2.0\";") "," CHECK("three", "recipient = \"*\";", ""));
    assert_null(helo(&session, "mx.b.example"));
    assert_null(mail(&session, "a@b.example"));
    assert_string_equal(rcpt(&session, "x@example.net"), "two");
    assert_string_equal(session.reply, "450 4.2.0 Refused by two.");
    assert_string_equal(rcpt(&session, "y@example.net"), "three");
    session_end(&session);
}

static void
all_recipients_must_match(void **state)
{
    static const struct {
        const char *recipients[3];
        gboolean wanted, speaks;
    } cases[] = {
        {{"x@example.net"}, TRUE, TRUE},
        {{"x@example.net", "x@example.org"}, TRUE, TRUE},
        {{"x@example.net", "y@example.net"}, FALSE, FALSE},
        {{"y@example.net", "x@example.net"}, FALSE, FALSE},
        {{NULL}, FALSE, FALSE},
    };
    Session session;
    (void)state;
    session_begin(&session, CHECK("both", "recipient = \"x@*\"; header = \"X-Bad: *\";", ""));
    assert_null(helo(&session, "mx.b.example"));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_null(mail(&session, "a@b.example"));
        for (guint r = 0; r < G_N_ELEMENTS(cases[i].recipients); r++)
            if (cases[i].recipients[r] != NULL)
                assert_null(rcpt(&session, cases[i].recipients[r]));
        assert_null(at(&session, CHECK_POINT_DATA));
        assert_int_equal(check_run_wants_message(session.run, CHECK_POINT_DATA, FALSE),
                         cases[i].wanted);
        const char *said = headers(&session, "X-Bad: yes");
        if (said == NULL)
            said = at(&session, CHECK_POINT_EOM);
        assert_int_equal(said != NULL, cases[i].speaks);
    }
    session_end(&session);
}

/* The reply may name the recipient only where there was one. */
static void
one_recipient_has_a_name(void **state)
{
    Session session;
    (void)state;
    session_begin(&session,
                  "{ name = \"named\"; when = { recipient = \"x@*\"; header = \"X-Bad: *\"; };"
                  " then = { text = [ \"Not today.\", \"Not for %{recipient}.\" ]; }; }");
    for (guint count = 1; count <= 2; count++) {
        assert_null(mail(&session, "a@b.example"));
        for (guint i = 0; i < count; i++)
            assert_null(rcpt(&session, "x@example.net"));
        assert_string_equal(headers(&session, "X-Bad: yes"), "named");
        if (count == 1)
            assert_non_null(strstr(session.reply, "Not for x@example.net."));
        else
            assert_null(strstr(session.reply, "Not for"));
    }
    session_end(&session);
}

static void
unread_where_nothing_can_speak(void **state)
{
    Session session;
    (void)state;
    session_begin(&session,
                  CHECK("header", "header = \"X-Bad: *\"; sender = \"*@b.example\";", ""));
    assert_null(at(&session, CHECK_POINT_CONNECT));
    assert_null(helo(&session, "mx.b.example"));
    assert_null(mail(&session, "a@c.example"));
    assert_null(rcpt(&session, "x@example.net"));
    assert_false(
        check_run_wants_message(session.run, CHECK_POINT_DATA, FALSE)); /* another sender */
    assert_null(mail(&session, "a@b.example"));
    assert_null(rcpt(&session, "x@example.net"));
    assert_true(check_run_wants_message(session.run, CHECK_POINT_DATA,
                                        FALSE)); /* the next message counts by itself */
    assert_null(headers(&session, "X-Good: yes"));
    assert_string_equal(headers(&session, "X-Bad: yes"), "header");
    session_end(&session);
}

static void
quarantine_and_discard(void **state)
{
    Session session;
    (void)state;
    session_begin(
        &session,
        "{ name = \"hold\"; when = { sender = \"a@*\"; }; then = { action = \"quarantine\"; }; },"
        "{ name = \"drop\"; when = { sender = \"b@*\"; }; then = { action = \"discard\"; }; }");
    assert_null(mail(&session, "a@b.example"));
    assert_null(rcpt(&session, "x@example.net"));
    assert_true(check_run_wants_message(session.run, CHECK_POINT_DATA, FALSE));
    assert_null(at(&session, CHECK_POINT_DATA));
    assert_null(headers(&session, "X: y"));
    assert_string_equal(at(&session, CHECK_POINT_EOM), "hold");
    assert_null(session.reply);
    session_end(&session);
}

/* A file of values, and groups of a regular expression, reach the text. */
static void
captures_reach_the_text(void **state)
{
    Session session;
    (void)state;
    session_begin(&session,
                  "{ name = \"moved\"; when = { recipient = \"/^(.*)@old[.]example$/\"; };"
                  " then = { code = 551; status = \"5.1.6\";"
                  "          text = \"Now at %{1}@new.example, thanks.\"; }; }");
    assert_null(mail(&session, "a@b.example"));
    assert_string_equal(rcpt(&session, "bob@old.example"), "moved");
    assert_string_equal(session.reply, "551 5.1.6 Now at bob@new.example, thanks.");
    assert_string_equal(rcpt(&session, "bob\t\x1b\xff 550 x@old.example"), "moved");
    assert_string_equal(session.reply, "551 5.1.6 Now at bob ?? 550 x@new.example, thanks.");
    session_end(&session);
}

/* A text that lacks its values, and a code that hangs up on purpose. */
static void
replies_are_whole(void **state)
{
    Session session;
    (void)state;
    session_begin(&session,
                  "{ name = \"queue\"; when = { recipient = \"x@*\"; };"
                  " then = { text = \"It is in queue %{queue_id}.\"; }; },"
                  "{ name = \"go\"; when = { recipient = \"y@*\"; };"
                  " then = { code = 421; status = \"4.7.0\"; text = \"Good bye, then.\"; }; }");
    assert_null(mail(&session, "a@b.example"));
    assert_string_equal(rcpt(&session, "x@example.net"), "queue");
    assert_null(strstr(session.reply, "queue"));
    assert_true(strlen(session.reply) > strlen("550 5.7.1 "));
    assert_string_equal(rcpt(&session, "y@example.net"), "go");
    assert_string_equal(session.reply, "421 4.7.0 Good bye, then.");
    session_end(&session);
}

/* What a report says is known only of mail that is read as one. */
static void
asks_reports_only_of_reports(void **state)
{
    static const char *const categories[] = {"mailbox-full", "user-unknown", NULL};
    Session session;
    (void)state;
    session_begin(&session, CHECK("kind", "kind = \"failure\"; category = \"user-unknown\";", ""));
    mail(&session, "");
    rcpt(&session, "a@b.example");
    assert_null(at(&session, CHECK_POINT_DATA));
    assert_false(check_run_wants_message(session.run, CHECK_POINT_DATA, FALSE));
    assert_true(check_run_wants_message(session.run, CHECK_POINT_DATA, TRUE));
    assert_true(check_run_wants_message(session.run, CHECK_POINT_HEADERS, TRUE));
    assert_false(check_run_wants_message(session.run, CHECK_POINT_EOM, TRUE));
    assert_null(at(&session, CHECK_POINT_EOM));
    facts_set(&session.facts, FACT_KIND, "failure");
    assert_null(at(&session, CHECK_POINT_EOM));
    session.facts.categories = categories;
    assert_string_equal(at(&session, CHECK_POINT_EOM), "kind");
    facts_set(&session.facts, FACT_KIND, "delay");
    assert_null(at(&session, CHECK_POINT_EOM));
    session_end(&session);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_matches_speak_at_every_rcpt),
        cmocka_unit_test(at_once_speaks_at_once),
        cmocka_unit_test(first_check_that_matches_decides),
        cmocka_unit_test(all_recipients_must_match),
        cmocka_unit_test(one_recipient_has_a_name),
        cmocka_unit_test(unread_where_nothing_can_speak),
        cmocka_unit_test(quarantine_and_discard),
        cmocka_unit_test(captures_reach_the_text),
        cmocka_unit_test(replies_are_whole),
        cmocka_unit_test(asks_reports_only_of_reports),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
