/*
 * engine/filter_reply, specific_status: what becomes of what another milter says.
 *
 * The reference is made from the number 0, so it is always "22222222".
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/filter_reply.h"
#include "engine/repair.h"

#define KEEP      "replies = { default = \"keep\"; };"
#define REPAIR    "replies = { default = \"repair\"; };"
#define ANNOTATE  "site = { reference = false; };"
#define REFERENCE "550 5.7.26 Reference: 22222222"
#define FILTERS                                                                                    \
    "filters = ( { name = \"opendmarc\"; socket = \"unix:/d\"; },"                                 \
    " { name = \"rspamd\"; socket = \"unix:/r\"; } );"

/* Raw texts have no NUL inside unless `length` says so. */
typedef struct {
    const char *policy;
    SmtpStage stage;
    FilterAnswerKind kind;
    const char *raw;     /* NULL: without a text */
    const char *said;    /* the lines, with CRLF between them */
    const char *repairs; /* names with spaces between them */
} Case;

static void
init_facts(Facts *facts, SmtpStage stage)
{
    facts_init(facts, DOOR_MILTER);
    facts->stage = stage;
    facts_set(facts, FACT_CLIENT, "198.51.100.7");
    facts_set(facts, FACT_SENDER, "a@example.org");
    facts_set(facts, FACT_RECIPIENT, "b@example.net");
}

static char *
names_of(const Decision *decision)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < decision->repairs->len; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "",
                               (const char *)g_ptr_array_index(decision->repairs, i));
    return g_strdup(names->str);
}

static const EngineMoment moment = {.now_us = 0, .random = 0};

static void
decide(const Policy *policy, Facts *facts, FilterAnswer answer, Decision *decision)
{
    if (answer.filter == NULL)
        answer.filter = "opendmarc";
    decision_init(decision);
    filter_reply_decide(policy, facts, &answer, &moment, decision);
}

/* Said again by a filter, it stays as it is. */
static void
assert_stays(const Policy *policy, const Facts *facts, const char *said)
{
    Decision again;
    Facts same;
    init_facts(&same, facts->stage);
    g_autoptr(GString) raw = g_string_new(said);
    g_string_replace(raw, "%", "%%", 0);
    decide(policy, &same, (FilterAnswer){.text = raw->str, .length = raw->len}, &again);
    g_autofree char *said_again = smtp_reply_to_wire(again.final);
    assert_string_equal(said_again, said);
    assert_int_equal(again.repairs->len, 0);
    decision_clear(&again);
    facts_clear(&same);
}

static void
assert_case(const Case *one, gssize length)
{
    Decision decision;
    Facts facts;
    g_autoptr(Policy) policy = policy_from(one->policy);
    init_facts(&facts, one->stage);
    decide(policy, &facts,
           (FilterAnswer){.kind = one->kind,
                          .text = one->raw,
                          .length = one->raw == NULL ? 0
                                    : length < 0     ? strlen(one->raw)
                                                     : (gsize)length},
           &decision);
    g_autofree char *said = smtp_reply_to_wire(decision.final);
    g_autofree char *repairs = names_of(&decision);
    if (strcmp(said, one->said) != 0 || strcmp(repairs, one->repairs) != 0)
        fail_msg("%s: %s\n%s\n(%s) not\n%s\n(%s)", one->policy, one->raw, said, repairs, one->said,
                 one->repairs);
    assert_int_equal(facts.door, DOOR_FILTER);
    assert_string_equal(facts_get(&facts, FACT_FILTER), "opendmarc");
    if (decision.verdict == VERDICT_REPLY)
        assert_true(decision.changed);
    assert_stays(policy, &facts, said);
    decision_clear(&decision);
    filter_reply_leave(&facts);
    assert_int_equal(facts.door, DOOR_MILTER);
    assert_null(facts_get(&facts, FACT_FILTER));
    assert_false(facts.wordless);
    facts_clear(&facts);
}

static void
assert_cases(const Case *cases, gsize count)
{
    for (gsize i = 0; i < count; i++)
        assert_case(&cases[i], -1);
}

