/*
 * server/milter_session with filters behind it: sessions played without an MTA, scripted filters on
 * sockets.
 */
#include <jansson.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <string.h>

#include "test_support.h"

#include "scripted_filter.h"
#include "server/milter_needs.h"
#include "server/milter_session.h"
#include "session_world.h"

enum { FILTERS = 2 };

#define OFFERED_ACTIONS SMFI_CURR_ACTS
#define OFFERED_STEPS   (SMFI_CURR_PROT & ~SMFIP_NODATA)

typedef struct {
    SessionWorld base;
    ScriptedFilter *filters[FILTERS];
    guint progress;
} World;

static const char *
macro_of_mta(gpointer data, const char *name)
{
    (void)data;
    return strcmp(name, "i") == 0 ? "4Q1" : NULL;
}

static void
note_progress(gpointer data)
{
    ((World *)data)->progress++;
}

/* Up to two filters, and what else stands in the policy. */
static MilterSession *
begin(World *world, const Script *one, const Script *two, const char *more)
{
    static const char *const names[FILTERS] = {"one", "two"};
    SessionMta mta = {macro_of_mta, note_progress, world};
    g_autoptr(GString) sections = g_string_new("filters = (");
    world->filters[0] = one != NULL ? scripted_filter_start(one) : NULL;
    world->filters[1] = two != NULL ? scripted_filter_start(two) : NULL;
    for (int i = 0; i < FILTERS && world->filters[i] != NULL; i++)
        g_string_append_printf(sections, "%s{ name = \"%s\"; socket = \"%s\"; timeout = 5.0; }",
                               i > 0 ? ", " : " ", names[i],
                               scripted_filter_socket(world->filters[i]));
    g_string_append_printf(sections, " );\n%s", more);
    MilterSession *session = session_world_begin(&world->base, sections->str, &mta);
    milter_session_negotiate(session, OFFERED_ACTIONS, OFFERED_STEPS);
    return session;
}

static SessionAnswer
greet(MilterSession *session)
{
    SessionAnswer answer = milter_session_connect(session, "client.example", MILTER_FAMILY_INET,
                                                  "192.0.2.7", 4711, "smtp", "mx.example");
    return answer != SESSION_CONTINUE ? answer : milter_session_helo(session, "c.example", NULL);
}

static SessionAnswer
say_mail(MilterSession *session)
{
    static const char *const arguments[] = {"<s@sender.example>", "SIZE=77", "BODY=8BITMIME", NULL};
    return milter_session_mail(session, arguments, NULL, "4Q1");
}

static SessionAnswer
say_rcpt(MilterSession *session)
{
    static const char *const arguments[] = {"<r@local.example>", "NOTIFY=NEVER", NULL};
    return milter_session_rcpt(session, arguments, "4Q1");
}

/* Headers and body, as the MTA gives them with the space behind the colon. */
static SessionAnswer
say_message(MilterSession *session)
{
    milter_session_header(session, "Subject", " Hello");
    milter_session_header(session, "X-Tab", "\ttab\n\tmore");
    SessionAnswer answer = milter_session_end_of_headers(session);
    if (answer != SESSION_CONTINUE)
        return answer;
    milter_session_body(session, "Hello.\r\n", 8);
    return milter_session_end_of_message(session, "4Q1");
}

/* All of it, until something else than CONTINUE is said. */
static SessionAnswer
say_all(MilterSession *session)
{
    SessionAnswer answer = greet(session);
    if (answer == SESSION_CONTINUE)
        answer = say_mail(session);
    if (answer == SESSION_CONTINUE)
        answer = say_rcpt(session);
    if (answer == SESSION_CONTINUE)
        answer = milter_session_data(session, "4Q1");
    return answer == SESSION_CONTINUE ? say_message(session) : answer;
}

/* Ends it; `notes` gets what the filters were told, one after the other. Returns the events. */
static json_t *
end(World *world, char **notes)
{
    g_autoptr(GString) told = g_string_new(NULL);
    json_t *events = session_world_end(&world->base);
    for (int i = 0; i < FILTERS && world->filters[i] != NULL; i++) {
        g_autofree char *one = scripted_filter_stop(world->filters[i]);
        g_string_append(told, one);
    }
    if (notes != NULL)
        *notes = g_strdup(told->str);
    return events;
}

