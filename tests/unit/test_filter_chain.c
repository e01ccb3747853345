/*
 * filters/filter_chain: what filters say, in which order, and what each of them sees.
 *
 * The filters are scripted ones on real sockets; what fails is the business of
 * test_filter_failure.c.
 */
#include <pthread.h>
#include <string.h>

#include "filter_setup.h"

#include "base/clock.h"
#include "filters/filter_needs.h"

#define WHOLE_SESSION "CHMRTE"
#define SEEN_MESSAGE  "L Subject:x\nL X-Tab:\ty\nN\nB Body\r\n\nE\n"
#define SEEN_ENVELOPE "M <a@example.org> SIZE=1\nR <b@example.org>\nT\n"
#define SEEN_CLIENT   "C mx.example.org 4 25 192.0.2.1\nH helo\n"

/* ---- verdicts -------------------------------------------------------------------------------- */

static void
test_all_is_told(void **state)
{
    (void)state;
    const Script script = {0};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    assert_string_equal(setup->news->str, "one O CONTINUE\none C CONTINUE\none H CONTINUE\n"
                                          "one M CONTINUE\none R CONTINUE\none T CONTINUE\n"
                                          "one E CONTINUE\n");
    setup_free(setup);
}

typedef struct {
    char command;
    const char *answer;
    const char *result; /* of the session, which is played to its end */
    const char *stage;  /* the events up to the one that gives it */
    const char *behind; /* what the filter saw behind that command */
    const char *next;   /* what the next message of the connection comes to; NULL: not played */
} VerdictCase;

#define NEXT_MESSAGE SEEN_ENVELOPE SEEN_MESSAGE