/* Everything that is asked must be at the end of the message unless said otherwise. */
#define EOM_REPLY SMTP_STAGE_EOM, FILTER_ANSWER_REPLY

static void
broken_replies_become_whole(void **state)
{
    static const Case cases[] = {
        {REPAIR, EOM_REPLY, "550 5.7.1 no", "550 5.7.1 no", ""},
        {REPAIR, EOM_REPLY, "550 4.7.1 no", "550 5.7.1 no", "class-mismatch"},
        {REPAIR, EOM_REPLY, "451 5.7.1 no", "451 4.7.1 no", "class-mismatch"},
        {REPAIR, EOM_REPLY, "550", "550 5.7.1 mailbox unavailable, or refused by policy",
         "status-missing text-empty"},
        {REPAIR, EOM_REPLY, "", "451 4.3.0 local error, try again",
         "code-missing status-missing text-empty"},
        {REPAIR, EOM_REPLY, NULL, "451 4.3.0 local error, try again",
         "code-missing status-missing text-empty"},
        {REPAIR, EOM_REPLY, "no such thing", "451 4.3.0 no such thing",
         "code-missing status-missing"},
        {REPAIR, EOM_REPLY, "250 2.0.0 ok", "451 4.0.0 ok", "code-unknown class-mismatch"},
        {REPAIR, EOM_REPLY, "550 5.7.1 one\n550 5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 two",
         "bare-lf line-mark"},
        {REPAIR, EOM_REPLY, "550-5.7.1 one\r550 5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 two",
         "bare-cr"},
        {REPAIR, EOM_REPLY, "550-5.7.1 one\r\n551 5.7.1 two", "554-5.7.1 one\r\n554 5.7.1 two",
         "codes-differ code-at-stage"},
        {REPAIR, EOM_REPLY, "550-5.7.1 one\r\n550-5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 two",
         "line-mark"},
        {REPAIR, EOM_REPLY, "550 5.7.1 no\r\n", "550 5.7.1 no", "line-end"},
        {REPAIR, EOM_REPLY, "550 5.7.1 100%% sure", "550 5.7.1 100% sure", ""},
        {REPAIR, EOM_REPLY, "550 5.7.1 100% sure %s", "550 5.7.1 100% sure %s", "percent-lone"},
        {REPAIR, EOM_REPLY, "550 5.7.1 gr\xc3\xbc\xc3\x9f dich", "550 5.7.1 gruss dich",
         "8-bit-octet"},
        {REPAIR, EOM_REPLY,
         "550 5.7.1 a\x01"
         "b",
         "550 5.7.1 a?b", "control-octet"},
        /* The MTA hangs up, as it does on the filter's word without us. */
        {REPAIR, EOM_REPLY, "421 4.7.0 bye", "421 4.7.0 bye", ""},
        {REPAIR, SMTP_STAGE_RCPT, FILTER_ANSWER_REPLY, "421 bye", "421 4.3.2 bye",
         "status-missing"},
        {REPAIR, SMTP_STAGE_RCPT, FILTER_ANSWER_REPLY, "521 5.7.1 bye", "521 5.7.1 bye", ""},
        {REPAIR, EOM_REPLY, "521 5.7.1 bye", "521 5.7.1 bye", ""},
    };
    static const Case nul = {REPAIR, EOM_REPLY, "550 5.7.1 a\0b", "550 5.7.1 a b", "control-octet"};
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
    assert_case(&nul, 13);
}