/* "+X-One: 1|2!", one after the other. */
static char *
changes_of(const MilterSession *session)
{
    static const char marks[] = {
        [CHANGE_ADD_HEADER] = '+',
        [CHANGE_INSERT_HEADER] = '^',
        [CHANGE_SET_HEADER] = '=',
        [CHANGE_DELETE_HEADER] = '-',
        [CHANGE_ADD_RECIPIENT] = 'r',
        [CHANGE_ADD_RECIPIENT_PAR] = 'p',
        [CHANGE_DELETE_RECIPIENT] = 'd',
        [CHANGE_SENDER] = 's',
        [CHANGE_BODY] = 'b',
        [CHANGE_QUARANTINE] = 'q',
    };
    const ChangeList *changes = milter_session_changes(session);
    GString *text = g_string_new(NULL);
    for (guint i = 0; changes != NULL && i < change_list_count(changes); i++) {
        const Change *one = change_list_get(changes, i);
        const char *value = change_value(one, TRUE);
        g_string_append_c(text, marks[one->kind]);
        if (one->kind == CHANGE_INSERT_HEADER || one->kind == CHANGE_SET_HEADER)
            g_string_append_printf(text, "%u", one->index);
        g_string_append_printf(
            text, "%s%s%s%s%s%s|", one->name != NULL ? one->name : "", value != NULL ? ":" : "",
            value != NULL ? value : "", one->address != NULL ? one->address : "",
            one->arguments != NULL ? " " : "", one->arguments != NULL ? one->arguments : "");
    }
    return g_string_free(text, FALSE);
}

