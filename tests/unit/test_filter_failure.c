/*
 * filters/filter_chain: filters that fail, at every command and in every way, and what becomes of
 * the mail and of the other filters.
 */
#include <pthread.h>
#include <string.h>

#include "filter_setup.h"

#include "base/clock.h"

#define WHOLE_SESSION "CHMRTE"

/* ---- each command, each way ------------------------------------------------------------------ */

typedef struct {
    const char *what;
    ScriptRule rule;
    gboolean times_out;
    const char *not_at; /* commands at which this is right */
} Way;

static const char garbage[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char empty_packet[] = {0, 0, 0, 0};
static const char huge_packet[] = {0x7f, 0, 0, 0, 'c'};
static const char negotiation[] = {0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0};

static const Way ways[] = {
    {"hangs", {.then = SCRIPT_HANG}, TRUE, ""},
    {"closes", {.then = SCRIPT_CLOSE}, FALSE, ""},
    {"hangs in an answer", {.answers = "c", .cut = 1, .then = SCRIPT_HANG}, TRUE, ""},
    {"garbage",
     {.raw = garbage, .raw_length = sizeof(garbage) - 1, .then = SCRIPT_HANG},
     FALSE,
     ""},
    {"an empty packet", {.raw = empty_packet, .raw_length = 4}, FALSE, ""},
    {"a huge packet", {.raw = huge_packet, .raw_length = 5}, FALSE, ""},
    {"twice", {.answers = "c\nc"}, FALSE, ""},
    {"twice, otherwise", {.answers = "c\nr"}, FALSE, ""},
    {"no such answer", {.answers = "X"}, FALSE, ""},
    {"data where none are", {.answers = "cx"}, FALSE, ""},
    {"a change before the end", {.answers = "hX|y\nc"}, FALSE, "E"},
    {"a quarantine before the end", {.answers = "qno\nc"}, FALSE, "E"},
    {"macros", {.answers = "l"}, FALSE, ""},
    {"a negotiation", {.raw = negotiation, .raw_length = sizeof(negotiation)}, FALSE, ""},
};

/* The stage at which a failure at this command shows. */
static char
shows_at(char command)
{
    if (command == 'C' || command == 'H')
        return 'M';
    return strchr("LNB", command) != NULL ? 'E' : command;
}

static char *
expected_result(char command, FilterFailure on_failure)
{
    if (on_failure == FILTER_FAILURE_ACCEPT)
        return g_strdup("E REJECT two");
    return g_strdup_printf("%c FAILED one%s%s", shows_at(command),
                           on_failure == FILTER_FAILURE_REJECT ? " reject" : "",
                           command == 'C' || command == 'H' ? " again" : "");
}

static void
fail_once(const Way *way, char command, FilterFailure on_failure)
{
    ScriptRule rules[] = {way->rule, {0}};
    const ScriptRule refuses[] = {{.command = 'E', .answers = "r"}, {0}};
    const Script scripts[] = {{.rules = rules, .actions = MILTER_ACTIONS_V6}, {.rules = refuses}};
    g_autofree char *expected = expected_result(command, on_failure);
    rules[0].command = command;
    Setup *setup = setup_new(scripts, 2);
    setup->policy[0].on_failure = on_failure;
    setup_begin(setup);
    setup->policy[0].timeout_us = way->times_out ? TIMEOUT_US : PATIENCE_US;
    gint64 begun_us = clock_monotonic_us();
    assert_played(setup, WHOLE_SESSION, expected);
    gint64 spent_us = clock_monotonic_us() - begun_us;
    assert_true(!way->times_out || spent_us >= TIMEOUT_US);
    assert_true(spent_us < PATIENCE_US / 2);
    /* For the rest of the connection. */
    if (on_failure != FILTER_FAILURE_ACCEPT) {
        filter_chain_abort(setup->chain);
        FilterResult again = setup_event(setup, 'M', NULL, NULL);
        assert_int_equal(again.verdict, FILTER_VERDICT_FAILED);
        assert_true(again.repeated);
        assert_int_equal(again.on_failure, on_failure);
    }
    g_autofree char *news = g_strdup_printf("one %c FAILED\n", command);
    assert_non_null(strstr(setup->news->str, news));
    /* Its socket is closed while the connection still lasts: else this would wait for ever. */
    setup->notes[0] = scripted_filter_stop(g_steal_pointer(&setup->filters[0]));
    assert_null(strstr(setup->notes[0], "Q\n"));
    setup_free(setup);
}

static void
test_each_failure_at_each_command(void **state)
{
    (void)state;
    static const char commands[] = "CHMRTLNBE";
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        print_message("%s\n", ways[i].what);
        for (const char *command = commands; *command != '\0'; command++) {
            if (strchr(ways[i].not_at, *command) != NULL)
                continue;
            /* What is waited for, once each. */
            gsize turn = (gsize)(command - commands) % 3;
            for (gsize on_failure = 0; on_failure < 3; on_failure++)
                if (!ways[i].times_out || on_failure == turn)
                    fail_once(&ways[i], *command, (FilterFailure)on_failure);
        }
    }
}