static void
bare_answers_get_words(void **state)
{
    static const Case cases[] = {
        {REPAIR, SMTP_STAGE_EOM, FILTER_ANSWER_REJECT, NULL,
         "550 5.7.1 A rule of this site does not allow the message.", "text-empty"},
        {REPAIR, SMTP_STAGE_RCPT, FILTER_ANSWER_REJECT, NULL,
         "550 5.7.1 A rule of this site does not allow the message.", "text-empty"},
        {REPAIR, SMTP_STAGE_EOM, FILTER_ANSWER_TEMPFAIL, NULL,
         "451 4.7.1 The mail system had an internal error.", "text-empty"},
        {REPAIR, SMTP_STAGE_MAIL, FILTER_ANSWER_SHUTDOWN, NULL,
         "421 4.7.0 The mail system had an internal error.", "text-empty"},
        {REPAIR, SMTP_STAGE_DATA, FILTER_ANSWER_CONN_FAIL, NULL,
         "421 4.7.0 The mail system had an internal error.", "text-empty"},
        {KEEP, SMTP_STAGE_EOM, FILTER_ANSWER_REJECT, NULL, "550 5.7.1 Command rejected", ""},
        {KEEP, SMTP_STAGE_EOM, FILTER_ANSWER_TEMPFAIL, NULL,
         "451 4.7.1 Service unavailable - try again later", ""},
        {KEEP, SMTP_STAGE_EOM, FILTER_ANSWER_SHUTDOWN, NULL, "421 4.7.0 Server closing connection",
         ""},
        /* At connect only where the policy says so. */
        {"replies = { stages = \"connect\"; default = \"repair\"; };", SMTP_STAGE_CONNECT,
         FILTER_ANSWER_REJECT, NULL,
         "550 5.7.1 The sending host is blocked, by this site or by a block list.", "text-empty"},
        {REPAIR, SMTP_STAGE_CONNECT, FILTER_ANSWER_REJECT, NULL, "550 5.7.1 Command rejected", ""},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* The MTA's words are no ground for an explanation, and do not stand beside it. */
static void
bare_answers_are_explained(void **state)
{
    static const Case annotated = {
        ANNOTATE,
        SMTP_STAGE_EOM,
        FILTER_ANSWER_REJECT,
        NULL,
        "550 5.7.1 A rule of this site does not allow the message. Ask the postmaster of the "
        "recipient's site which one; the recipient may be able to have it changed.",
        "text-empty"};
    Decision decision;
    Facts facts;
    (void)state;
    g_autoptr(Policy) policy = policy_from(annotated.policy);
    init_facts(&facts, annotated.stage);
    decide(policy, &facts, (FilterAnswer){.kind = annotated.kind}, &decision);
    g_autofree char *original = smtp_reply_to_wire(decision.original);
    g_autofree char *said = smtp_reply_to_wire(decision.final);
    assert_string_equal(original, "550 5.7.1 Command rejected");
    assert_true(
        g_str_has_prefix(said, "550 5.7.1 A rule of this site does not allow the message. "));
    assert_null(strstr(said, "Command rejected"));
    assert_int_equal(smtp_reply_line_count(decision.final), 1);
    assert_int_equal(decision.cause.category, CATEGORY_POLICY);
    assert_int_equal(decision.cause.confidence, CONFIDENCE_LOW);
    assert_stays(policy, &facts, said);
    decision_clear(&decision);
    facts_clear(&facts);
}

static void
failures_name_nobody(void **state)
{
    static const Case cases[] = {
        {REPAIR, SMTP_STAGE_MAIL, FILTER_ANSWER_FAILED_TEMPFAIL, NULL,
         "451 4.3.0 A mail filter of this site is not available now; try again later.", ""},
        {REPAIR, SMTP_STAGE_EOM, FILTER_ANSWER_FAILED_REJECT, NULL,
         "554 5.3.0 A mail filter of this site is not available.", ""},
        {REPAIR, SMTP_STAGE_RCPT, FILTER_ANSWER_FAILED_REJECT, NULL,
         "554 5.3.0 A mail filter of this site is not available.", ""},
        {KEEP, SMTP_STAGE_MAIL, FILTER_ANSWER_FAILED_REJECT, NULL,
         "554 5.3.0 A mail filter of this site is not available.", ""},
        {ANNOTATE, SMTP_STAGE_MAIL, FILTER_ANSWER_FAILED_TEMPFAIL, NULL,
         "451-4.3.0 A mail filter of this site is not available now; try again later.\r\n"
         "451 4.3.0 The mail system had an internal error. Try again later; if it stays, tell the "
         "postmaster of the system that gave this reply.",
         ""},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

#define DMARC "550 5.7.1 rejected by DMARC policy for example.org"

static void
vague_statuses_become_specific(void **state)
{
    static const struct {
        const char *raw, *said;
    } cases[] = {
        {DMARC, "550 5.7.26 rejected by DMARC policy for example.org"},
        {"550 5.7.0 rejected by DMARC policy", "550 5.7.26 rejected by DMARC policy"},
        {"554 5.0.0 rejected by DMARC policy", "554 5.7.26 rejected by DMARC policy"},
        {"550 4.7.1 rejected by DMARC policy", "550 5.7.26 rejected by DMARC policy"},
        {"550 rejected by DMARC policy", "550 5.7.26 rejected by DMARC policy"},
        {"451 4.7.1 DMARC policy lookup failed", "451 4.7.26 DMARC policy lookup failed"},
        {"550 5.7.1 SPF fail - not authorized", "550 5.7.23 SPF fail - not authorized"},
        {"550 5.7.1 SPF permerror", "550 5.7.24 SPF permerror"},
        {"451 4.7.1 SPF temperror", "451 4.7.24 SPF temperror"},
        {"550 5.7.0 bad DKIM signature data", "550 5.7.20 bad DKIM signature data"},
        {"550 5.7.1 SPF and DKIM failed", "550 5.7.26 SPF and DKIM failed"},
        {"550 5.7.1 no PTR record for your address", "550 5.7.25 no PTR record for your address"},
        {"550 5.7.1 User unknown", "550 5.1.1 User unknown"},
        /* usual with a temporary refusal, or not */
        {"450 4.7.1 no PTR record for your address", "450 4.7.25 no PTR record for your address"},
        {"451 4.7.1 bad DKIM signature data", NULL},
        /* specific already, or nothing to say what it is */
        {"550 5.7.20 DMARC policy", NULL},
        {"550 5.7.1 forged sender address", NULL},
        {"550 5.7.1 no", NULL},
        {"554 5.7.1 Spam message rejected", NULL},
        {"451 4.7.1 Greylisting in action, please come back later", NULL},
    };
    Decision decision;
    Facts facts;
    (void)state;
    g_autoptr(Policy) policy = policy_from(REPAIR);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        init_facts(&facts, SMTP_STAGE_EOM);
        const char *raw = cases[i].raw;
        decide(policy, &facts, (FilterAnswer){.text = raw, .length = strlen(raw)}, &decision);
        g_autofree char *said = smtp_reply_to_wire(decision.final);
        assert_string_equal(said, cases[i].said != NULL ? cases[i].said : raw);
        g_autofree char *repairs = names_of(&decision);
        gboolean missing = strstr(repairs, "status-missing") != NULL;
        assert_int_equal(cases[i].said != NULL, missing || strstr(repairs, "status-vague") != NULL);
        assert_stays(policy, &facts, said);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* The whole of it: what a failed DMARC check looks like behind us. */
static void
dmarc_refusals_explain_themselves(void **state)
{
    Decision decision;
    Facts facts;
    (void)state;
    g_autoptr(Policy) policy = policy_from("");
    init_facts(&facts, SMTP_STAGE_EOM);
    decide(policy, &facts, (FilterAnswer){.text = DMARC, .length = strlen(DMARC)}, &decision);
    g_autofree char *said = smtp_reply_to_wire(decision.final);
    assert_true(g_str_has_prefix(said, "550-5.7.26 rejected by DMARC policy for example.org\r\n"
                                       "550-5.7.26 The message did not pass sender authentication "
                                       "(SPF, DKIM or DMARC)."));
    assert_true(g_str_has_suffix(said, REFERENCE));
    assert_string_equal(decision.reference, "22222222");
    assert_int_equal(decision.cause.category, CATEGORY_AUTHENTICATION_FAILED);
    assert_stays(policy, &facts, said);
    decision_clear(&decision);
    facts_clear(&facts);
}

/* Another door's reply keeps the status that it has. */
static void
only_filters_get_specific_statuses(void **state)
{
    Decision decision;
    Facts facts;
    (void)state;
    g_autoptr(Policy) policy = policy_from(REPAIR);
    g_autoptr(SmtpReply) reply = smtp_reply_parse(DMARC, -1);
    facts_init(&facts, DOOR_REJECT);
    decision_init(&decision);
    engine_reply(policy, &facts, reply, &moment, &decision);
    g_autofree char *said = smtp_reply_to_wire(decision.final);
    assert_string_equal(said, DMARC);
    decision_clear(&decision);
    facts_clear(&facts);
}

static void
kept_replies_are_sendable(void **state)
{
    static char longer[1100] = "550 5.7.1 ";
    memset(longer + strlen(longer), 'x', 1000);
    const Case cases[] = {
        {KEEP, EOM_REPLY, DMARC, DMARC, ""},
        {KEEP, EOM_REPLY, "550 no status", "550 no status", ""},
        {KEEP, EOM_REPLY, "421 4.7.0 bye", "421 4.7.0 bye", ""},
        {KEEP, EOM_REPLY, "599 5.7.1 no", "599 5.7.1 no", ""},
        {KEEP, EOM_REPLY, "550 5.7.1 100%% sure", "550 5.7.1 100% sure", ""},
        {KEEP, EOM_REPLY,
         "550 4.7.1 "
         "rejected by DMARC policy",
         "550 5.7.1 rejected by DMARC policy", "class-mismatch"},
        {KEEP, EOM_REPLY, "550 5.7.1 one\n550 5.7.1 two", "550-5.7.1 one\r\n550 5.7.1 two",
         "bare-lf line-mark"},
        {KEEP, EOM_REPLY, "250 ok", "451 4.0.0 ok", "code-unknown status-missing"},
    };
    Decision decision;
    Facts facts;
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
    g_autoptr(Policy) policy = policy_from(KEEP);
    init_facts(&facts, SMTP_STAGE_EOM);
    decide(policy, &facts, (FilterAnswer){.text = longer, .length = strlen(longer)}, &decision);
    g_autofree char *repairs = names_of(&decision);
    assert_non_null(strstr(repairs, "line-too-long"));
    assert_true(decision.changed);
    decision_clear(&decision);
    facts_clear(&facts);
}

#define RULES(rules) "replies = { rules = ( " rules " ); };"

static void
rules_know_the_filter(void **state)
{
    static const char text[] = ANNOTATE FILTERS RULES(
        "{ name = \"r\"; when = { filter = \"rspamd\"; };"
        "  then = { mode = \"replace\"; text = \"Rspamd said: %{original}\"; }; },"
        "{ name = \"d\"; when = { filter = \"open*\"; stage = \"eom\"; text = \"*dmarc*\"; };"
        "  then = { mode = \"replace\"; code = 450; change_class = true; text = \"Later.\"; }; }");
    static const struct {
        const char *filter, *raw, *said, *rule;
        FilterAnswerKind kind;
    } cases[] = {
        {"rspamd", "550 5.7.1 no", "550 5.7.1 Rspamd said: no", "r", FILTER_ANSWER_REPLY},
        {"rspamd", NULL, "550 5.7.1 Rspamd said: Command rejected", "r", FILTER_ANSWER_REJECT},
        {"opendmarc", DMARC, "450 4.7.26 Later.", "d", FILTER_ANSWER_REPLY},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_from(text);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Decision decision;
        Facts facts;
        const char *raw = cases[i].raw;
        init_facts(&facts, SMTP_STAGE_EOM);
        decide(policy, &facts,
               (FilterAnswer){.kind = cases[i].kind,
                              .filter = cases[i].filter,
                              .text = raw,
                              .length = raw != NULL ? strlen(raw) : 0},
               &decision);
        g_autofree char *said = smtp_reply_to_wire(decision.final);
        assert_string_equal(said, cases[i].said);
        assert_string_equal(decision.rule, cases[i].rule);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* The MTA's own mail: no rule, no annotation, but nothing that breaks the wire. */
static void
own_mail_is_left_untouched(void **state)
{
    static const struct {
        const char *raw, *said;
    } cases[] = {{DMARC, DMARC}, {"550 4.7.1 no", "550 5.7.1 no"}};
    Decision decision;
    Facts facts;
    (void)state;
    g_autoptr(Policy) policy = policy_from(
        RULES("{ name = \"a\"; then = { mode = \"replace\"; text = \"Something else.\"; }; }"));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        init_facts(&facts, SMTP_STAGE_EOM);
        decide(
            policy, &facts,
            (FilterAnswer){.text = cases[i].raw, .length = strlen(cases[i].raw), .untouched = TRUE},
            &decision);
        g_autofree char *said = smtp_reply_to_wire(decision.final);
        assert_string_equal(said, cases[i].said);
        assert_null(decision.rule);
        assert_false(facts.observed);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

static void
actions_are_told_with_their_reason(void **state)
{
    static const struct {
        const char *reason, *match;
        Category category;
    } cases[] = {
        {NULL, NULL, CATEGORY_UNCLASSIFIED},
        {"virus Eicar found", "virus", CATEGORY_VIRUS},
        {"held back", "held back", CATEGORY_UNCLASSIFIED},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_from("");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Decision decision;
        Facts facts;
        init_facts(&facts, SMTP_STAGE_EOM);
        decision_init(&decision);
        filter_reply_act(policy, &facts, "clamav", VERDICT_QUARANTINE, cases[i].reason, 1500,
                         &decision);
        assert_int_equal(decision.verdict, VERDICT_QUARANTINE);
        assert_int_equal(decision.cause.category, cases[i].category);
        if (cases[i].match == NULL)
            assert_null(decision.cause.match);
        else
            assert_string_equal(decision.cause.match, cases[i].match);
        assert_int_equal(decision.filter_us, 1500);
        assert_string_equal(facts_get(&facts, FACT_FILTER), "clamav");
        assert_null(decision.final);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* Whatever comes, what is said can be sent, and has the class of its code. */
static void
any_octets_give_a_reply(void **state)
{
    static const char *const pieces[] = {"550", "4.7.1", " ",    "-",   "\r\n",  "\n",
                                         "\r",  "%",     "%%",   "250", "x",     "421",
                                         "5",   "\xff",  "\x01", "no",  "5.7.1", "\xc3\xbc"};
    static const SmtpStage stages[] = {SMTP_STAGE_CONNECT, SMTP_STAGE_MAIL, SMTP_STAGE_EOM};
    static const char *const policies[] = {KEEP, REPAIR, ""};
    g_autoptr(GRand) chance = g_rand_new_with_seed(4);
    (void)state;
    for (guint p = 0; p < G_N_ELEMENTS(policies); p++) {
        g_autoptr(Policy) policy = policy_from(policies[p]);
        for (guint i = 0; i < 1500; i++) {
            g_autoptr(GString) raw = g_string_new(NULL);
            for (gint32 n = g_rand_int_range(chance, 0, 12); n > 0; n--)
                g_string_append(raw, pieces[g_rand_int_range(chance, 0, G_N_ELEMENTS(pieces))]);
            Decision decision;
            Facts facts;
            init_facts(&facts, stages[i % G_N_ELEMENTS(stages)]);
            decide(policy, &facts, (FilterAnswer){.text = raw->str, .length = raw->len}, &decision);
            const SmtpReply *final = decision.final;
            assert_in_range(final->code, 400, 599);
            if (enhanced_status_is_set(final->status))
                assert_int_equal(final->status.class, final->code / 100);
            assert_in_range(smtp_reply_line_count(final), 1, 32);
            for (guint line = 0; line < smtp_reply_line_count(final); line++) {
                const char *text = smtp_reply_line(final, line)->text;
                assert_null(strpbrk(text, "\r\n\x01"));
                assert_in_range(strlen(text), 1, 980);
            }
            decision_clear(&decision);
            facts_clear(&facts);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_replies_become_whole),
        cmocka_unit_test(bare_answers_get_words),
        cmocka_unit_test(bare_answers_are_explained),
        cmocka_unit_test(failures_name_nobody),
        cmocka_unit_test(vague_statuses_become_specific),
        cmocka_unit_test(dmarc_refusals_explain_themselves),
        cmocka_unit_test(only_filters_get_specific_statuses),
        cmocka_unit_test(kept_replies_are_sendable),
        cmocka_unit_test(rules_know_the_filter),
        cmocka_unit_test(own_mail_is_left_untouched),
        cmocka_unit_test(actions_are_told_with_their_reason),
        cmocka_unit_test(any_octets_give_a_reply),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