/* The first refusal ends the stage, goes through the engine, and is told with its filter. */
static void
refusals_are_worded_and_told(void **state)
{
    World *world = *state;
    static const struct {
        char command;
        const char *answer, *stage, *text;
        SessionAnswer expected;
        guint code;
    } cases[] = {
        {'C', "y554 5.7.1 no", "connect", "no", SESSION_REPLY, 554},
        {'H', "y550 5.7.1 no", "helo", "no", SESSION_REPLY, 550},
        {'M', "y451 4.7.1 later", "mail", "later", SESSION_REPLY, 451},
        {'R', "y550 4.7.1 no", "rcpt", "no", SESSION_REPLY, 550},
        {'R', "4", "rcpt", NULL, SESSION_REPLY, 421},
        {'T', "t", "data", NULL, SESSION_REPLY, 451},
        {'N', "r", "eom", NULL, SESSION_REPLY, 550},
        {'B', "y550 5.7.1 virus", "eom", "virus", SESSION_REPLY, 550},
        {'E', "y554 5.7.1 one", "eom", "one", SESSION_REPLY, 554},
        {'R', "d", "rcpt", NULL, SESSION_DISCARD, 0},
        {'E', "d", "eom", NULL, SESSION_DISCARD, 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ScriptRule rules[] = {{.command = cases[i].command, .answers = cases[i].answer}, {0}};
        Script first = {.rules = NULL}, second = {.rules = rules};
        MilterSession *session =
            begin(world, &first, &second, "replies = { default = \"repair\"; };");
        assert_int_equal(say_all(session), cases[i].expected);
        if (cases[i].expected == SESSION_REPLY)
            assert_int_equal(milter_session_reply(session)->code, cases[i].code);
        json_t *events = end(world, NULL);
        assert_int_equal(json_array_size(events), 1);
        assert_string_equal(text_of(json_array_get(events, 0), "door"), "filter");
        assert_string_equal(text_of(json_array_get(events, 0), "filter"), "two");
        assert_string_equal(text_of(json_array_get(events, 0), "stage"), cases[i].stage);
        const json_t *final = json_object_get(json_array_get(events, 0), "final");
        if (cases[i].text != NULL)
            assert_string_equal(json_string_value(json_object_get(final, "text")), cases[i].text);
        json_decref(events);
        g_remove(world->base.events);
    }
}

static void
a_filter_is_told_what_the_mta_says(void **state)
{
    World *world = *state;
    g_autofree char *notes = NULL;
    static const char *const refused[] = {"<x@local.example>", NULL};
    Script script = {.steps = MILTER_STEP_RCPT_REJ | MILTER_STEP_HDR_LEADSPC};
    MilterSession *session = begin(world, &script, NULL, "");
    greet(session);
    milter_session_unknown(session, "FOO bar");
    say_mail(session);
    milter_session_rcpt_refused(session, refused, "5.1.1", "User unknown", "4Q1");
    say_rcpt(session);
    milter_session_data(session, "4Q1");
    assert_int_equal(say_message(session), SESSION_CONTINUE);
    milter_session_end_message(session);
    say_mail(session);
    milter_session_end_message(session);
    json_decref(end(world, &notes));
    assert_string_equal(notes, "C client.example 4 4711 192.0.2.7\nH c.example\nU FOO bar\n"
                               "M <s@sender.example> SIZE=77 BODY=8BITMIME\nR <x@local.example>\n"
                               "R <r@local.example> NOTIFY=NEVER\nT\nL Subject: Hello\n"
                               "L X-Tab:\ttab\n\tmore\nN\nB Hello.\r\n\nE\n"
                               "M <s@sender.example> SIZE=77 BODY=8BITMIME\nA\nQ\n");
}

static void
own_checks_speak_first(void **state)
{
    World *world = *state;
    g_autofree char *notes = NULL;
    Script script = {.rules = NULL};
    MilterSession *session =
        begin(world, &script, NULL,
              "checks = ( { name = \"c\"; when = { recipient = \"r@local.example\"; }; "
              "then = { code = 550; status = \"5.7.1\"; text = \"Ours.\"; }; } );");
    assert_int_equal(say_all(session), SESSION_REPLY);
    json_t *events = end(world, &notes);
    assert_string_equal(text_of(json_array_get(events, 0), "check"), "c");
    assert_string_equal(text_of(json_array_get(events, 0), "door"), "milter");
    assert_null(strstr(notes, "R <r@local.example>"));
    assert_non_null(strstr(notes, "M <s@sender.example>"));
    json_decref(events);
}

/* All of them in their order, and the next filter sees what the one before it has done. */
static void
changes_are_collected_in_order(void **state)
{
    World *world = *state;
    g_autofree char *notes = NULL;
    static const ScriptRule first[] = {
        {.command = 'E',
         .answers = "hX-One|1\ni1|X-Top|2\nm1|Subject|Hi\nm1|X-Tab|\nbNew\nb body\n"
                    "+<a@local.example>\n2<b@local.example>|NOTIFY=NEVER\n-<r@local.example>\n"
                    "e<t@sender.example>\nqodd\np\nc"},
        {0}};
    static const ScriptRule second[] = {{.command = 'E', .answers = "hX-Two| 2\nc"}, {0}};
    Script one = {.actions = 0xff, .rules = first};
    Script two = {.actions = 1, .steps = MILTER_STEP_HDR_LEADSPC, .rules = second};
    MilterSession *session = begin(world, &one, &two, "");
    assert_int_equal(say_all(session), SESSION_CONTINUE);
    g_autofree char *changes = changes_of(session);
    assert_string_equal(changes, "+X-One: 1|^1X-Top: 2|=1Subject: Hi|b|r<a@local.example>|"
                                 "p<b@local.example> NOTIFY=NEVER|d<r@local.example>|"
                                 "s<t@sender.example>|q|+X-Two: 2|-X-Tab|");
    Spool *body = milter_session_new_body(session);
    assert_non_null(body);
    assert_memory_equal(spool_octets(body, NULL), "New body", 8);
    assert_true(milter_session_leading_space(session));
    assert_true(world->progress <= 1);
    json_t *events = end(world, &notes);
    assert_int_equal(json_array_size(events), 1);
    assert_string_equal(text_of(json_array_get(events, 0), "verdict"), "quarantine");
    assert_string_equal(text_of(json_array_get(events, 0), "filter"), "one");
    const char *seen = strstr(strstr(notes, "Q\n"), "T\n");
    assert_non_null(seen);
    assert_true(g_str_has_prefix(seen, "T\nL X-Top: 2\nL Subject: Hi\nL X-One: 1\nN\n"));
    json_decref(events);
}

/* Nothing that one refused message has left is done to the next one. */
static void
a_refused_message_leaves_nothing(void **state)
{
    World *world = *state;
    static const ScriptRule rules[] = {{.command = 'E', .nth = 1, .answers = "hX-One|1\nbNew|\nr"},
                                       {0}};
    Script script = {.actions = 0xff, .rules = rules};
    MilterSession *session = begin(world, &script, NULL, "");
    assert_int_equal(say_all(session), SESSION_REPLY);
    milter_session_end_message(session);
    assert_null(milter_session_changes(session));
    assert_null(milter_session_new_body(session));
    say_mail(session);
    say_rcpt(session);
    assert_int_equal(milter_session_data(session, "4Q1"), SESSION_CONTINUE);
    assert_int_equal(say_message(session), SESSION_CONTINUE);
    g_autofree char *changes = changes_of(session);
    assert_string_equal(changes, "");
    json_decref(end(world, NULL));
}

/* A message need not be read once nobody wants it. */
static void
data_is_accepted_when_all_are_out(void **state)
{
    World *world = *state;
    static const ScriptRule rules[] = {{.command = 'R', .answers = "a"}, {0}};
    Script script = {.rules = rules};
    MilterSession *session = begin(world, &script, NULL, "");
    greet(session);
    say_mail(session);
    assert_int_equal(say_rcpt(session), SESSION_CONTINUE);
    assert_int_equal(milter_session_data(session, "4Q1"), SESSION_ACCEPT);
    json_decref(end(world, NULL));
}

/* As it would be with the filter alone, whatever the rules. */
static void
the_mtas_own_mail_is_refused_as_it_came(void **state)
{
    World *world = *state;
    static const char *const nobody[] = {"", NULL};
    static const ScriptRule rules[] = {{.command = 'M', .answers = "y550 5.7.1 no"}, {0}};
    Script script = {.rules = rules};
    MilterSession *session =
        begin(world, &script, NULL,
              "replies = { default = \"replace\"; rules = ( { name = \"r\"; when = { filter = "
              "\"one\"; }; then = { code = 550; status = \"5.7.9\"; text = \"Ours.\"; }; } ); };");
    milter_session_connect(session, "localhost", MILTER_FAMILY_INET, "127.0.0.1", 0, "mx", "mx");
    assert_int_equal(milter_session_mail(session, nobody, NULL, "4Q1"), SESSION_REPLY);
    g_autofree char *said = smtp_reply_to_line(milter_session_reply(session));
    assert_string_equal(said, "550 5.7.1 no");
    json_decref(end(world, NULL));
}

/* A filter that goes away is told of, and its on_failure holds. */
static void
a_failure_is_told(void **state)
{
    World *world = *state;
    static const ScriptRule rules[] = {{.command = 'E', .then = SCRIPT_CLOSE, .answers = ""}, {0}};
    Script script = {.rules = rules};
    MilterSession *session = begin(world, &script, NULL, "");
    assert_int_equal(say_all(session), SESSION_REPLY);
    assert_int_equal(milter_session_reply(session)->code / 100, 4);
    assert_null(milter_session_new_body(session));
    json_t *events = end(world, NULL);
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "filter-failure");
    assert_string_equal(text_of(json_array_get(events, 0), "stage"), "eom");
    assert_string_equal(text_of(json_array_get(events, 1), "event"), "refusal");
    json_decref(events);
}