static void
test_closes_at_each_octet(void **state)
{
    (void)state;
    static const struct {
        char command;
        const char *answers;
    } cases[] = {
        {'M', "y550 5.7.1 no"}, {'E', "y550 5.7.1 no"}, {'E', "hX|y\nm1|Subject|z\nbBody\nc"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) octets = scripted_octets(cases[i].answers);
        for (gsize cut = 1; cut <= octets->len; cut++) {
            const ScriptRule rules[] = {{.command = cases[i].command,
                                         .answers = cases[i].answers,
                                         .cut = cut,
                                         .then = SCRIPT_CLOSE},
                                        {0}};
            const Script script = {.rules = rules, .actions = MILTER_ACTIONS_V6};
            Setup *setup = setup_new(&script, 1);
            setup_begin(setup);
            const char *expected = cases[i].command == 'M' ? "M FAILED one" : "E FAILED one";
            assert_played(setup, WHOLE_SESSION, expected);
            setup_free(setup);
        }
    }
}

/* ---- negotiation ----------------------------------------------------------------------------- */

static void
fail_negotiation(const ScriptRule *rule, gint64 timeout_us)
{
    const ScriptRule rules[] = {*rule, {0}};
    const Script scripts[] = {{.rules = rules}, {0}};
    Setup *setup = setup_new(scripts, 2);
    setup->policy[0].connect_timeout_us = timeout_us;
    setup_begin(setup);
    assert_string_equal(setup->news->str[0] == 't' ? setup->news->str + strlen("two O CONTINUE\n")
                                                   : "one O FAILED\n",
                        "one O FAILED\n");
    assert_false(filter_chain_standing(setup->chain, 0).negotiated);
    assert_non_null(filter_chain_standing(setup->chain, 0).failure);
    /* Unknown, it may need anything. */
    assert_int_equal(filter_chain_steps(setup->chain) & MILTER_STEPS_NO, 0);
    assert_int_equal(filter_chain_actions(setup->chain), MILTER_ACTIONS_V6);
    assert_played(setup, "CH", "H CONTINUE");
    assert_played(setup, "M", "M FAILED one again");
    setup_free(setup);
}

