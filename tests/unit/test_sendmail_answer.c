/*
 * engine/sendmail_answer: what a rule set asks, and the one quoted line that it gets.
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/sendmail_answer.h"

#define NO_REFERENCE "site = { reference = false; };"
#define REPLACE(then)                                                                              \
    NO_REFERENCE "replies = { rules = ( { name = \"r\"; when = { stage = \"rcpt\"; }; then = { "   \
                 "mode = \"replace\"; " then " }; } ); };"

static const EngineMoment moment = {.now_us = 0, .random = 0};

typedef struct {
    const char *policy, *key;
    const char *answer; /* NULL: not found */
} Case;

static const Case cases[] = {
    {"replies = { default = \"keep\"; };", "5.7.1/550 Relaying denied", NULL},
    {REPLACE("text = \"No.\";"), "5.7.1/550 Relaying denied", "\"550 5.7.1 No.\""},
    {REPLACE("text = [ \"No way\", \"Ask us.\", \"Reference 1\" ];"), "5.7.1/550 Relaying denied",
     "\"550 5.7.1 No way - Ask us. Reference 1\""},
    {REPLACE("text = \"say \\\"no\\\" to C:\\\\\";"), "550 5.7.1 Relaying denied",
     "\"550 5.7.1 say 'no' to C:/\""},
    /* the text's own status is the reply's */
    {REPLACE("text = \"No.\";"), "5.0.0/550 5.7.1 Relaying denied", "\"550 5.7.1 No.\""},
    {REPLACE("text = \"No.\";"), "450 4.2.2 Full", "\"450 4.2.2 No.\""},
    {REPLACE("code = 554; status = \"5.7.8\"; text = \"No.\";"), "5.7.1/550 x",
     "\"554 5.7.8 No.\""},
    /* what is no refusal */
    {REPLACE("text = \"No.\";"), "", NULL},
    {REPLACE("text = \"No.\";"), "5.7.1", NULL},
    {REPLACE("text = \"No.\";"), "5.7.1/", NULL},
    {REPLACE("text = \"No.\";"), "5.7.1/550", NULL},
    {REPLACE("text = \"No.\";"), "5.7.1550 Relaying denied", NULL},
    {REPLACE("text = \"No.\";"), "2.1.5/250 ok", NULL},
    {REPLACE("text = \"No.\";"), "no such user", NULL},
};

static char *
ask(const char *policy_text, const char *key, char **final)
{
    Facts facts;
    Decision decision;
    g_autoptr(Policy) policy = policy_from(policy_text);
    facts_init(&facts, DOOR_REJECT);
    decision_init(&decision);
    char *answer = sendmail_answer(policy, key, &facts, &moment, &decision);
    *final = answer != NULL ? smtp_reply_to_line(decision.final) : NULL;
    assert_true(answer == NULL || facts.stage == SMTP_STAGE_RCPT);
    decision_clear(&decision);
    facts_clear(&facts);
    return answer;
}

static void
answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *final = NULL;
        g_autofree char *answer = ask(cases[i].policy, cases[i].key, &final);
        if (g_strcmp0(answer, cases[i].answer) != 0)
            fail_msg("\"%s\": \"%s\" instead of \"%s\"", cases[i].key, answer, cases[i].answer);
        if (answer == NULL)
            continue;
        /* what stands in the event is what was said */
        assert_memory_equal(answer + 1, final, strlen(final));
    }
}

static void
annotates_on_one_line(void **state)
{
    g_autofree char *final = NULL;
    (void)state;
    g_autofree char *answer = ask("", "5.7.1/550 Relaying denied", &final);
    assert_non_null(answer);
    assert_true(g_str_has_prefix(answer, "\"550 5.7.1 Relaying denied - "));
    assert_true(g_str_has_suffix(answer, " Reference: 22222222\""));
}

/* A line too many is left out, never the last one; one line alone is cut. */
static void
is_bounded(void **state)
{
    g_autofree char *long_line = g_strnfill(300, 'a');
    g_autofree char *policy = g_strdup_printf(
        REPLACE("text = [ \"first\", \"%s\", \"%s\", \"last\" ];"), long_line, long_line);
    g_autofree char *expected = g_strdup_printf("\"550 5.7.1 first - %s - last\"", long_line);
    g_autofree char *final = NULL, *cut_final = NULL;
    (void)state;
    g_autofree char *answer = ask(policy, "550 5.7.1 x", &final);
    assert_string_equal(answer, expected);
    g_autofree char *longer = g_strnfill(480, 'b');
    g_autofree char *one = g_strdup_printf(REPLACE("text = \"%s\";"), longer);
    g_autofree char *cut = ask(one, "550 5.7.1 x", &cut_final);
    assert_int_equal(strlen(cut), strlen("\"550 5.7.1 \"") + SENDMAIL_ANSWER_TEXT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(annotates_on_one_line),
        cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