static const VerdictCase verdict_cases[] = {
    {'C', "y550 5.7.1 no", "C REPLY one 550 5.7.1 no", "C", "Q\n",
     "M REPLY one 550 5.7.1 no again"},
    {'C', "y421 4.7.0 later", "C REPLY one 421 4.7.0 later", "C", "Q\n",
     "M REPLY one 421 4.7.0 later again"},
    {'C', "r", "C REJECT one", "C", "Q\n", "M REJECT one again"},
    {'C', "t", "C TEMPFAIL one", "C", "Q\n", "M TEMPFAIL one again"},
    {'C', "4", "C SHUTDOWN one", "C", "Q\n", "M SHUTDOWN one again"},
    {'C', "f", "C CONN_FAIL one", "C", "Q\n", "M CONN_FAIL one again"},
    {'C', "a", "C ACCEPT", "C", "Q\n", "E ACCEPT"},
    {'C', "d", "E CONTINUE", "CHMRTE", "H helo\n" NEXT_MESSAGE NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'C', "s", "E CONTINUE", "CHMRTE", "H helo\n" NEXT_MESSAGE NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'H', "y550 5.7.1 no", "H REPLY one 550 5.7.1 no", "CH", "Q\n",
     "M REPLY one 550 5.7.1 no again"},
    {'H', "r", "H REJECT one", "CH", "Q\n", "M REJECT one again"},
    {'H', "t", "H TEMPFAIL one", "CH", "Q\n", "M TEMPFAIL one again"},
    {'H', "4", "H SHUTDOWN one", "CH", "Q\n", "M SHUTDOWN one again"},
    {'H', "a", "H ACCEPT", "CH", "Q\n", "E ACCEPT"},
    {'H', "d", "E CONTINUE", "CHMRTE", NEXT_MESSAGE NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'M', "y550 5.7.1 no", "M REPLY one 550 5.7.1 no", "CHM", "A\n" NEXT_MESSAGE "Q\n",
     "E CONTINUE"},
    {'M', "y", "M REPLY one ", "CHM", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'M', "r", "M REJECT one", "CHM", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'M', "t", "M TEMPFAIL one", "CHM", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'M', "d", "M DISCARD one", "CHM", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'M', "4", "M SHUTDOWN one", "CHM", "A\nQ\n", "M SHUTDOWN one again"},
    {'M', "f", "M CONN_FAIL one", "CHM", "A\nQ\n", "M CONN_FAIL one again"},
    {'M', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'R', "y450 4.7.1 not yet", "R REPLY one 450 4.7.1 not yet", "CHMR", "A\n" NEXT_MESSAGE "Q\n",
     "E CONTINUE"},
    {'R', "r", "R REJECT one", "CHMR", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'R', "t", "R TEMPFAIL one", "CHMR", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'R', "d", "R DISCARD one", "CHMR", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'R', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'R', "4", "R SHUTDOWN one", "CHMR", "A\nQ\n", "M SHUTDOWN one again"},
    {'R', "s", "E CONTINUE", "CHMRRTE", "T\n" SEEN_MESSAGE NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'T', "y550 5.7.1 no", "T REPLY one 550 5.7.1 no", "CHMRT", "A\n" NEXT_MESSAGE "Q\n",
     "E CONTINUE"},
    {'T', "r", "T REJECT one", "CHMRT", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'T', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'T', "d", "T DISCARD one", "CHMRT", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'L', "r", "E REJECT one", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'L', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'L', "d", "E DISCARD one", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'L', "s", "E CONTINUE", "CHMRTE", "N\nB Body\r\n\nE\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'N', "y554 5.7.1 no", "E REPLY one 554 5.7.1 no", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n",
     "E CONTINUE"},
    {'N', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'B', "t", "E TEMPFAIL one", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'B', "a", "E ACCEPT", "CHMRTE", "A\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'B', "s", "E CONTINUE", "CHMRTE", "E\n" NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "y554 5.7.1 no", "E REPLY one 554 5.7.1 no", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "r", "E REJECT one", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "t", "E TEMPFAIL one", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "d", "E DISCARD one", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "a", "E ACCEPT", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "s", "E CONTINUE", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "p\np\nc", "E CONTINUE", "CHMRTE", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'E', "4", "E SHUTDOWN one", "CHMRTE", "A\nQ\n", "M SHUTDOWN one again"},
    {'E', "f", "E CONN_FAIL one", "CHMRTE", "A\nQ\n", "M CONN_FAIL one again"},
    {'U', "y500 5.5.9 what", "U REPLY one 500 5.5.9 what", "CHU", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'U', "r", "U REJECT one", "CHU", NEXT_MESSAGE "Q\n", "E CONTINUE"},
    {'U', "a", "U ACCEPT", "CHU", NEXT_MESSAGE "Q\n", "E CONTINUE"},
};

/* What was written down behind the first command of this letter. */
static const char *
behind_command(const char *notes, char command)
{
    const char *line = notes;
    while (line != NULL && line[0] != command) {
        line = strchr(line, '\n');
        line = line != NULL && line[1] != '\0' ? line + 1 : NULL;
    }
    const char *end = line != NULL ? strchr(line, '\n') : NULL;
    /* The body's one piece has the line's end of its own. */
    if (end != NULL && command == 'B')
        end++;
    return end != NULL ? end + 1 : "never told";
}

static void
play_verdict(const VerdictCase *one)
{
    const ScriptRule rules[] = {{.command = one->command, .nth = 1, .answers = one->answer}, {0}};
    const Script script = {.rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, one->stage, one->result);
    filter_chain_abort(setup->chain);
    assert_played(setup, "MRTE", one->next);
    setup_stop(setup);
    assert_string_equal(behind_command(setup->notes[0], one->command), one->behind);
    setup_free(setup);
}

static void
test_each_verdict_at_each_stage(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(verdict_cases); i++) {
        print_message("%c %s\n", verdict_cases[i].command, verdict_cases[i].answer);
        play_verdict(&verdict_cases[i]);
    }
}

/* A reply is passed on as it came, NULs included. */
static void
test_reply_is_raw(void **state)
{
    (void)state;
    static const char raw[] = "\0\0\0\x0cy550\0 a\nb%\x80\0";
    const ScriptRule as_raw[] = {{.command = 'M', .raw = raw, .raw_length = 16}, {0}};
    const Script script = {.rules = as_raw};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    FilterResult result = setup_event(setup, 'M', NULL, NULL);
    assert_int_equal(result.verdict, FILTER_VERDICT_REPLY);
    assert_int_equal(result.reply_length, 10);
    assert_memory_equal(result.reply, "550\0 a\nb%\x80", 11);
    setup_free(setup);
}

/* ---- several filters ------------------------------------------------------------------------- */