static void
test_negotiation_fails(void **state)
{
    (void)state;
    static const char version_7[] = {0, 0, 0, 13, 'O', 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0};
    static const char version_1[] = {0, 0, 0, 13, 'O', 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    static const char action[] = {0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0};
    static const ScriptRule rules[] = {
        {.command = 'O', .then = SCRIPT_CLOSE},
        {.command = 'O', .answers = "c"},
        {.command = 'O', .raw = garbage, .raw_length = sizeof(garbage) - 1},
        {.command = 'O', .raw = version_7, .raw_length = sizeof(version_7)},
        {.command = 'O', .raw = version_1, .raw_length = sizeof(version_1)},
        {.command = 'O', .raw = action, .raw_length = sizeof(action)},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        fail_negotiation(&rules[i], PATIENCE_US);
    for (gsize length = 0; length < sizeof(negotiation); length++) {
        const ScriptRule cut = {
            .command = 'O', .raw = negotiation, .raw_length = length, .then = SCRIPT_CLOSE};
        fail_negotiation(&cut, PATIENCE_US);
    }
    const ScriptRule hangs = {.command = 'O', .then = SCRIPT_HANG};
    fail_negotiation(&hangs, TIMEOUT_US);
}

/* A filter that is down counts with what it asked for when it was up. */
static void
test_last_needs(void **state)
{
    (void)state;
    const Script script = {.actions = MILTER_ACTION_ADDHDRS,
                           .steps = MILTER_STEPS_NO & ~MILTER_STEP_NOHELO,
                           .macros = {[MILTER_STAGE_EOM] = "{x}"}};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    setup->policy[0].on_failure = FILTER_FAILURE_ACCEPT;
    setup_chain(setup);
    setup->notes[0] = scripted_filter_stop(g_steal_pointer(&setup->filters[0]));
    /* The socket's name is gone with it, what is known by that name is not. */
    g_autofree char *socket = g_strdup("unix:/nonexistent/filter");
    const char *macros[MILTER_STAGES] = {[MILTER_STAGE_EOM] = "{x}"};
    filter_state_negotiated(filter_states_get(setup->states, socket), script.actions, script.steps,
                            macros);
    setup->policy[0].socket = socket;
    setup_chain(setup);
    setup_begin(setup);
    assert_int_equal(filter_chain_actions(setup->chain), MILTER_ACTION_ADDHDRS);
    assert_int_equal(filter_chain_steps(setup->chain) & MILTER_STEPS_NO, script.steps);
    g_autofree char *asked = filter_chain_macros(setup->chain, MILTER_STAGE_EOM, NULL);
    assert_string_equal(asked, "{x}");
    assert_played(setup, WHOLE_SESSION, "E ACCEPT");
    setup->policy[0].on_failure = FILTER_FAILURE_TEMPFAIL;
    assert_int_equal(filter_chain_steps(setup->chain) & (MILTER_STEP_NOMAIL | MILTER_STEP_NR_MAIL),
                     0);
    setup_free(setup);
}

static void
test_no_such_socket(void **state)
{
    (void)state;
    static const char *const sockets[] = {
        "unix:/nonexistent/filter",
        "local:/nonexistent/filter",
        "inet:1@127.0.0.1",
        "inet6:1@::1",
        "inet:1",
        "inet:none@127.0.0.1",
        "fd:3",
        "unix:/a/path/that/is/longer/than/the/hundred/and/eight/octets/that/the/address/of/a/"
        "socket/"
        "in/the/file/system/can/hold/at/all",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(sockets); i++) {
        const Script script = {0};
        Setup *setup = setup_new(&script, 1);
        setup->policy[0].socket = (char *)sockets[i];
        setup_chain(setup);
        setup_begin(setup);
        assert_played(setup, WHOLE_SESSION, "M FAILED one again");
        assert_string_equal(setup->news->str, "one O FAILED\n");
        FilterCounters counters = filter_states_counters(setup->states, sockets[i]);
        assert_int_equal(counters.troubles[FILTER_TROUBLE_CONNECT], 1);
        setup_free(setup);
    }
}

/* Whoever has been told that it cannot be reached is told that it can. */
static void
test_answers_again(void **state)
{
    (void)state;
    const Script script = {.late_ms = 30};
    Setup *setup = setup_new(&script, 1);
    filter_state_failed(filter_states_get(setup->states, setup->policy[0].socket),
                        FILTER_TROUBLE_CONNECT, 0, clock_monotonic_us());
    setup_begin(setup);
    assert_string_equal(setup->news->str, "one O CONTINUE again\n");
    assert_true(setup->negotiating_us > 0);
    setup_chain(setup);
    g_string_truncate(setup->news, 0);
    setup_begin(setup);
    assert_played(setup, "C", "C CONTINUE");
    assert_string_equal(setup->news->str, "one O CONTINUE\none C CONTINUE\n");
    setup_free(setup);
}

/* All are waited for at once. */
static void
test_all_connect_at_once(void **state)
{
    (void)state;
    const Script scripts[] = {{.mute = TRUE}, {.mute = TRUE}, {.mute = TRUE}};
    Setup *setup = setup_new(scripts, 3);
    for (guint i = 0; i < 3; i++)
        setup->policy[i].connect_timeout_us = 2 * TIMEOUT_US;
    gint64 begun_us = clock_monotonic_us();
    setup_begin(setup);
    gint64 spent_us = clock_monotonic_us() - begun_us;
    assert_in_range(spent_us, 2 * TIMEOUT_US, 6 * TIMEOUT_US - 1);
    assert_string_equal(setup->news->str, "one O FAILED\ntwo O FAILED\nthree O FAILED\n");
    setup_free(setup);
}

/* So many connect that the queue of the filter's socket is full: they try again. */
static void *
play_one(void *given)
{
    const Setup *shared = given;
    Setup own = {.count = 1, .states = shared->states, .macros = shared->macros};
    own.policy[0] = shared->policy[0];
    own.news = g_string_new(NULL);
    setup_chain(&own);
    setup_begin(&own);
    assert_played(&own, WHOLE_SESSION, "E CONTINUE");
    filter_chain_free(own.chain);
    g_string_free(own.news, TRUE);
    return NULL;
}

static void
test_full_queue(void **state)
{
    (void)state;
    enum { MANY = 12 };
    const Script script = {.backlog = 1, .late_ms = 30};
    Setup *setup = setup_new(&script, 1);
    pthread_t threads[MANY];
    for (guint i = 0; i < MANY; i++)
        pthread_create(&threads[i], NULL, play_one, setup);
    for (guint i = 0; i < MANY; i++)
        pthread_join(threads[i], NULL);
    setup_free(setup);
}

/* ---- the breaker ----------------------------------------------------------------------------- */

static void
test_breaker_changes_the_wait_only(void **state)
{
    (void)state;
    const Script scripts[] = {{.mute = TRUE}, {0}};
    Setup *setup = setup_new(scripts, 2);
    for (guint i = 0; i < 2; i++)
        for (guint times = 0; times < FILTER_STATE_BREAKER_FAILURES; times++)
            filter_state_failed(filter_states_get(setup->states, setup->policy[i].socket),
                                FILTER_TROUBLE_TIMEOUT, 0, clock_monotonic_us());
    gint64 begun_us = clock_monotonic_us();
    setup_begin(setup);
    gint64 spent_us = clock_monotonic_us() - begun_us;
    assert_in_range(spent_us, FILTER_STATE_OPEN_WAIT_US, PATIENCE_US / 2);
    assert_true(filter_states_counters(setup->states, setup->policy[0].socket).open);
    /* One that is back is asked at once. */
    assert_false(filter_states_counters(setup->states, setup->policy[1].socket).open);
    assert_true(filter_chain_standing(setup->chain, 1).negotiated);
    assert_played(setup, WHOLE_SESSION, "M FAILED one again");
    setup_free(setup);
}

/* Nobody can switch a filter off by mails that kill it. */
static void
test_deaths_do_not_open_the_breaker(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'B', .then = SCRIPT_CLOSE}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    for (guint i = 0; i < 2 * FILTER_STATE_BREAKER_FAILURES; i++) {
        setup_chain(setup);
        setup_begin(setup);
        assert_played(setup, WHOLE_SESSION, "E FAILED one");
    }
    FilterCounters counters = filter_states_counters(setup->states, setup->policy[0].socket);
    assert_false(counters.open);
    assert_int_equal(counters.troubles[FILTER_TROUBLE_CLOSED], 2 * FILTER_STATE_BREAKER_FAILURES);
    setup_free(setup);
}

/* ---- what it may not say --------------------------------------------------------------------- */

static void
test_actions_not_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        guint32 action;
    } cases[] = {
        {"hX|y", MILTER_ACTION_ADDHDRS},
        {"i1|X|y", MILTER_ACTION_ADDHDRS},
        {"m1|X|y", MILTER_ACTION_CHGHDRS},
        {"bBody", MILTER_ACTION_CHGBODY},
        {"+<c@example.org>", MILTER_ACTION_ADDRCPT},
        {"2<c@example.org>|A=b", MILTER_ACTION_ADDRCPT_PAR},
        {"-<c@example.org>", MILTER_ACTION_DELRCPT},
        {"e<c@example.org>", MILTER_ACTION_CHGFROM},
        {"qwhy", MILTER_ACTION_QUARANTINE},
    };
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        gboolean asked_for = i % 2 == 1;
        g_autofree char *answers = g_strdup_printf("%s\nc", cases[i / 2].answer);
        const ScriptRule rules[] = {{.command = 'E', .answers = answers}, {0}};
        guint32 action = cases[i / 2].action;
        const Script script = {.rules = rules,
                               .actions = asked_for ? action : MILTER_ACTIONS_V6 & ~action};
        Setup *setup = setup_new(&script, 1);
        setup_begin(setup);
        assert_played(setup, WHOLE_SESSION, asked_for ? "E CONTINUE" : "E FAILED one");
        setup_free(setup);
    }
}

