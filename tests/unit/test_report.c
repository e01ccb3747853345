/*
 * engine/report and engine/proof: what shows that a mail was ours, and what follows without it.
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/report.h"

#define HOST "mx.example.net"
#define POLICY                                                                                     \
    "site = { hostname = \"" HOST "\"; networks = \"198.51.100.0/24\"; };"                         \
    "bounces = { recipients = [ \"bounces@*\", \"list-*-bounces@example.net\" ]; %s };"            \
    "classify = { rules = ( { name = \"odd\"; category = \"mailbox-full\"; text = \"*odd*\"; } "   \
    "); };"

/* A bounce with one recipient, by hand. */
typedef struct {
    Bounce bounce;
    BounceRecipient recipient;
} Sample;

static void
sample_init(Sample *sample, MailKind kind, const char *recipient, const char *text)
{
    memset(sample, 0, sizeof(*sample));
    sample->bounce = (Bounce){.kind = kind,
                              .recipients = g_ptr_array_new(),
                              .reporting_mta = (char *)"mx.remote.example",
                              .message_id = (char *)"",
                              .original_sender = (char *)"news@example.net"};
    if (recipient == NULL)
        return;
    BounceRecipient *one = &sample->recipient;
    *one = (BounceRecipient){.recipient = (char *)recipient,
                             .kind = kind,
                             .reply = smtp_reply_parse(text, -1),
                             .text = (char *)text,
                             .remote_mta = (char *)"mx.far.example"};
    ClassifierSubject subject = {.reply = one->reply,
                                 .finality =
                                     kind == MAIL_KIND_DELAY ? FINALITY_DELAYED : FINALITY_FAILED};
    classifier_reply(policy_fixture_classifier, &subject, &one->classification);
    g_ptr_array_add(sample->bounce.recipients, one);
}

static void
sample_clear(Sample *sample)
{
    g_clear_pointer(&sample->recipient.reply, smtp_reply_free);
    classification_clear(&sample->recipient.classification);
    g_ptr_array_unref(sample->bounce.recipients);
}

static Policy *
policy_with(const char *bounces)
{
    g_autofree char *text = g_strdup_printf(POLICY, bounces);
    return policy_from(text);
}