static void
test_first_refusal_ends_the_event(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'R', .nth = 1, .answers = "y550 5.1.1 no"}, {0}};
    const Script scripts[] = {{0}, {.rules = rules}, {0}};
    Setup *setup = setup_new(scripts, 3);
    setup_begin(setup);
    assert_played(setup, "CHMR", "R REPLY two 550 5.1.1 no");
    assert_played(setup, "RTE", "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT "M <a@example.org> SIZE=1\nR <b@example.org>\n"
                                                     "R <b@example.org>\nT\n" SEEN_MESSAGE "Q\n");
    assert_string_equal(setup->notes[1], setup->notes[0]);
    assert_string_equal(setup->notes[2], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    setup_free(setup);
}

static void
test_refusal_of_a_message_aborts_the_others(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'E', .answers = "r"}, {0}};
    const Script scripts[] = {{0}, {.rules = rules}, {0}};
    Setup *setup = setup_new(scripts, 3);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E REJECT two");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    assert_string_equal(setup->notes[1], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    assert_string_equal(setup->notes[2], SEEN_CLIENT SEEN_ENVELOPE "A\nQ\n");
    setup_free(setup);
}

/* Where one accepts, the others still decide. */
static void
test_others_decide_after_accept(void **state)
{
    (void)state;
    static const char commands[] = "CHMRTLNBE";
    for (const char *command = commands; *command != '\0'; command++) {
        const ScriptRule accepts[] = {{.command = *command, .answers = "a"}, {0}};
        const ScriptRule rejects[] = {{.command = 'E', .answers = "r"}, {0}};
        const Script scripts[] = {{.rules = accepts}, {.rules = rejects}};
        Setup *setup = setup_new(scripts, 2);
        setup_begin(setup);
        assert_played(setup, WHOLE_SESSION, "E REJECT two");
        setup_free(setup);
    }
}

static void
test_all_accept(void **state)
{
    (void)state;
    const ScriptRule at_mail[] = {{.command = 'M', .answers = "a"}, {0}};
    const ScriptRule at_helo[] = {{.command = 'H', .answers = "a"}, {0}};
    const Script scripts[] = {{.rules = at_mail}, {.rules = at_helo}};
    Setup *setup = setup_new(scripts, 2);
    setup_begin(setup);
    assert_played(setup, "CH", "H CONTINUE");
    assert_played(setup, "M", "M ACCEPT");
    assert_false(filter_chain_is_in(setup->chain));
    filter_chain_abort(setup->chain);
    assert_true(filter_chain_is_in(setup->chain));
    setup_free(setup);
}

static void
test_no_filters(void **state)
{
    (void)state;
    Setup *setup = setup_new(NULL, 0);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E ACCEPT");
    setup_free(setup);
}

/* ---- changes --------------------------------------------------------------------------------- */

#define ALL_ACTIONS (MILTER_ACTIONS_V6)