/* Where it said that it would not answer. */
static void
test_answers_unasked(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'M', .answers = "c"}, {0}};
    const Script script = {.steps = MILTER_STEP_NR_MAIL, .rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    g_free(setup_play(setup, "CHMR"));
    g_usleep(TIMEOUT_US / 2);
    FilterResult result = setup_event(setup, 'T', NULL, NULL);
    assert_int_equal(result.verdict, FILTER_VERDICT_FAILED);
    setup_free(setup);
}

static void
test_answers_twice_later(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'M', .answers = "c\nc", .pause_ms = 5}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, "CHM", "M CONTINUE");
    /* Either it is seen at once that there is one too many, or with the next command. */
    g_free(setup_play(setup, "R"));
    g_usleep(TIMEOUT_US / 2);
    FilterResult result = setup_event(setup, 'T', NULL, NULL);
    assert_int_equal(result.verdict, FILTER_VERDICT_FAILED);
    setup_free(setup);
}

static void
test_closes_between_messages(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'E', .answers = "c", .then = SCRIPT_CLOSE}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    g_usleep(TIMEOUT_US / 4);
    assert_played(setup, "M", "M FAILED one");
    setup_free(setup);
}

/* What one that dies has asked for is forgotten. */
static void
test_dies_after_changes(void **state)
{
    (void)state;
    const ScriptRule dies[] = {{.command = 'E', .answers = "hX|y\nbNew", .then = SCRIPT_CLOSE},
                               {0}};
    const ScriptRule adds[] = {{.command = 'E', .answers = "hX-Two|z\nc"}, {0}};
    const Script scripts[] = {{.rules = dies, .actions = MILTER_ACTIONS_V6},
                              {.rules = adds, .actions = MILTER_ACTIONS_V6}};
    Setup *setup = setup_new(scripts, 2);
    g_autoptr(HeldMessage) message = small_message();
    g_autoptr(ChangeList) changes = change_list_new();
    setup->policy[0].on_failure = FILTER_FAILURE_ACCEPT;
    setup_begin(setup);
    assert_int_equal(setup_event(setup, 'E', message, changes).verdict, FILTER_VERDICT_CONTINUE);
    assert_int_equal(change_list_count(changes), 1);
    assert_string_equal(change_list_get(changes, 0)->name, "X-Two");
    assert_false(held_message_body_changed(message));
    setup_stop(setup);
    assert_string_equal(setup->notes[1], "L Subject:x\nL X-Tab:\ty\nN\nB Body\r\n\nE\nQ\n");
    setup_free(setup);
}

