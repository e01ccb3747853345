/*
 * engine: what is said about a reply, and why.
 *
 * Read this to see what replymilter does: each case is a policy, a reply, and what becomes of it.
 * The reference is made from the number 0, so it is always "22222222".
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/engine.h"

#define REFERENCE "Reference: 22222222"

/* A site that says where help is to be found, and no more. */
#define SITE                                                                                       \
    "site = { hostname = \"mx.example.net\"; networks = [ \"192.0.2.0/24\" ];"                     \
    " help_url = \"https://help.example.net/%{status}\"; contact = \"postmaster@example.net\"; };"

#define HELP_5_1_1   "Help: https://help.example.net/5.1.1 or postmaster@example.net"

#define NO_REFERENCE "site = { reference = false; };"

#define RULES(rules) "replies = { rules = ( " rules " ); };"

static const EngineMoment moment = {.now_us = 0, .random = 0};

/* A session from outside, at RCPT. */
static void
set_session(Facts *facts)
{
    facts->stage = SMTP_STAGE_RCPT;
    facts_set(facts, FACT_CLIENT, "198.51.100.7");
    facts_set(facts, FACT_CLIENT_NAME, "mail.example.org");
    facts_set(facts, FACT_HELO, "mail.example.org");
    facts_set(facts, FACT_SENDER, "alice@example.org");
    facts_set(facts, FACT_RECIPIENT, "bob@example.net");
    facts_set(facts, FACT_AUTH_USER, "");
    facts_set(facts, FACT_DIRECTION, "inbound");
    facts->queue_id = g_strdup("4KX2sR1z");
}

static void
decide(const char *policy_text, const Facts *facts, const char *reply_text, Decision *decision)
{
    g_autoptr(Policy) policy = policy_from(policy_text);
    g_autoptr(SmtpReply) reply = smtp_reply_parse(reply_text, -1);
    decision_init(decision);
    engine_reply(policy, facts, reply, &moment, decision);
    decision->rule = NULL; /* belongs to the policy */
}

/* NULL: left alone. */
static void
assert_said(const char *policy_text, Facts *facts, const char *reply, const char *said)
{
    Decision decision;
    decide(policy_text, facts, reply, &decision);
    g_autofree char *final = smtp_reply_to_wire(decision.final);
    assert_string_equal(final, said == NULL ? reply : said);
    assert_int_equal(decision.verdict, said == NULL ? VERDICT_PASS : VERDICT_REPLY);
    assert_int_equal(decision.changed, said != NULL);
    decision_clear(&decision);
}

typedef struct {
    const char *policy, *reply;
    const char *said; /* NULL: left alone */
} Case;

static void
assert_cases(const Case *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        Facts facts;
        facts_init(&facts, DOOR_FILTER);
        set_session(&facts);
        assert_said(cases[i].policy, &facts, cases[i].reply, cases[i].said);
        facts_clear(&facts);
    }
}

/* ---- the default ------------------------------------------------------------------------------
 */