static void
test_later_filters_see_changes(void **state)
{
    (void)state;
    const ScriptRule first[] = {
        {.command = 'E',
         .answers = "hX-Added|one\nm1|Subject|changed\ni0|X-Top|top\nbNew \nbbody\nm1|X-Tab|\n"
                    "+<c@example.org>\n2<d@example.org>|NOTIFY=NEVER\n-<b@example.org>\n"
                    "e<z@example.org>|RET=HDRS\nqwhy\nc"},
        {0}};
    const ScriptRule second[] = {{.command = 'E', .answers = "hX-Second| two\nm2|Subject| more\nc"},
                                 {0}};
    const Script scripts[] = {
        {.rules = first, .actions = ALL_ACTIONS},
        {.rules = second, .actions = ALL_ACTIONS, .steps = MILTER_STEP_HDR_LEADSPC},
        {0},
    };
    Setup *setup = setup_new(scripts, 3);
    g_autoptr(HeldMessage) message = small_message();
    g_autoptr(ChangeList) changes = change_list_new();
    setup_begin(setup);
    assert_played(setup, "CHMRT", "T CONTINUE");
    FilterResult result = setup_event(setup, 'E', message, changes);
    assert_int_equal(result.verdict, FILTER_VERDICT_CONTINUE);
    assert_non_null(strstr(setup->news->str, "one E CONTINUE 10\n"));
    assert_non_null(strstr(setup->news->str, "two E CONTINUE 2\n"));
    setup_stop(setup);
    const char *envelope = SEEN_CLIENT SEEN_ENVELOPE;
    assert_string_equal(setup->notes[0], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    assert_string_equal(setup->notes[1] + strlen(envelope),
                        "L X-Top: top\nL Subject: changed\nL X-Added: one\nN\n"
                        "B New body\r\n\nE\nQ\n");
    assert_string_equal(setup->notes[2] + strlen(envelope),
                        "L X-Top:top\nL Subject:changed\nL X-Added:one\nL X-Second:two\n"
                        "L Subject:more\nN\nB New body\r\n\nE\nQ\n");
    static const ChangeKind kinds[] = {CHANGE_ADD_HEADER,
                                       CHANGE_SET_HEADER,
                                       CHANGE_INSERT_HEADER,
                                       CHANGE_BODY,
                                       CHANGE_DELETE_HEADER,
                                       CHANGE_ADD_RECIPIENT,
                                       CHANGE_ADD_RECIPIENT_PAR,
                                       CHANGE_DELETE_RECIPIENT,
                                       CHANGE_SENDER,
                                       CHANGE_QUARANTINE,
                                       CHANGE_ADD_HEADER,
                                       CHANGE_SET_HEADER};
    assert_int_equal(change_list_count(changes), G_N_ELEMENTS(kinds));
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        assert_int_equal(change_list_get(changes, i)->kind, kinds[i]);
    assert_string_equal(change_list_get(changes, 0)->value, " one");
    assert_string_equal(change_list_get(changes, 10)->value, " two");
    assert_true(held_message_body_changed(message));
    setup_free(setup);
}

/* The space behind the colon, to a filter that sees it and to one that does not. */
static void
test_leading_space(void **state)
{
    (void)state;
    const Script scripts[] = {{.steps = MILTER_STEP_HDR_LEADSPC}, {0}};
    Setup *setup = setup_new(scripts, 2);
    g_autoptr(HeldMessage) message = held_message_new(1024 * 1024);
    g_autoptr(ChangeList) changes = change_list_new();
    static const char *const values[] = {"", " ", "  two", "none", "\ttab", " a\n b"};
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        held_message_header(message, "X", values[i]);
    setup_begin(setup);
    assert_int_equal(setup_event(setup, 'E', message, changes).verdict, FILTER_VERDICT_CONTINUE);
    setup_stop(setup);
    assert_string_equal(setup->notes[0],
                        "L X:\nL X: \nL X:  two\nL X:none\nL X:\ttab\nL X: a\n b\nN\nE\nQ\n");
    assert_string_equal(setup->notes[1],
                        "L X:\nL X:\nL X: two\nL X:none\nL X:\ttab\nL X:a\n b\nN\nE\nQ\n");
    setup_free(setup);
}

static void
test_message_with_a_gap(void **state)
{
    (void)state;
    const Script scripts[] = {{0}, {0}};
    Setup *setup = setup_new(scripts, 2);
    setup->policy[0].on_failure = FILTER_FAILURE_ACCEPT;
    g_autoptr(HeldMessage) message = held_message_new(0);
    g_autoptr(ChangeList) changes = change_list_new();
    held_message_header(message, "Subject", " there is no memory for it");
    assert_non_null(held_message_gap(message));
    setup_begin(setup);
    assert_played(setup, "CHMRT", "T CONTINUE");
    FilterResult result = setup_event(setup, 'E', message, changes);
    g_autofree char *text = result_text('E', &result);
    assert_string_equal(text, "E FAILED one");
    assert_int_equal(result.on_failure, FILTER_FAILURE_TEMPFAIL);
    assert_played(setup, "MRTE", "E CONTINUE");
    setup_stop(setup);
    for (guint i = 0; i < 2; i++)
        assert_string_equal(setup->notes[i],
                            SEEN_CLIENT SEEN_ENVELOPE "A\n" SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    setup_free(setup);
}

/* ---- messages and connections ---------------------------------------------------------------- */

static void
test_abort(void **state)
{
    (void)state;
    const Script script = {0};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    filter_chain_abort(setup->chain);
    assert_played(setup, "CH", "H CONTINUE");
    filter_chain_abort(setup->chain);
    static const struct {
        const char *stages, *result;
    } begun[] = {{"M", "M CONTINUE"}, {"MR", "R CONTINUE"}, {"MRT", "T CONTINUE"}};
    for (gsize i = 0; i < G_N_ELEMENTS(begun); i++) {
        assert_played(setup, begun[i].stages, begun[i].result);
        filter_chain_abort(setup->chain);
        filter_chain_abort(setup->chain);
    }
    /* A new one ends the one before. */
    assert_played(setup, "MM", "M CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT
                        "M <a@example.org> SIZE=1\nA\n"
                        "M <a@example.org> SIZE=1\nR <b@example.org>\nA\n" SEEN_ENVELOPE
                        "A\nM <a@example.org> SIZE=1\nA\nM <a@example.org> SIZE=1\nA\nQ\n");
    setup_free(setup);
}

static void
test_refused_recipients(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'R', .answers = "r"}, {0}};
    const Script scripts[] = {{0}, {.steps = MILTER_STEP_RCPT_REJ, .rules = rules}, {0}};
    Setup *setup = setup_new(scripts, 3);
    setup_begin(setup);
    assert_played(setup, "CHM", "M CONTINUE");
    filter_chain_rcpt(setup->chain, setup_rcpt, TRUE);
    assert_played(setup, "T", "T CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT "M <a@example.org> SIZE=1\nT\nA\nQ\n");
    assert_string_equal(setup->notes[1], SEEN_CLIENT SEEN_ENVELOPE "A\nQ\n");
    assert_string_equal(setup->notes[2], setup->notes[0]);
    setup_free(setup);
}

static void
test_mail_of_the_mta_itself(void **state)
{
    (void)state;
    const Script script = {0};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    filter_chain_connect(setup->chain, "localhost", MILTER_FAMILY_UNKNOWN, 0, NULL);
    filter_chain_mail(setup->chain, (const char *const[]){"", NULL});
    setup_stop(setup);
    assert_string_equal(setup->notes[0], "C localhost U 0 -\nM \nA\nQ\n");
    setup_free(setup);
}

static void
test_over_tcp(void **state)
{
    (void)state;
    const Script script = {.tcp = TRUE};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    setup_free(setup);
}

/* ---- negotiation ----------------------------------------------------------------------------- */

/* Of an old version, and what an old MTA offers. */
static void
test_old_versions(void **state)
{
    (void)state;
    const Script script = {.version = 2, .notes_macros = TRUE};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_int_equal(filter_chain_standing(setup->chain, 0).version, 2);
    assert_played(setup, "CHUMRTE", "E CONTINUE");
    setup_chain(setup);
    filter_chain_begin(setup->chain, MILTER_ACTIONS_V2, MILTER_STEPS_V2);
    assert_int_equal(filter_chain_standing(setup->chain, 0).version, 2);
    assert_int_equal(filter_chain_steps(setup->chain) & ~(guint32)MILTER_STEPS_V2, 0);
    setup_stop(setup);
    assert_null(strstr(setup->notes[0], "U "));
    assert_null(strstr(setup->notes[0], "\nT\n"));
    assert_null(strstr(setup->notes[0], "D T"));
    assert_non_null(strstr(setup->notes[0], "L Subject:x\n"));
    setup_free(setup);
}

static void
test_unwanted_is_not_sent(void **state)
{
    (void)state;
    const Script script = {.steps = MILTER_STEPS_NO};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, "CHUMRTE", "E CONTINUE");
    assert_string_equal(setup->news->str, "one O CONTINUE\none E CONTINUE\n");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], "E\nQ\n");
    setup_free(setup);
}