static void
test_too_many_changes(void **state)
{
    (void)state;
    g_autoptr(GString) answers = g_string_new("c");
    for (guint i = 0; i <= CHANGE_LIST_MAX; i++)
        g_string_prepend(answers, "hX|y\n");
    const ScriptRule rules[] = {{.command = 'E', .answers = answers->str}, {0}};
    const Script script = {.rules = rules, .actions = MILTER_ACTIONS_V6};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E FAILED one");
    FilterCounters counters = filter_states_counters(setup->states, setup->policy[0].socket);
    assert_int_equal(counters.troubles[FILTER_TROUBLE_LIMIT], 1);
    setup_free(setup);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* While it says that it is at work, it is waited for. */
static void
test_progress(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'E', .answers = "p\np\np\nc", .pause_ms = 350}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup->policy[0].timeout_us = 900 * 1000;
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    assert_int_equal(setup->progress, 1);
    setup_free(setup);
}

/* The MTA, which waits for the end of the message only, is told so while headers take their time.
 */
static void
test_slow_headers(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'L', .answers = "c", .pause_ms = 600}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    assert_int_equal(setup->progress, 1);
    setup_free(setup);
}

static void
test_progress_and_no_more(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'E', .answers = "p", .then = SCRIPT_HANG}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    setup->policy[0].timeout_us = TIMEOUT_US;
    assert_played(setup, WHOLE_SESSION, "E FAILED one");
    setup_free(setup);
}