static void
proves_what_was_ours(void **state)
{
    static const struct {
        gboolean own;
        const char *client, *reporting_mta, *message_id, *to, *proof;
    } cases[] = {
        {FALSE, "192.0.2.1", "mx.remote.example", "", "news@example.net", "none"},
        {TRUE, NULL, "", "", "", "own-mta"},
        /* our own host, from our own network */
        {FALSE, "198.51.100.9", HOST, "", "", "own-mta"},
        {FALSE, "198.51.100.9", "MX.example.NET.", "", "", "own-mta"},
        {FALSE, "192.0.2.1", HOST, "", "", "none"},
        {FALSE, NULL, HOST, "", "", "none"},
        {FALSE, "198.51.100.9", "smx.example.net", "", "", "none"},
        {FALSE, "198.51.100.9", "", "", "", "none"},
        /* an address that names the recipient */
        {FALSE, NULL, "", "", "bounces+jo.doe=far.example@example.net", "verp"},
        {FALSE, NULL, "", "", "Bounces+Jo.Doe=FAR.example@example.net", "verp"},
        {FALSE, NULL, "", "", "bounces-jo.doe=far.example@example.net", "verp"},
        {FALSE, NULL, "", "", "bounces+17+jo.doe=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "list-x-bounces+jo.doe=far.example@example.net", "verp"},
        {FALSE, NULL, "", "", "bounces+eve=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "bounces+xjo.doe=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "someone+jo.doe=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "jo.doe=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "+jo.doe=far.example@example.net", "none"},
        {FALSE, NULL, "", "", "bounces@example.net", "none"},
        {FALSE, NULL, "", "", "bounces", "none"},
        /* the original's Message-ID */
        {FALSE, NULL, "", "1234.5678@" HOST, "", "message-id"},
        {FALSE, NULL, "", "1234.5678@Mx.Example.Net", "", "message-id"},
        {FALSE, NULL, "", "1234.5678@x." HOST, "", "none"},
        {FALSE, NULL, "", "1234@" HOST "@evil.example", "", "none"},
        {FALSE, NULL, "", HOST, "", "none"},
        {FALSE, NULL, "", "@", "", "none"},
        /* the strongest */
        {FALSE, NULL, "", "1@" HOST, "bounces+jo.doe=far.example@example.net", "verp"},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_with("");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Sample sample;
        const char *const recipients[] = {"other@example.net", cases[i].to, NULL};
        const ReportWay way = {.own = cases[i].own,
                               .client = cases[i].client,
                               .hostname = HOST,
                               .recipients = recipients};
        sample_init(&sample, MAIL_KIND_FAILURE, "jo.doe@far.example", "550 5.1.1 no such user");
        sample.bounce.reporting_mta = (char *)cases[i].reporting_mta;
        sample.bounce.message_id = (char *)cases[i].message_id;
        const char *proof =
            proof_name(proof_find(policy, &way, &sample.bounce, "jo.doe@far.example"));
        if (strcmp(proof, cases[i].proof) != 0)
            fail_msg("case %zu: %s, not %s", i, proof, cases[i].proof);
        sample_clear(&sample);
    }
}

static void
without_a_proof_nobody_is_given_up(void **state)
{
    static const struct {
        const char *trust;
        MailKind kind;
        const char *text;
        Proof proof; /* message-id, own-mta or none */
        const char *action;
    } cases[] = {
        {"", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_NONE, "review"},
        {"", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_MESSAGE_ID, "suppress"},
        {"", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_OWN_MTA, "suppress"},
        {"", MAIL_KIND_FAILURE, "550 5.1.2 no such domain", PROOF_NONE, "review"},
        {"", MAIL_KIND_FAILURE, "550 5.1.2 no such domain", PROOF_OWN_MTA, "correct-address"},
        {"", MAIL_KIND_FAILURE, "552 5.2.2 mailbox full", PROOF_NONE, "retry"},
        {"", MAIL_KIND_DELAY, "450 4.2.2 mailbox full", PROOF_NONE, "retry"},
        {"trust = \"own-mta\";", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_MESSAGE_ID,
         "review"},
        {"trust = \"own-mta\";", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_OWN_MTA,
         "suppress"},
        {"trust = \"all\";", MAIL_KIND_FAILURE, "550 5.1.1 no such user", PROOF_NONE, "suppress"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Sample sample;
        Facts facts, reported;
        Decision decision;
        g_autoptr(Policy) policy = policy_with(cases[i].trust);
        const ReportWay way = {.own = cases[i].proof == PROOF_OWN_MTA, .hostname = HOST};
        sample_init(&sample, cases[i].kind, "jo@far.example", cases[i].text);
        if (cases[i].proof == PROOF_MESSAGE_ID)
            sample.bounce.message_id = (char *)"1@" HOST;
        facts_init(&facts, DOOR_MILTER);
        decision_init(&decision);
        report_decide(policy, &way, &facts, &sample.bounce, 0, &reported, &decision);
        if (strcmp(action_name(decision.cause.action), cases[i].action) != 0)
            fail_msg("case %zu: %s, not %s", i, action_name(decision.cause.action),
                     cases[i].action);
        assert_int_equal(decision.proof, cases[i].proof);
        decision_clear(&decision);
        sample_clear(&sample);
    }
}

static void
tells_of_the_mail_that_failed(void **state)
{
    Sample sample;
    Facts facts, reported;
    Decision decision;
    (void)state;
    g_autoptr(Policy) policy = policy_with("");
    const ReportWay way = {.hostname = HOST};
    sample_init(&sample, MAIL_KIND_FAILURE, "jo@far.example",
                "550 5.7.1 odd (in reply to RCPT TO command)");
    sample.bounce.message_id = (char *)"1@a.example";
    sample.bounce.truncated = TRUE;
    facts_init(&facts, DOOR_MILTER);
    facts.stage = SMTP_STAGE_EOM;
    facts.queue_id = g_strdup("4F1");
    facts_set(&facts, FACT_SENDER, "");
    facts_set(&facts, FACT_CLIENT, "192.0.2.1");
    decision_init(&decision);
    assert_int_equal(report_count(&sample.bounce), 1);
    report_decide(policy, &way, &facts, &sample.bounce, 0, &reported, &decision);
    assert_string_equal(facts_get(&reported, FACT_SENDER), "news@example.net");
    assert_string_equal(facts_get(&reported, FACT_RECIPIENT), "jo@far.example");
    assert_string_equal(facts_get(&reported, FACT_CLIENT), "192.0.2.1");
    assert_string_equal(reported.queue_id, "4F1");
    assert_int_equal(reported.stage, SMTP_STAGE_RCPT);
    assert_int_equal(decision.original->code, 550);
    assert_string_equal(decision.reporting_mta, "mx.remote.example");
    assert_string_equal(decision.remote_mta, "mx.far.example");
    assert_string_equal(decision.message_id, "1@a.example");
    assert_int_equal(decision.gap, REPORT_GAP_LIMITS);
    /* The site knows what is odd. */
    assert_string_equal(decision.cause.rule, "site:odd");
    assert_int_equal(decision.cause.category, CATEGORY_MAILBOX_FULL);
    decision_clear(&decision);
    facts_clear(&facts);
    sample_clear(&sample);
}

/* What the address that it came to says of the recipient. */
static void
asks_the_address_where_the_report_is_silent(void **state)
{
    static const struct {
        const char *to, *recipient;
    } cases[] = {
        {"bounces+jo.doe=far.example@example.net", "jo.doe@far.example"},
        {"bounces-jo.doe=far.example@example.net", "jo.doe@far.example"},
        {"bounces+jo+x=y=far.example@example.net", "jo+x=y@far.example"},
        {"bounces+jo@example.net", NULL},
        {"bounces+=far.example@example.net", NULL},
        {"bounces+jo=@example.net", NULL},
        {"someone+jo=far.example@example.net", NULL},
        {"bounces", NULL},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_with("");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Sample sample;
        Facts facts, reported;
        Decision decision;
        const char *const recipients[] = {cases[i].to, NULL};
        const ReportWay way = {.hostname = HOST, .recipients = recipients};
        sample_init(&sample, MAIL_KIND_FAILURE, "", "550 5.1.1 no such user");
        facts_init(&facts, DOOR_MILTER);
        decision_init(&decision);
        report_decide(policy, &way, &facts, &sample.bounce, 0, &reported, &decision);
        const char *recipient = facts_get(&reported, FACT_RECIPIENT);
        if (g_strcmp0(recipient, cases[i].recipient) != 0)
            fail_msg("%s: %s", cases[i].to, recipient);
        assert_int_equal(decision.proof, recipient != NULL ? PROOF_VERP : PROOF_NONE);
        decision_clear(&decision);
        sample_clear(&sample);
    }
}

static void
a_report_that_names_nobody_is_told_once(void **state)
{
    static const struct {
        MailKind kind;
        Category category;
        const char *action;
    } cases[] = {
        {MAIL_KIND_FAILURE, CATEGORY_UNCLASSIFIED, "review"},
        {MAIL_KIND_DELAY, CATEGORY_UNCLASSIFIED, "review"},
        {MAIL_KIND_DELIVERED, CATEGORY_DELIVERED, "none"},
        {MAIL_KIND_FEEDBACK, CATEGORY_FEEDBACK_REPORT, "review"},
        {MAIL_KIND_AUTO_REPLY, CATEGORY_AUTO_REPLY, "none"},
    };
    (void)state;
    g_autoptr(Policy) policy = policy_with("");
    const ReportWay way = {.hostname = HOST};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Sample sample;
        Facts facts, reported;
        Decision decision;
        sample_init(&sample, cases[i].kind, NULL, NULL);
        facts_init(&facts, DOOR_MILTER);
        decision_init(&decision);
        assert_int_equal(report_count(&sample.bounce), 1);
        report_decide(policy, &way, &facts, &sample.bounce, 0, &reported, &decision);
        assert_int_equal(decision.cause.category, cases[i].category);
        assert_string_equal(action_name(decision.cause.action), cases[i].action);
        assert_null(facts_get(&reported, FACT_RECIPIENT));
        assert_int_equal(decision.original != NULL, cases[i].kind <= MAIL_KIND_DELAY);
        decision_clear(&decision);
        sample_clear(&sample);
    }
    Sample none;
    sample_init(&none, MAIL_KIND_NOT_A_BOUNCE, NULL, NULL);
    assert_int_equal(report_count(&none.bounce), 0);
    sample_clear(&none);
}

/* Its subject tells of a person: "Out of office: my surgery". */
static void
what_an_automatic_answer_says_is_left_out(void **state)
{
    (void)state;
    g_autoptr(Policy) policy = policy_with("");
    const ReportWay way = {.hostname = HOST};
    for (int kind = MAIL_KIND_DELIVERED; kind <= MAIL_KIND_AUTO_REPLY; kind++) {
        Sample sample;
        Facts facts, reported;
        Decision decision;
        sample_init(&sample, (MailKind)kind, "jo.doe@far.example", "my surgery on Monday");
        facts_init(&facts, DOOR_MILTER);
        decision_init(&decision);
        report_decide(policy, &way, &facts, &sample.bounce, 0, &reported, &decision);
        assert_string_equal(facts_get(&reported, FACT_RECIPIENT), "jo.doe@far.example");
        assert_int_equal(decision.original == NULL, kind == MAIL_KIND_AUTO_REPLY);
        decision_clear(&decision);
        sample_clear(&sample);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proves_what_was_ours),
        cmocka_unit_test(without_a_proof_nobody_is_given_up),
        cmocka_unit_test(tells_of_the_mail_that_failed),
        cmocka_unit_test(asks_the_address_where_the_report_is_silent),
        cmocka_unit_test(a_report_that_names_nobody_is_told_once),
        cmocka_unit_test(what_an_automatic_answer_says_is_left_out),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