/* A filter that would never answer holds nothing up where no answer is due. */
static void
test_unanswered_is_not_awaited(void **state)
{
    (void)state;
    const ScriptRule rules[] = {{.command = 'C', .then = SCRIPT_HANG}, {0}};
    const Script script = {.steps = MILTER_STEPS_NR, .rules = rules};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    setup->policy[0].timeout_us = TIMEOUT_US;
    assert_played(setup, "CHUMRT", "T CONTINUE");
    gint64 begun_us = clock_monotonic_us();
    assert_played(setup, "E", "E FAILED one");
    assert_true(clock_monotonic_us() - begun_us >= TIMEOUT_US);
    setup_free(setup);
}

static void
test_unanswered_is_sent(void **state)
{
    (void)state;
    const Script script = {.steps = MILTER_STEPS_NR};
    Setup *setup = setup_new(&script, 1);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    assert_played(setup, "MRTE", "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0],
                        SEEN_CLIENT SEEN_ENVELOPE SEEN_MESSAGE SEEN_ENVELOPE SEEN_MESSAGE "Q\n");
    setup_free(setup);
}

static void
test_needs_of_all(void **state)
{
    (void)state;
    const Script scripts[] = {
        {.actions = MILTER_ACTION_ADDHDRS,
         .steps = (MILTER_STEPS_NO & ~MILTER_STEP_NOHELO) | MILTER_STEP_NR_HELO,
         .macros = {[MILTER_STAGE_ENVFROM] = "i,{auth_authen}", [MILTER_STAGE_EOM] = "{x} i"}},
        {.actions = MILTER_ACTION_CHGBODY,
         .steps = MILTER_STEPS_NO & ~MILTER_STEP_NOMAIL,
         .macros = {[MILTER_STAGE_ENVFROM] = "{mail_addr}",
                    [MILTER_STAGE_HELO] = "",
                    [MILTER_STAGE_EOM] = "{i}"}},
    };
    Setup *setup = setup_new(scripts, 2);
    setup_begin(setup);
    assert_int_equal(filter_chain_actions(setup->chain),
                     MILTER_ACTION_ADDHDRS | MILTER_ACTION_CHGBODY);
    guint32 steps = filter_chain_steps(setup->chain);
    assert_int_equal(steps & MILTER_STEPS_NO,
                     MILTER_STEPS_NO & ~(MILTER_STEP_NOHELO | MILTER_STEP_NOMAIL));
    assert_int_equal(steps & MILTER_STEPS_NR, MILTER_STEPS_NR & ~MILTER_STEP_NR_MAIL);
    assert_true(steps & MILTER_STEP_HDR_LEADSPC);
    static const struct {
        MilterStage stage;
        const char *own, *asked;
    } cases[] = {
        {MILTER_STAGE_CONNECT, NULL, NULL},
        {MILTER_STAGE_CONNECT, "j {daemon_name}", NULL},
        {MILTER_STAGE_CONNECT, "{client_port}",
         "{client_port} j _ v {daemon_name} {daemon_addr} {if_name} {if_addr}"},
        {MILTER_STAGE_ENVFROM, NULL, "i {auth_authen} {mail_addr}"},
        {MILTER_STAGE_ENVFROM, "j", "j i {auth_authen} {mail_addr}"},
        {MILTER_STAGE_EOM, "i", "i {x}"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *asked = filter_chain_macros(setup->chain, cases[i].stage, cases[i].own);
        if (cases[i].asked == NULL)
            assert_null(asked);
        else
            assert_string_equal(asked, cases[i].asked);
    }
    setup_free(setup);
}

/* ---- macros ---------------------------------------------------------------------------------- */

static void
test_macros(void **state)
{
    (void)state;
    const Script scripts[] = {
        {.notes_macros = TRUE},
        {.notes_macros = TRUE,
         .steps = MILTER_STEPS_NO & ~(MILTER_STEP_NORCPT | MILTER_STEP_NOEOH),
         .macros = {[MILTER_STAGE_CONNECT] = "{x} j",
                    [MILTER_STAGE_HELO] = "",
                    [MILTER_STAGE_ENVFROM] = "{none}",
                    [MILTER_STAGE_ENVRCPT] = "{rcpt_addr}",
                    [MILTER_STAGE_DATA] = "{none}",
                    [MILTER_STAGE_EOH] = "{i}",
                    [MILTER_STAGE_EOM] = "i"}},
    };
    Setup *setup = setup_new(scripts, 2);
    g_hash_table_insert(setup->macros, (gpointer) "j", (gpointer) "mx");
    g_hash_table_insert(setup->macros, (gpointer) "{x}", (gpointer) "y z");
    g_hash_table_insert(setup->macros, (gpointer) "{i}", (gpointer) "42");
    g_hash_table_insert(setup->macros, (gpointer) "i", (gpointer) "42");
    g_hash_table_insert(setup->macros, (gpointer) "{mail_addr}", (gpointer) "a@example.org");
    g_hash_table_insert(setup->macros, (gpointer) "{rcpt_addr}", (gpointer) "b@example.org");
    setup_begin(setup);
    assert_played(setup, "CMRTE", "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0],
                        "D C j=mx\nC mx.example.org 4 25 192.0.2.1\n"
                        "D M i=42 {mail_addr}=a@example.org\nM <a@example.org> SIZE=1\n"
                        "D R i=42 {rcpt_addr}=b@example.org\nR <b@example.org>\n"
                        "D T i=42\nT\nL Subject:x\nL X-Tab:\ty\nD N i=42\nN\nB Body\r\n\n"
                        "D E i=42\nE\nQ\n");
    assert_string_equal(setup->notes[1], "D C {x}=y z j=mx\nD M \n"
                                         "D R {rcpt_addr}=b@example.org\nR <b@example.org>\n"
                                         "D T \nD N {i}=42\nN\nD E i=42\nE\nQ\n");
    setup_free(setup);
}

/* One that asks for nothing gets what an MTA sends by itself, and what the administrator has it
 * send besides; but not what is known because another filter wants it. */
static void
test_macros_of_another(void **state)
{
    (void)state;
    const Script scripts[] = {
        {.notes_macros = TRUE, .steps = MILTER_STEPS_NO & ~MILTER_STEP_NOCONNECT},
        {.macros = {[MILTER_STAGE_CONNECT] = "{client_port} j"}},
    };
    Setup *setup = setup_new(scripts, 2);
    g_hash_table_insert(setup->macros, (gpointer) "j", (gpointer) "mx");
    g_hash_table_insert(setup->macros, (gpointer) "{client_port}", (gpointer) "4711");
    g_hash_table_insert(setup->macros, (gpointer) "{client_addr}", (gpointer) "192.0.2.1");
    setup_begin(setup);
    assert_played(setup, "C", "C CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0],
                        "D C j=mx {client_addr}=192.0.2.1\nC mx.example.org 4 25 192.0.2.1\nQ\n");
    setup_free(setup);
}

/* The MTA leaves out what nobody wants: its macros come with the next command. */
static void
test_macros_of_stages_left_out(void **state)
{
    (void)state;
    const Script script = {.notes_macros = TRUE, .steps = MILTER_STEPS_NO};
    Setup *setup = setup_new(&script, 1);
    g_hash_table_insert(setup->macros, (gpointer) "j", (gpointer) "mx");
    g_hash_table_insert(setup->macros, (gpointer) "{tls_version}", (gpointer) "TLSv1.3");
    g_hash_table_insert(setup->macros, (gpointer) "i", (gpointer) "42");
    setup_begin(setup);
    assert_played(setup, "E", "E CONTINUE");
    setup_stop(setup);
    assert_string_equal(setup->notes[0], "D C j=mx\nD H {tls_version}=TLSv1.3\nD M i=42\n"
                                         "D R i=42\nD T i=42\nD N i=42\nD E i=42\nE\nQ\n");
    setup_free(setup);
}

/* ---- large messages -------------------------------------------------------------------------- */

enum { LARGE = 6 * 1024 * 1024 };

static HeldMessage *
large_message(void)
{
    HeldMessage *message = held_message_new(64 * 1024 * 1024);
    g_autofree char *piece = g_malloc(64 * 1024);
    memset(piece, 'x', 64 * 1024);
    for (guint i = 0; i < LARGE / (64 * 1024); i++)
        held_message_body(message, piece, 64 * 1024);
    return message;
}

static guint
count_octets(const char *notes)
{
    guint count = 0;
    for (const char *line = notes; line != NULL; line = strchr(line, '\n')) {
        line += line[0] == '\n' ? 1 : 0;
        if (line[0] == 'B')
            count += (guint)g_ascii_strtoull(line + 1, NULL, 10);
    }
    return count;
}

static void
play_large(const Script *script, const char *expected, guint least, guint most)
{
    Setup *setup = setup_new(script, 1);
    g_autoptr(HeldMessage) message = large_message();
    g_autoptr(ChangeList) changes = change_list_new();
    assert_true(spool_is_file(held_message_get_body(message)));
    setup_begin(setup);
    FilterResult result = setup_event(setup, 'E', message, changes);
    g_autofree char *text = result_text('E', &result);
    assert_string_equal(text, expected);
    setup_stop(setup);
    assert_in_range(count_octets(setup->notes[0]), least, most);
    setup_free(setup);
}

static void
test_large_messages(void **state)
{
    (void)state;
    const ScriptRule rejects[] = {{.command = 'B', .nth = 3, .answers = "r"}, {0}};
    const ScriptRule skips[] = {{.command = 'B', .nth = 2, .answers = "s"}, {0}};
    const ScriptRule at_end[] = {{.command = 'E', .answers = "y554 5.6.0 no"}, {0}};
    const struct {
        Script script;
        const char *result;
        guint octets;
    } cases[] = {
        {{0}, "E CONTINUE", LARGE},
        {{.steps = MILTER_STEPS_NR}, "E CONTINUE", LARGE},
        {{.steps = MILTER_STEPS_NR, .rules = at_end}, "E REPLY one 554 5.6.0 no", LARGE},
        {{.rules = rejects}, "E REJECT one", 3 * MILTER_CHUNK_MAX},
        {{.rules = skips}, "E CONTINUE", 2 * MILTER_CHUNK_MAX},
        {{.steps = MILTER_STEP_NOBODY}, "E CONTINUE", 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        play_large(&cases[i].script, cases[i].result, cases[i].octets, cases[i].octets);
}

/* A long new body, in one packet and in many. */
static void
test_large_new_body(void **state)
{
    (void)state;
    g_autoptr(GString) answers = g_string_new("b");
    for (guint i = 0; i < 3 * 1024 * 1024; i++)
        g_string_append_c(answers, 'y');
    for (guint i = 0; i < 500; i++)
        g_string_append(answers, "\nbpiece");
    g_string_append(answers, "\nc");
    const ScriptRule rules[] = {{.command = 'E', .answers = answers->str}, {0}};
    const Script scripts[] = {{.rules = rules, .actions = MILTER_ACTION_CHGBODY}, {0}};
    Setup *setup = setup_new(scripts, 2);
    setup_begin(setup);
    assert_played(setup, WHOLE_SESSION, "E CONTINUE");
    setup_stop(setup);
    assert_int_equal(count_octets(setup->notes[1]), 3 * 1024 * 1024 + 500 * 5 + 2);
    setup_free(setup);
}

/* ---- many at once ---------------------------------------------------------------------------- */

enum { THREADS = 50, MESSAGES = 3 };

static void *
play_many(void *given)
{
    Setup *shared = given;
    /* A setup of its own but for the filters and what is known of them. */
    Setup own = {.count = shared->count, .states = shared->states, .macros = shared->macros};
    memcpy(own.policy, shared->policy, sizeof(own.policy));
    own.news = g_string_new(NULL);
    setup_chain(&own);
    setup_begin(&own);
    assert_played(&own, "CH", "H CONTINUE");
    for (guint i = 0; i < MESSAGES; i++)
        assert_played(&own, "MRTE", "E REPLY three 550 5.7.1 no");
    filter_chain_free(own.chain);
    g_string_free(own.news, TRUE);
    return NULL;
}

static void
test_many_at_once(void **state)
{
    (void)state;
    const ScriptRule adds[] = {{.command = 'E', .answers = "hX-One|1\nc"}, {0}};
    const ScriptRule refuses[] = {{.command = 'E', .answers = "y550 5.7.1 no"}, {0}};
    const Script scripts[] = {{.actions = MILTER_ACTION_ADDHDRS, .rules = adds},
                              {.steps = MILTER_STEPS_NR},
                              {.rules = refuses}};
    Setup *setup = setup_new(scripts, 3);
    pthread_t threads[THREADS];
    for (guint i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, play_many, setup);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    FilterCounters counters = filter_states_counters(setup->states, setup->policy[2].socket);
    assert_int_equal(counters.connections, THREADS);
    assert_int_equal(counters.refusals, THREADS * MESSAGES);
    assert_int_equal(counters.answers, THREADS * (2 + 4 * MESSAGES));
    assert_false(counters.open);
    setup_free(setup);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_told),
        cmocka_unit_test(test_each_verdict_at_each_stage),
        cmocka_unit_test(test_reply_is_raw),
        cmocka_unit_test(test_first_refusal_ends_the_event),
        cmocka_unit_test(test_refusal_of_a_message_aborts_the_others),
        cmocka_unit_test(test_others_decide_after_accept),
        cmocka_unit_test(test_all_accept),
        cmocka_unit_test(test_no_filters),
        cmocka_unit_test(test_later_filters_see_changes),
        cmocka_unit_test(test_leading_space),
        cmocka_unit_test(test_message_with_a_gap),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_refused_recipients),
        cmocka_unit_test(test_mail_of_the_mta_itself),
        cmocka_unit_test(test_over_tcp),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_unwanted_is_not_sent),
        cmocka_unit_test(test_unanswered_is_not_awaited),
        cmocka_unit_test(test_unanswered_is_sent),
        cmocka_unit_test(test_needs_of_all),
        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_macros_of_another),
        cmocka_unit_test(test_macros_of_stages_left_out),
        cmocka_unit_test(test_large_messages),
        cmocka_unit_test(test_large_new_body),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