/* How long such a filter was waited for; each answer is there well in time, on a machine that is
 * not too busy. */
static gint64
wait_for_progress_only(const char *answers)
{
    const ScriptRule rules[] = {{.command = 'E', .answers = answers, .pause_ms = 10}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    setup->policy[0].timeout_us = 20 * 1000;
    gint64 begun_us = clock_monotonic_us();
    assert_played(setup, WHOLE_SESSION, "E FAILED one");
    gint64 spent_us = clock_monotonic_us() - begun_us;
    setup_free(setup);
    return spent_us;
}

/* One that does nothing but say so is not waited for without end. */
static void
test_progress_for_ever(void **state)
{
    (void)state;
    enum { TRIES = 40, LONG_US = 60 * 20 * 1000 };
    g_autoptr(GString) answers = g_string_new("p");
    for (guint i = 0; i < 200; i++)
        g_string_append(answers, "\np");
    gint64 spent_us = 0;
    for (guint i = 0; i < TRIES && spent_us < LONG_US; i++)
        spent_us = wait_for_progress_only(answers->str);
    assert_in_range(spent_us, LONG_US, G_USEC_PER_SEC * 10);
}

static HeldMessage *
large_message(void)
{
    HeldMessage *message = held_message_new(64 * 1024 * 1024);
    g_autofree char *piece = g_malloc0(1024 * 1024);
    for (guint i = 0; i < 4; i++)
        held_message_body(message, piece, 1024 * 1024);
    return message;
}

/* It does not read, or writes and does not read: neither holds us up for longer than its time. */
static void
test_large_message_gets_stuck(void **state)
{
    (void)state;
    g_autofree char *junk = g_malloc0(1024 * 1024);
    memset(junk, 'c', 1024 * 1024);
    const ScriptRule deaf[] = {{.command = 'B', .then = SCRIPT_DEAF}, {0}};
    const ScriptRule talks[] = {{.command = 'B', .raw = junk, .raw_length = 1024 * 1024}, {0}};
    const struct {
        Script script;
        gint64 timeout_us;
    } cases[] = {
        {{.steps = MILTER_STEPS_NR, .rules = deaf}, TIMEOUT_US},
        {{.steps = MILTER_STEPS_NR, .rules = talks}, PATIENCE_US},
        {{.rules = deaf}, TIMEOUT_US},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Setup *setup = setup_new(&cases[i].script, 1);
        g_autoptr(HeldMessage) message = large_message();
        g_autoptr(ChangeList) changes = change_list_new();
        setup_begin(setup);
        setup->policy[0].timeout_us = cases[i].timeout_us;
        gint64 begun_us = clock_monotonic_us();
        FilterResult result = setup_event(setup, 'E', message, changes);
        assert_int_equal(result.verdict, FILTER_VERDICT_FAILED);
        assert_true(clock_monotonic_us() - begun_us < PATIENCE_US / 2);
        setup_free(setup);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_failure_at_each_command),
        cmocka_unit_test(test_closes_at_each_octet),
        cmocka_unit_test(test_negotiation_fails),
        cmocka_unit_test(test_last_needs),
        cmocka_unit_test(test_no_such_socket),
        cmocka_unit_test(test_answers_again),
        cmocka_unit_test(test_all_connect_at_once),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_breaker_changes_the_wait_only),
        cmocka_unit_test(test_deaths_do_not_open_the_breaker),
        cmocka_unit_test(test_actions_not_asked_for),
        cmocka_unit_test(test_answers_unasked),
        cmocka_unit_test(test_answers_twice_later),
        cmocka_unit_test(test_closes_between_messages),
        cmocka_unit_test(test_dies_after_changes),
        cmocka_unit_test(test_too_many_changes),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_slow_headers),
        cmocka_unit_test(test_progress_and_no_more),
        cmocka_unit_test(test_progress_for_ever),
        cmocka_unit_test(test_large_message_gets_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