static void
default_annotates(void **state)
{
    static const Case cases[] = {
        /* What is wrong, what to do, where to find help, and the id of the event. */
        {SITE, "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown",
         "550-5.1.1 <bob@example.net>: Recipient address rejected: User unknown\r\n"
         "550-5.1.1 There is no such mailbox here. Check the spelling of the address; if it is "
         "right, ask the recipient for the current one and take this one off your lists.\r\n"
         "550-5.1.1 " HELP_5_1_1 "\r\n"
         "550 5.1.1 " REFERENCE},
        /* Without a help page and a reference only what is known anyway. */
        {NO_REFERENCE, "452 4.2.2 Mailbox full",
         "452-4.2.2 Mailbox full\r\n"
         "452 4.2.2 The recipient's mailbox is full. Try again in a day or two, or tell the "
         "recipient by another way."},
        /* It is repaired on the way: the class of the status follows the code. */
        {NO_REFERENCE, "550 4.1.1 User unknown",
         "550-5.1.1 User unknown\r\n"
         "550 5.1.1 There is no such mailbox here. Check the spelling of the address; if it is "
         "right, ask the recipient for the current one and take this one off your lists."},
        {"replies = { default = \"keep\"; };", "550 4.1.1 User unknown", NULL},
        {"replies = { default = \"repair\"; };", "550 4.1.1 User unknown",
         "550 5.1.1 User unknown"},
        {"replies = { default = \"repair\"; };", "550 5.1.1 User unknown", NULL},
        {"replies = { stages = [ \"mail\" ]; };", "550 5.1.1 User unknown", NULL},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* ---- rules ------------------------------------------------------------------------------------
 */

static void
first_rule_that_matches_speaks(void **state)
{
    static const Case cases[] = {
        {NO_REFERENCE RULES(
             "{ name = \"a\"; when = { category = \"spam\"; };"
             "  then = { mode = \"replace\"; text = \"The first rule.\"; }; },"
             "{ name = \"b\"; when = { category = \"user-unknown\"; code = \"550\"; };"
             "  then = { mode = \"replace\"; text = \"The second rule.\"; }; },"
             "{ name = \"c\"; when = { code = \"550\"; };"
             "  then = { mode = \"replace\"; text = \"The third rule.\"; }; }"),
         "550 5.1.1 User unknown", "550 5.1.1 The second rule."},
        {NO_REFERENCE RULES(
             "{ name = \"a\"; when = { code = \"550\"; }; then = { mode = \"keep\"; }; },"
             "{ name = \"b\"; when = { code = \"550\"; };"
             "  then = { mode = \"replace\"; text = \"The second rule.\"; }; }"),
         "550 4.1.1 User unknown", NULL},
        /* All conditions of one `when` are needed. */
        {NO_REFERENCE "replies = { default = \"keep\"; rules = ("
                      "{ name = \"a\"; when = { category = \"user-unknown\"; sender = \"x@*\"; };"
                      "  then = { mode = \"replace\"; text = \"The first rule.\"; }; } ); };",
         "550 5.1.1 User unknown", NULL},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void
rule_sets_code_status_and_text(void **state)
{
    static const Case cases[] = {
        {NO_REFERENCE RULES(
             "{ name = \"a\"; when = { category = \"user-unknown\"; };"
             "  then = { mode = \"replace\"; code = 553; status = \"5.1.3\";"
             "           text = [ \"No mailbox %{recipient} here.\", \"Ask %{sender}.\" ]; }; }"),
         "550 5.1.1 User unknown",
         "553-5.1.3 No mailbox bob@example.net here.\r\n553 5.1.3 Ask alice@example.org."},
        /* A line whose variable has no value is left out; without a line the sentence stands. */
        {NO_REFERENCE RULES("{ name = \"a\"; when = { code = \"550\"; };"
                            "  then = { mode = \"replace\";"
                            "           text = [ \"Kept.\", \"See %{help_url}\" ]; }; }") "",
         "550 5.1.1 User unknown", "550 5.1.1 Kept."},
        {NO_REFERENCE RULES("{ name = \"a\"; when = { text = \"/user (\\\\w+)/i\"; };"
                            "  then = { mode = \"annotate\"; text = \"That is %{1} to us.\"; }; }"),
         "550 5.1.1 User unknown", "550-5.1.1 User unknown\r\n550 5.1.1 That is unknown to us."},
        /* What is quoted of the reply reads as the reply itself does. */
        {NO_REFERENCE RULES("{ name = \"a\"; when = { text = \"/Empf(.*)/\"; };"
                            "  then = { mode = \"replace\";"
                            "           text = [ \"%{original}!\", \"(%{1})\" ]; }; }"),
         "550 5.1.1 Empf\xc3\xa4nger \xff\xfe unbekannt",
         "550-5.1.1 Empfanger ? unbekannt!\r\n550 5.1.1 (anger ? unbekannt)"},
        /* What the rule does not say stays. */
        {NO_REFERENCE RULES("{ name = \"a\"; when = { code = \"550\"; };"
                            "  then = { mode = \"repair\"; status = \"5.1.6\"; }; }"),
         "550 5.1.1 User unknown", "550 5.1.6 User unknown"},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void
class_is_kept(void **state)
{
    static const Case cases[] = {
        {NO_REFERENCE RULES("{ name = \"a\"; when = { category = \"user-unknown\"; };"
                            "  then = { mode = \"replace\"; code = 550; status = \"5.1.1\";"
                            "           text = \"No such mailbox, sorry.\"; }; }"),
         "450 4.1.1 User unknown", "450 4.1.1 No such mailbox, sorry."},
        {NO_REFERENCE RULES(
             "{ name = \"a\"; when = { category = \"user-unknown\"; };"
             "  then = { mode = \"replace\"; code = 550; status = \"5.1.1\";"
             "           change_class = true; text = \"No such mailbox, sorry.\"; }; }"),
         "450 4.1.1 User unknown", "550 5.1.1 No such mailbox, sorry."},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void
unknown_fact_never_matches(void **state)
{
    static const char *const conditions[] = {
        "tls = \"TLSv1.3\"",        "tls = \"!TLSv1.3\"", "header = \"Subject: x\"",
        "header = \"!Subject: x\"", "filter = \"*\"",     "filter = \"!*\"",
        "size = \"!>1M\"",
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(conditions); i++) {
        g_autofree char *policy = g_strdup_printf(
            "replies = { default = \"keep\"; rules = ( { name = \"a\"; when = { %s; };"
            " then = { mode = \"replace\"; text = \"Never to be said.\"; }; } ); };",
            conditions[i]);
        const Case one = {policy, "550 5.1.1 User unknown", NULL};
        assert_cases(&one, 1);
    }
}

/* ---- disclosure -------------------------------------------------------------------------------
 */

static void
outsiders_get_the_sentence_only(void **state)
{
    static const char policy[] =
        "site = { networks = [ \"192.0.2.0/24\" ]; disclosure = \"brief\"; };";
    static const char reply[] = "550 5.1.1 <bob@example.net>: Recipient address rejected: "
                                "User unknown in virtual mailbox table";
    static const struct {
        const char *client, *auth_user;
        gboolean brief;
    } cases[] = {
        {"198.51.100.7", "", TRUE}, {"198.51.100.7", NULL, TRUE},     {NULL, NULL, TRUE},
        {"192.0.2.9", "", FALSE},   {"198.51.100.7", "alice", FALSE},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Decision decision;
        Facts facts;
        facts_init(&facts, DOOR_FILTER);
        set_session(&facts);
        facts_set(&facts, FACT_CLIENT, cases[i].client);
        facts_set(&facts, FACT_AUTH_USER, cases[i].auth_user);
        decide(policy, &facts, reply, &decision);
        g_autofree char *final = smtp_reply_to_wire(decision.final);
        if (cases[i].brief)
            assert_string_equal(final, "550-5.1.1 There is no such mailbox here.\r\n"
                                       "550 5.1.1 " REFERENCE);
        else
            assert_non_null(strstr(final, "virtual mailbox table"));
        assert_int_equal(decision.disclosure, cases[i].brief ? DISCLOSURE_BRIEF : DISCLOSURE_FULL);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* ---- what the wire takes ----------------------------------------------------------------------
 */

static void
hangups_are_meant(void **state)
{
    static const Case cases[] = {
        {NO_REFERENCE "replies = { default = \"repair\"; };", "421 4.7.0 Try later", NULL},
        {NO_REFERENCE RULES("{ name = \"a\"; when = { category = \"*\"; code = \"4*\"; };"
                            "  then = { mode = \"replace\"; code = 421; status = \"4.7.0\";"
                            "           text = \"Come back tomorrow, please.\"; }; }"),
         "450 4.7.0 Try later", "421 4.7.0 Come back tomorrow, please."},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* Letters stay where the client has announced that it reads them. */
static void
letters_stay_with_smtputf8(void **state)
{
    static const char reply[] = "550 5.1.1 <j\xc3\xbcrgen@example.net>: User unknown";
    (void)state;
    for (guint smtputf8 = 0; smtputf8 <= 1; smtputf8++) {
        Decision decision;
        Facts facts;
        facts_init(&facts, DOOR_FILTER);
        set_session(&facts);
        facts.smtputf8 = smtputf8 == 1;
        decide(NO_REFERENCE, &facts, reply, &decision);
        assert_string_equal(smtp_reply_line(decision.final, 0)->text,
                            smtputf8 == 1 ? reply + strlen("550 5.1.1 ")
                                          : "<jurgen@example.net>: User unknown");
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

static const char *const hostile[] = {
    "x\r\n550 5.1.1 injected", "x\n220 injected",     "\x01\x1b[31m", "caf\xc3\xa9\xff",
    "%{recipient} %s %n 100%", "$client_address ${x", "\\c \\n \\",   "550-5.7.1 x",
};

static void
assert_clean(const SmtpReply *reply)
{
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        const char *text = smtp_reply_line(reply, i)->text;
        for (; *text != '\0'; text++)
            assert_true(g_ascii_isprint(*text));
        assert_int_equal(smtp_reply_line(reply, i)->code, reply->code);
    }
    g_autofree char *wire = smtp_reply_to_wire(reply);
    g_auto(GStrv) lines = g_strsplit(wire, "\r\n", -1);
    assert_int_equal(g_strv_length(lines), smtp_reply_line_count(reply));
    for (guint i = 0; lines[i] != NULL; i++)
        assert_true(strlen(lines[i]) <= SMTP_REPLY_LINE_OCTETS - 2);
}

static void
nothing_is_injected(void **state)
{
    static const char policy[] =
        RULES("{ name = \"a\"; when = { code = \"*\"; }; then = { mode = \"replace\"; text = ["
              "  \"%{client_addr} %{client_name}\", \"%{helo}\", \"%{sender} %{sender_domain}\","
              "  \"%{recipient} %{recipient_domain}\", \"%{queue_id} %{original}\" ]; }; }");
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_autofree char *text = g_strdup_printf("550 5.7.1 %s", hostile[i]);
        g_autofree char *address = g_strdup_printf("%s@%s", hostile[i], hostile[i]);
        Decision decision;
        Facts facts;
        facts_init(&facts, DOOR_FILTER);
        set_session(&facts);
        facts_set(&facts, FACT_CLIENT, hostile[i]);
        facts_set(&facts, FACT_CLIENT_NAME, hostile[i]);
        facts_set(&facts, FACT_HELO, hostile[i]);
        facts_set(&facts, FACT_SENDER, address);
        facts_set(&facts, FACT_RECIPIENT, address);
        g_free(facts.queue_id);
        facts.queue_id = g_strdup(hostile[i]);
        decide(policy, &facts, text, &decision);
        assert_int_equal(decision.verdict, VERDICT_REPLY);
        assert_clean(decision.final);
        assert_int_equal(decision.final->code / 100, 5); /* whatever an injected line says */
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* ---- doors chain ------------------------------------------------------------------------------
 */

static const char *const policies[] = {
    "",
    SITE,
    NO_REFERENCE,
    "site = { disclosure = \"brief\"; };",
    "site = { disclosure = \"brief\"; reference = false; };",
    "replies = { default = \"repair\"; };",
    "replies = { default = \"replace\"; };",
    NO_REFERENCE "replies = { default = \"replace\"; };",
    NO_REFERENCE RULES(
        "{ name = \"a\"; when = { category = \"user-unknown\"; };"
        "  then = { mode = \"replace\"; status = \"5.7.1\";"
        "           text = \"Our spam filter and greylisting say no to %{helo}.\"; }; },"
        "{ name = \"b\"; when = { text = \"/spam/i\"; };"
        "  then = { mode = \"annotate\"; text = \"Spam is what this is about.\"; }; }"),
    RULES("{ name = \"a\"; when = { code = \"550\"; };"
          "  then = { mode = \"annotate\"; text = [ \"One line.\", \"And two.\", \"And three.\" ]; "
          "}; }"),
    NO_REFERENCE RULES(
        "{ name = \"a\"; when = { code = \"550\"; };"
        "  then = { mode = \"replace\"; text = \"Ticket %{reference}, and quote it.\"; }; }"),
};

static const char *const replies[] = {
    "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown",
    "550 5.7.1 Command rejected",
    "550 no",
    "550 4.7.1 spam",
    "451 4.7.1 Greylisted, try again in 5 minutes",
    "554-5.6.0 one\r\n554 5.6.0 two",
    "452 4.2.2 Mailbox full",
    "550 5.7.1 The message looks like spam",
    "421 4.7.0 busy",
};

/* A rule that shows the reference itself gets no second one, unless no door would know the reply.
 */
static void
reference_is_shown_once(void **state)
{
    static const Case cases[] = {
        {RULES("{ name = \"r\"; when = { status = \"5.1.1\"; }; then = { mode = \"replace\";"
               "  text = [ \"Nobody of that name.\", \"Reference %{reference}\" ]; }; }"),
         "550 5.1.1 User unknown",
         "550-5.1.1 Nobody of that name.\r\n550 5.1.1 Reference 22222222"},
        {RULES("{ name = \"r\"; when = { status = \"5.1.1\"; }; then = { mode = \"replace\";"
               "  text = [ \"No.\", \"Reference: %{reference}\" ]; }; }"),
         "550 5.1.1 User unknown", "550-5.1.1 No.\r\n550 5.1.1 " REFERENCE},
        {RULES("{ name = \"r\"; when = { status = \"5.1.1\"; }; then = { mode = \"replace\";"
               "  text = [ \"No.\", \"Id %{reference}\" ]; }; }"),
         "550 5.1.1 User unknown",
         "550-5.1.1 No.\r\n550-5.1.1 Id 22222222\r\n550 5.1.1 " REFERENCE},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* However short: what a check said with this code is left as the check said it. */
static void
words_of_checks_stay(void **state)
{
#define CHECK_SAYS(code)                                                                           \
    NO_REFERENCE "checks = ( { name = \"c\"; when = { helo = \"x\"; };"                            \
                 "  then = { code = " code "; text = [ \"No.\", \"100%%\" ]; }; } );"
    static const Case cases[] = {
        {CHECK_SAYS("550"), "550 5.7.1 No.", NULL},
        {CHECK_SAYS("550"), "550 5.7.1 100%", NULL},
        {CHECK_SAYS("554"), "550 5.1.1 No.",
         "550-5.1.1 No.\r\n"
         "550 5.1.1 There is no such mailbox here. Check the spelling of the address; if it is "
         "right, ask the recipient for the current one and take this one off your lists."},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void
rewriting_is_idempotent(void **state)
{
    static const Door doors[] = {DOOR_FILTER, DOOR_REJECT, DOOR_COMMAND};
    (void)state;
    for (gsize p = 0; p < G_N_ELEMENTS(policies); p++) {
        g_autoptr(Policy) policy = policy_from(policies[p]);
        for (gsize r = 0; r < G_N_ELEMENTS(replies); r++) {
            for (gsize d = 0; d < G_N_ELEMENTS(doors) * G_N_ELEMENTS(doors); d++) {
                g_autoptr(SmtpReply) reply = smtp_reply_parse(replies[r], -1);
                Decision once, twice;
                Facts first, second;
                facts_init(&first, doors[d % G_N_ELEMENTS(doors)]);
                facts_init(&second, doors[d / G_N_ELEMENTS(doors)]);
                set_session(&first);
                set_session(&second);
                decision_init(&once);
                decision_init(&twice);
                engine_reply(policy, &first, reply, &moment, &once);
                g_autofree char *wire = smtp_reply_to_wire(once.final);
                g_autoptr(SmtpReply) again = smtp_reply_parse(wire, -1);
                engine_reply(policy, &second, again, &moment, &twice);
                g_autofree char *after = smtp_reply_to_wire(twice.final);
                if (once.changed)
                    assert_string_equal(after, wire);
                decision_clear(&once);
                decision_clear(&twice);
                facts_clear(&first);
                facts_clear(&second);
            }
        }
    }
}

static void
marks_say_what_was_done(void **state)
{
    Decision decision;
    Facts facts;
    (void)state;
    facts_init(&facts, DOOR_FILTER);
    set_session(&facts);
    decide("", &facts, "550 4.1.1 User unknown", &decision);
    assert_string_equal(decision.reference, "22222222");
    assert_int_equal(decision.mode, REPLY_MODE_ANNOTATE);
    assert_int_equal(decision.repairs->len, 1);
    assert_string_equal(g_ptr_array_index(decision.repairs, 0), "class-mismatch");
    assert_int_equal(decision.cause.category, CATEGORY_USER_UNKNOWN);
    decision_clear(&decision);
    facts.observed = TRUE; /* the MTA says it, whatever we think */
    decide("", &facts, "550 5.1.1 User unknown", &decision);
    assert_int_equal(decision.verdict, VERDICT_PASS);
    assert_int_equal(decision.cause.category, CATEGORY_USER_UNKNOWN);
    assert_null(decision.reference);
    decision_clear(&decision);

    /* Even in words that our rbl table gave it, it is for a reason. */
    decide("", &facts,
           "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.example - "
           "Find the cause and stop it. " REFERENCE,
           &decision);
    assert_true(decision.own);
    assert_int_equal(decision.cause.category, CATEGORY_HOST_BLOCKED);
    decision_clear(&decision);
    facts_clear(&facts);
}

static void
directions(void **state)
{
    static const struct {
        const char *client, *auth_user;
        guint port;
        const char *direction;
    } cases[] = {
        {"198.51.100.7", "", 2525, "inbound"},
        {"198.51.100.7", NULL, 2525, "inbound"},
        {"198.51.100.7", "al", 2525, "outbound"},
        {"192.0.2.7", "", 2525, "outbound"},
        {"127.0.0.1", "", 0, "local"},
        {NULL, NULL, 25, "inbound"},
    };
    g_autoptr(Policy) policy = policy_from(SITE);
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(
            engine_direction(policy, cases[i].client, cases[i].auth_user, cases[i].port),
            cases[i].direction);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_annotates),
        cmocka_unit_test(first_rule_that_matches_speaks),
        cmocka_unit_test(rule_sets_code_status_and_text),
        cmocka_unit_test(class_is_kept),
        cmocka_unit_test(unknown_fact_never_matches),
        cmocka_unit_test(outsiders_get_the_sentence_only),
        cmocka_unit_test(hangups_are_meant),
        cmocka_unit_test(letters_stay_with_smtputf8),
        cmocka_unit_test(nothing_is_injected),
        cmocka_unit_test(reference_is_shown_once),
        cmocka_unit_test(words_of_checks_stay),
        cmocka_unit_test(rewriting_is_idempotent),
        cmocka_unit_test(marks_say_what_was_done),
        cmocka_unit_test(directions),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