/* The union of what both need, and nothing of it without filters. */
/* One that dies at HELO and never answers MAIL: there the MTA awaits no answer of anybody. */
static void
a_failure_is_told_where_it_is_heard(void **state)
{
    static const ScriptRule rules[] = {{.command = 'H', .answers = "", .then = SCRIPT_CLOSE}, {0}};
    static const Script script = {.rules = rules, .steps = SMFIP_NR_MAIL};
    World *world = *state;
    MilterSession *session = begin(world, &script, NULL, "");
    assert_int_equal(greet(session), SESSION_CONTINUE);
    assert_int_equal(say_mail(session), SESSION_CONTINUE);
    assert_int_equal(say_rcpt(session), SESSION_REPLY);
    assert_int_equal(milter_session_reply(session)->code, 451);
    json_t *events = end(world, NULL);
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(text_of(json_array_get(events, 0), "event"), "filter-failure");
    assert_string_equal(text_of(json_array_get(events, 1), "event"), "refusal");
    assert_string_equal(text_of(json_array_get(events, 1), "stage"), "rcpt");
    json_decref(events);
}

static void
needs_are_joined(void **state)
{
    World *world = *state;
    Script script = {.actions = SMFIF_ADDHDRS | SMFIF_CHGBODY,
                     .steps = MILTER_STEP_NOBODY | MILTER_STEP_NOHELO | MILTER_STEP_NR_MAIL};
    MilterSession *session = begin(world, &script, NULL, "");
    const PolicyNeeds *needs = policy_needs(milter_session_policy(session));
    unsigned long own = milter_needs_steps(needs, OFFERED_STEPS);
    unsigned long steps = milter_session_steps(session);
    assert_true(own & SMFIP_NR_CONN);
    assert_false(steps & (SMFIP_NR_CONN | SMFIP_NOHDRS | SMFIP_NOUNKNOWN | SMFIP_NORCPT));
    assert_true(steps & SMFIP_NR_MAIL && steps & SMFIP_NR_HELO && steps & SMFIP_NR_HDR &&
                steps & SMFIP_HDR_LEADSPC && steps & SMFIP_RCPT_REJ);
    assert_int_equal(milter_session_actions(session) & (SMFIF_ADDHDRS | SMFIF_CHGBODY),
                     SMFIF_ADDHDRS | SMFIF_CHGBODY);
    assert_int_equal(milter_session_actions(session) & (SMFIF_CHGFROM | SMFIF_DELRCPT), 0);
    json_decref(end(world, NULL));

    session = begin(world, NULL, NULL, "");
    needs = policy_needs(milter_session_policy(session));
    assert_int_equal(milter_session_steps(session), own);
    assert_int_equal(milter_session_actions(session), milter_needs_actions(needs, OFFERED_ACTIONS));
    g_autofree char *macros = milter_session_macros(session, MILTER_STAGE_EOM, "i");
    assert_string_equal(macros, "i");
    json_decref(end(world, NULL));
}

