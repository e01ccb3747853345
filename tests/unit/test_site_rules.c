/*
 * engine/site_rules: what a site knows better wins, at every door that has a reply.
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/cause.h"
#include "engine/engine.h"
#include "engine/site_rules.h"

static const EngineMoment moment = {.now_us = 0, .random = 0};

#define RULES(rules) "classify = { rules = ( " rules " ); };"

static void
decide(const Policy *policy, Door door, const char *text, Decision *decision)
{
    Facts facts;
    /* The delivery table's key is a status and a text. */
    g_autoptr(SmtpReply) reply = door == DOOR_DELIVERY
                                     ? smtp_reply_new(0, (EnhancedStatus){5, 7, 1}, text)
                                     : smtp_reply_parse(text, -1);
    facts_init(&facts, door);
    decision_init(decision);
    engine_reply(policy, &facts, reply, &moment, decision);
    facts_clear(&facts);
}

static void
the_first_that_matches_wins(void **state)
{
    static const struct {
        const char *rules, *text, *category, *rule;
    } cases[] = {
        {"{ category = \"policy\"; text = \"/odd wording/\"; }",
         "550 5.1.1 no such user, odd wording", "policy", "site:1"},
        {"{ category = \"policy\"; text = \"/odd wording/\"; }", "550 5.1.1 no such user",
         "user-unknown", NULL},
        {"{ name = \"a\"; category = \"spam\"; code = 550; },"
         "{ name = \"b\"; category = \"virus\"; code = \"55*\"; }",
         "550 5.1.1 no such user", "spam", "site:a"},
        {"{ name = \"a\"; category = \"spam\"; code = 551; },"
         "{ name = \"b\"; category = \"virus\"; code = \"55*\"; }",
         "550 5.1.1 no such user", "virus", "site:b"},
        {"{ category = \"mailbox-full\"; status = \"5.7.1\"; text = \"*allotment*\"; }",
         "550 5.7.1 over its allotment", "mailbox-full", "site:1"},
        {"{ category = \"mailbox-full\"; status = \"5.7.1\"; text = \"*allotment*\"; }",
         "550 5.2.1 over its allotment", NULL, NULL},
        {"{ category = \"rate-limited\"; provider = \"google\"; }",
         "host gmail-smtp-in.l.google.com[192.0.2.1] said: 550 5.1.1 no such user", "rate-limited",
         "site:1"},
        {"{ category = \"rate-limited\"; provider = \"google\"; }", "550 5.1.1 no such user",
         "user-unknown", NULL},
        {"{ category = \"rate-limited\"; provider = \"!google\"; }", "550 5.1.1 no such user",
         "rate-limited", "site:1"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Decision decision;
        g_autofree char *text = g_strdup_printf(RULES("%s"), cases[i].rules);
        g_autoptr(Policy) policy = policy_from(text);
        decide(policy, DOOR_REJECT, cases[i].text, &decision);
        const char *category = category_info(decision.cause.category)->name;
        if (cases[i].category != NULL && strcmp(category, cases[i].category) != 0)
            fail_msg("%s: %s, not %s", cases[i].text, category, cases[i].category);
        if (cases[i].rule != NULL)
            assert_string_equal(decision.cause.rule, cases[i].rule);
        else
            assert_false(g_str_has_prefix(decision.cause.rule, "site:"));
        decision_clear(&decision);
    }
}

/* The same text at the tables, with or without Postfix's words around it. */
static void
a_text_means_the_same_at_every_door(void **state)
{
    static const struct {
        Door door;
        const char *text;
    } cases[] = {
        {DOOR_REJECT, "550 5.7.1 Odd wording"},
        {DOOR_FOOTER, "550 5.7.1 Odd wording"},
        {DOOR_FILTER, "550 5.7.1 Odd wording"},
        {DOOR_DELIVERY, "host mx.example[192.0.2.1] said: 550 5.7.1 Odd wording (in reply to "
                        "RCPT TO command)"},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_from(
        RULES("{ name = \"odd\"; category = \"user-unknown\"; text = \"odd wording\"; }"));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Decision decision;
        decide(policy, cases[i].door, cases[i].text, &decision);
        assert_string_equal(decision.cause.rule, "site:odd");
        assert_int_equal(decision.cause.category, CATEGORY_USER_UNKNOWN);
        assert_true(decision.cause.permanent);
        assert_int_equal(decision.cause.action, ACTION_SUPPRESS);
        assert_int_equal(decision.cause.confidence, CONFIDENCE_HIGH);
        assert_string_equal(decision.cause.match, "550 5.7.1 Odd wording");
        decision_clear(&decision);
    }
}

/* At the rbl table there is no reply, and a delivery that was made is no failure. */
static void
what_is_no_refusal_is_let_be(void **state)
{
    Decision decision;
    (void)state;
    g_autoptr(Policy) policy = policy_from(RULES("{ category = \"policy\"; text = \"*\"; }"));
    decide(policy, DOOR_RBL, "rbl.example=127.0.0.2", &decision);
    assert_int_equal(decision.cause.category, CATEGORY_HOST_BLOCKED);
    assert_false(g_str_has_prefix(decision.cause.rule, "site:"));
    decision_clear(&decision);
    decide(policy, DOOR_FILTER, "250 2.0.0 Ok", &decision);
    assert_int_equal(decision.cause.category, CATEGORY_DELIVERED);
    decision_clear(&decision);
}

static void
evidence_is_cut_at_a_whole_letter(void **state)
{
    Decision decision;
    (void)state;
    g_autoptr(Policy) policy = policy_from(RULES("{ category = \"policy\"; text = \"*\"; }"));
    for (guint before = 0; before < 4; before++) {
        g_autoptr(GString) text = g_string_new("550 5.7.1 ");
        for (guint i = 0; i < before; i++)
            g_string_append_c(text, 'x');
        for (guint i = 0; i < 200; i++)
            g_string_append(text, "\xe2\x82\xac");
        decide(policy, DOOR_REJECT, text->str, &decision);
        assert_true(g_utf8_validate(decision.cause.match, -1, NULL));
        assert_true(strlen(decision.cause.match) <= 203);
        assert_true(g_str_has_suffix(decision.cause.match, "..."));
        decision_clear(&decision);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_matches_wins),
        cmocka_unit_test(a_text_means_the_same_at_every_door),
        cmocka_unit_test(what_is_no_refusal_is_let_be),
        cmocka_unit_test(evidence_is_cut_at_a_whole_letter),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