/* Then it takes one space away from each value, and puts one before each. */
static void
an_mta_without_leading_spaces(void **state)
{
    World *world = *state;
    g_autofree char *notes = NULL;
    static const ScriptRule rules[] = {{.command = 'E', .answers = "hX-One|1\nc"}, {0}};
    Script script = {.version = 2, .actions = 1, .rules = rules};
    MilterSession *session = begin(world, &script, NULL, "");
    milter_session_free(session);
    world->base.session = session = milter_session_new(&world->base.context, NULL);
    milter_session_negotiate(session, MILTER_ACTIONS_V2, MILTER_STEPS_V2);
    greet(session);
    say_mail(session);
    say_rcpt(session);
    milter_session_header(session, "Subject", "Hello");
    milter_session_end_of_headers(session);
    assert_int_equal(milter_session_end_of_message(session, "4Q1"), SESSION_CONTINUE);
    assert_false(milter_session_leading_space(session));
    assert_string_equal(change_value(change_list_get(milter_session_changes(session), 0), FALSE),
                        "1");
    json_decref(end(world, &notes));
    assert_non_null(strstr(notes, "L Subject:Hello\nN\nE\n"));
}

static int
set_up(void **state)
{
    World *world = g_new0(World, 1);
    session_world_open(&world->base);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    World *world = *state;
    session_world_close(&world->base);
    g_free(world);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refusals_are_worded_and_told),
        TEST(a_filter_is_told_what_the_mta_says),
        TEST(own_checks_speak_first),
        TEST(changes_are_collected_in_order),
        TEST(a_refused_message_leaves_nothing),
        TEST(data_is_accepted_when_all_are_out),
        TEST(the_mtas_own_mail_is_refused_as_it_came),
        TEST(a_failure_is_told),
        TEST(a_failure_is_told_where_it_is_heard),
        TEST(needs_are_joined),
        TEST(an_mta_without_leading_spaces),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
