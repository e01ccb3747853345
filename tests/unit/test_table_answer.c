/*
 * engine/table_answer: a table's key and what Postfix gets for it, for each door and each thing
 * that a rule can say.
 */
#include "test_support.h"

#include <string.h>

#include "policy_fixture.h"

#include "engine/rule_doors.h"
#include "engine/table_answer.h"
#include "engine/trace.h"

#define REFERENCE    "Reference: 22222222"
#define NO_REFERENCE "site = { reference = false; };"

#define UNKNOWN_USER                                                                               \
    "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown in local recipient "    \
    "table"
#define CHECK_SPELLING                                                                             \
    "There is no such mailbox here. Check the spelling of the address; if it is right, ask the "   \
    "recipient for the current one and take this one off your lists."

#define RULE(when, then)                                                                           \
    "replies = { rules = ( { name = \"r\"; when = { " when " }; then = { " then " }; } ); };"

#define ONLY_RULE(when, then)                                                                      \
    "replies = { default = \"keep\"; rules = ( { name = \"r\"; when = { " when                     \
    " }; then = { " then " }; } ); };"

static const EngineMoment moment = {.now_us = 0, .random = 0};

/* What a door answers and what it has done; the caller frees and clears. */
static char *
ask(const Policy *policy, Door door, const char *key, Facts *facts, Decision *decision)
{
    facts_init(facts, door);
    decision_init(decision);
    return table_answer(policy, key, facts, &moment, decision);
}

static void
assert_answer(const Policy *policy, Door door, const char *key, const char *expected)
{
    Facts facts;
    Decision decision;
    g_autofree char *answer = ask(policy, door, key, &facts, &decision);
    if (g_strcmp0(answer, expected) != 0)
        fail_msg("%s \"%s\":\n  \"%s\" instead of\n  \"%s\"", door_name(door), key, answer,
                 expected);
    decision_clear(&decision);
    facts_clear(&facts);
}

typedef struct {
    Door door;
    const char *policy, *key;
    const char *answer; /* NULL: not found */
} Case;

static void
assert_cases(const Case *cases, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        g_autoptr(Policy) policy = policy_from(cases[i].policy);
        assert_answer(policy, cases[i].door, cases[i].key, cases[i].answer);
    }
}

/* ---- the default at each door ------------------------------------------------------------------
 */

static void
default_at_each_door(void **state)
{
    static const Case cases[] = {
        {DOOR_REJECT, "", UNKNOWN_USER,
         "550-5.1.1 <bob@example.net>: Recipient address rejected: User unknown in local recipient "
         "table\r\n550-5.1.1 " CHECK_SPELLING "\r\n550 5.1.1 " REFERENCE},
        {DOOR_FOOTER, "", UNKNOWN_USER, CHECK_SPELLING "\\n" REFERENCE},
        {DOOR_DELIVERY, "",
         "5.1.1 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO "
         "command)",
         "5.1.1 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO "
         "command) - This means: " CHECK_SPELLING " " REFERENCE},
        {DOOR_RBL, "", "rbl.test=127.0.0.[2..11]",
         "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using "
         "$rbl_domain${rbl_reason?; $rbl_reason} - Find the cause and stop it, then ask the list "
         "that this reply names, or else the postmaster, to remove the block. " REFERENCE},
        {DOOR_RBL,
         "site = { help_url = \"https://help.example.net/%{category}\"; reference = false; };",
         "zen.rbl.test",
         "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using "
         "$rbl_domain${rbl_reason?; $rbl_reason} - Find the cause and stop it, then ask the list "
         "that this reply names, or else the postmaster, to remove the block. Help: "
         "https://help.example.net/host-blocked"},
        /* A milter's reply of several lines. */
        {DOOR_FOOTER, NO_REFERENCE, "554-5.7.1 one\r\n554 5.7.1 Message rejected as spam",
         "The message looks like spam. Change its content and links, or send it as plain text; if "
         "it is wanted mail, contact the recipient's postmaster."},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

/* ---- what is not mail, and what is no refusal ---------------------------------------------------
 */

static void
left_alone(void **state)
{
    static const struct {
        Door door;
        const char *key;
    } cases[] = {
        {DOOR_FOOTER, "535 5.7.8 Error: authentication failed: bad password"},
        {DOOR_FOOTER, "530 5.7.0 Must issue a STARTTLS command first"},
        {DOOR_FOOTER, "501 Syntax: HELO hostname"},
        {DOOR_FOOTER, "502 5.5.2 Error: command not recognized"},
        {DOOR_FOOTER, "503 5.5.1 Error: need MAIL command"},
        {DOOR_FOOTER, "555 5.5.4 Unsupported option: X"},
        {DOOR_FOOTER, "521 5.5.4 Syntax: BDAT count [LAST]"},
        {DOOR_FOOTER, "421 4.4.2 mx.test Error: timeout exceeded"},
        {DOOR_FOOTER, "421 mx.test Service unavailable - try again later"},
        {DOOR_FOOTER, "554 mx.test ESMTP not accepting connections"},
        {DOOR_FOOTER, "454 4.7.0 TLS not available due to local problem"},
        {DOOR_REJECT, "535 5.7.8 Error: authentication failed: bad password"},
        {DOOR_REJECT, "250 2.1.5 Ok"},
        {DOOR_REJECT, "354 go"},
        {DOOR_REJECT, "no code at all"},
        {DOOR_REJECT, ""},
        {DOOR_FOOTER, ""},
        {DOOR_DELIVERY, ""},
        {DOOR_DELIVERY, "2.0.0 250 2.0.0 stored"},
        {DOOR_DELIVERY, "2.1.5 delivered to mailbox"},
        {DOOR_DELIVERY, "550 5.1.1 no status first"},
        {DOOR_DELIVERY, "5.1.1"},
        {DOOR_RBL, ""},
        {DOOR_RBL, "not a domain"},
        {DOOR_RBL, "x$rbl_code"},
    };
    g_autoptr(Policy) policy = policy_from("");
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_answer(policy, cases[i].door, cases[i].key, NULL);
}

/* A rule that names such a reply speaks all the same; one that would take any does not. */
static void
named_all_the_same(void **state)
{
    static const char auth[] = "535 5.7.8 Error: authentication failed: bad password";
    static const char text[] = "mode = \"annotate\"; text = \"Reset it at the portal.\";";
    static const struct {
        const char *when;
        gboolean speaks;
    } cases[] = {
        {"code = \"535\";", TRUE},     {"code = [ \"535\", \"534\" ];", TRUE},
        {"status = \"5.7.8\";", TRUE}, {"text = \"/bad password/\";", TRUE},
        {"stage = \"auth\";", TRUE},   {"code = \"*\";", FALSE},
        {"code = \"!550\";", FALSE},   {"status = \"!5.1.1\";", FALSE},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *policy_text =
            g_strdup_printf(NO_REFERENCE "replies = { rules = ( { name = \"r\"; when = { %s };"
                                         " then = { %s }; } ); };",
                            cases[i].when, text);
        g_autoptr(Policy) policy = policy_from(policy_text);
        assert_answer(policy, DOOR_FOOTER, auth,
                      cases[i].speaks ? "Reset it at the portal." : NULL);
    }
}

/* ---- what a door knows --------------------------------------------------------------------------
 */

static void
text_tells(void **state)
{
    static const struct {
        const char *key;
        SmtpStage stage;
        const char *recipient, *sender, *helo;
    } cases[] = {
        {UNKNOWN_USER, SMTP_STAGE_RCPT, "bob@example.net", NULL, NULL},
        {"554 5.7.1 <a@b.example>: Relay access denied", SMTP_STAGE_RCPT, "a@b.example", NULL,
         NULL},
        {"554 5.7.1 <a@b.example>: Sender address rejected: Access denied", SMTP_STAGE_UNKNOWN,
         NULL, "a@b.example", NULL},
        {"504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname", SMTP_STAGE_UNKNOWN,
         NULL, NULL, "x"},
        {"554 5.7.1 <x.test[192.0.2.1]>: Client host rejected: Access denied", SMTP_STAGE_UNKNOWN,
         NULL, NULL, NULL},
        {"550 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: no", SMTP_STAGE_EOM, NULL, NULL, NULL},
        {"550 5.7.1 <DATA>: Data command rejected: no", SMTP_STAGE_DATA, NULL, NULL, NULL},
        {"452 4.5.3 Error: too many recipients", SMTP_STAGE_RCPT, NULL, NULL, NULL},
        {"550 5.7.1 somebody says Recipient address rejected", SMTP_STAGE_UNKNOWN, NULL, NULL,
         NULL},
        /* Names that try to be more than names. */
        {"550 5.1.1 <\"x>: Relay access denied\"@b.example>: Recipient address rejected: no",
         SMTP_STAGE_RCPT, "\"x>: Relay access denied\"@b.example", NULL, NULL},
        {"550 5.1.1 <a <b>: Relay access denied", SMTP_STAGE_UNKNOWN, NULL, NULL, NULL},
        {"550 5.1.1 <unclosed", SMTP_STAGE_UNKNOWN, NULL, NULL, NULL},
        {"550 5.1.1 <>: Recipient address rejected: x", SMTP_STAGE_RCPT, "", NULL, NULL},
        /* A reply from another session that is quoted says nothing about this one. */
        {"450 4.1.7 <a@b.example>: Sender address rejected: unverified address: host "
         "mx[192.0.2.1] said: 550 no (in reply to RCPT TO command)",
         SMTP_STAGE_UNKNOWN, NULL, "a@b.example", NULL},
    };
    g_autoptr(Policy) policy = policy_from("");
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        static const Fact facts_told[] = {FACT_RECIPIENT, FACT_SENDER, FACT_HELO};
        const char *told[] = {cases[i].recipient, cases[i].sender, cases[i].helo};
        Facts facts;
        Decision decision;
        g_autofree char *answer = ask(policy, DOOR_REJECT, cases[i].key, &facts, &decision);
        assert_int_equal(answer == NULL, decision.verdict == VERDICT_PASS);
        assert_int_equal(facts.stage, cases[i].stage);
        for (guint fact = 0; fact < G_N_ELEMENTS(told); fact++) {
            const char *value = facts_get(&facts, facts_told[fact]);
            assert_true((value == NULL) == (told[fact] == NULL));
            if (value != NULL)
                assert_string_equal(value, told[fact]);
        }
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

static void
unknown_never_matches(void **state)
{
    static const char *const unknown[] = {
        "client = \"*\";",      "client = \"!192.0.2.1\";", "auth_user = \"!*\";",
        "tls = \"!TLSv1\";",    "header = \"!X: y\";",      "size = \"!>1M\";",
        "daemon = \"!smtpd\";", "direction = \"!local\";",  "filter = \"!x\";",
        "sender = \"!x@y\";",   "helo = \"!x\";",
    };
    static const Door doors[] = {DOOR_REJECT, DOOR_FOOTER};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *text = g_strdup_printf(
            "replies = { default = \"keep\"; rules = ( { name = \"r\"; when = { %s };"
            " then = { mode = \"annotate\"; text = \"Never to be said.\"; }; } ); };",
            unknown[i]);
        g_autoptr(Policy) policy = policy_from(text);
        for (guint d = 0; d < G_N_ELEMENTS(doors); d++)
            assert_answer(policy, doors[d], UNKNOWN_USER, NULL);
        assert_answer(policy, DOOR_DELIVERY, "5.1.1 User unknown", NULL);
        assert_answer(policy, DOOR_RBL, "rbl.test", NULL);
    }
}

/* ---- what a rule says, at each door
 * -------------------------------------------------------------- */

#define FOR_UNKNOWN_USER "category = \"user-unknown\";"
#define REMOTE           "5.1.1 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown"

static void
rule_features_at_each_door(void **state)
{
    static const Case cases[] = {
        /* replace */
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"replace\"; text = \"No mailbox here.\";"),
         UNKNOWN_USER, "550 5.1.1 No mailbox here."},
        {DOOR_FOOTER,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"replace\"; text = \"No mailbox here.\";"),
         UNKNOWN_USER, "No mailbox here."},
        {DOOR_DELIVERY,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"replace\"; text = \"No mailbox there.\";"),
         REMOTE, REMOTE " - No mailbox there."},
        {DOOR_RBL,
         NO_REFERENCE RULE("category = \"host-blocked\";",
                           "mode = \"replace\"; text = \"You are listed: %{client_addr}.\";"),
         "rbl.test", "$rbl_code You are listed: $client_address."},
        /* annotate */
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = [ \"One more thing.\", \"And two.\" ];"),
         UNKNOWN_USER,
         "550-5.1.1 <bob@example.net>: Recipient address rejected: User unknown in local recipient "
         "table\r\n550-5.1.1 One more thing.\r\n550 5.1.1 And two."},
        {DOOR_FOOTER,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = [ \"One more thing.\", \"And two.\" ];"),
         UNKNOWN_USER, "One more thing.\\nAnd two."},
        {DOOR_DELIVERY,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = [ \"One more thing.\", \"And two.\" ];"),
         REMOTE, REMOTE " - One more thing. And two."},
        /* repair */
        {DOOR_REJECT, NO_REFERENCE RULE("code = \"550\";", "mode = \"repair\";"),
         "550 4.1.1 User unknown", "550 5.1.1 User unknown"},
        {DOOR_DELIVERY, NO_REFERENCE RULE("status = \"5.0.0\";", "mode = \"repair\";"),
         "5.0.0 host mx.example.org[192.0.2.1] said: 550 User unknown",
         "5.1.1 host mx.example.org[192.0.2.1] said: 550 User unknown"},
        {DOOR_FOOTER, NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\";"), UNKNOWN_USER,
         CHECK_SPELLING},
        /* keep */
        {DOOR_REJECT, RULE(FOR_UNKNOWN_USER, "mode = \"keep\";"), UNKNOWN_USER, NULL},
        {DOOR_FOOTER, RULE(FOR_UNKNOWN_USER, "mode = \"keep\";"), UNKNOWN_USER, NULL},
        {DOOR_DELIVERY, RULE(FOR_UNKNOWN_USER, "mode = \"keep\";"), REMOTE, NULL},
        {DOOR_RBL, RULE("category = \"host-blocked\";", "mode = \"keep\";"), "rbl.test", NULL},
        /* code and status */
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\"; code = 553; status = \"5.1.3\";"),
         "550 5.1.1 User unknown", "553 5.1.3 User unknown"},
        {DOOR_DELIVERY,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\"; status = \"5.1.3\";"), REMOTE,
         "5.1.3 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown"},
        /* the class, guarded and not */
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\"; code = 450; status = \"4.1.1\";"),
         "550 5.1.1 User unknown", NULL},
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\"; code = 450; status = \"4.1.1\"; "
                                             "change_class = true;"),
         "550 5.1.1 User unknown", "450 4.1.1 User unknown"},
        {DOOR_DELIVERY,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER, "mode = \"repair\"; status = \"4.1.1\";"), REMOTE,
         NULL},
        {DOOR_DELIVERY,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"repair\"; status = \"4.1.1\"; change_class = true;"),
         REMOTE, "4.1.1 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown"},
        {DOOR_RBL,
         NO_REFERENCE RULE("category = \"host-blocked\";",
                           "mode = \"replace\"; code = 550; status = \"5.7.1\"; "
                           "change_class = true; text = \"Listed, go and ask them.\";"),
         "rbl.test", "550 5.7.1 Listed, go and ask them."},
        /* disclosure: at a table the client is not known, so everybody is an outsider */
        {DOOR_REJECT, "site = { disclosure = \"brief\"; reference = false; };", UNKNOWN_USER,
         "550 5.1.1 There is no such mailbox here."},
        {DOOR_FOOTER, "site = { disclosure = \"brief\"; reference = false; };", UNKNOWN_USER,
         "There is no such mailbox here."},
        {DOOR_DELIVERY, "site = { disclosure = \"brief\"; reference = false; };", REMOTE,
         REMOTE " - This means: There is no such mailbox here."},
        {DOOR_RBL, "site = { disclosure = \"brief\"; reference = false; };", "rbl.test",
         "$rbl_code The sending host is blocked, by this site or by a block list."},
        /* variables: known from the text, filled in by Postfix, or not at all */
        {DOOR_REJECT,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"replace\"; text = [ \"No mailbox %{recipient}.\", "
                           "\"You are %{client_addr}.\" ];"),
         UNKNOWN_USER, "550 5.1.1 No mailbox bob@example.net."},
        {DOOR_FOOTER,
         NO_REFERENCE RULE(
             FOR_UNKNOWN_USER,
             "mode = \"annotate\"; text = [ \"You: %{client_addr} (%{client_name}), %{helo}.\", "
             "\"From %{sender} of %{sender_domain}, $5.\", \"In queue %{queue_id}.\" ];"),
         UNKNOWN_USER,
         "You: $client_address ($client_name), $helo_name.\\nFrom $sender of $sender_domain, $$5."},
        {DOOR_FOOTER,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = \"To %{recipient}, %{helo}x.\";"),
         UNKNOWN_USER, "To bob@example.net, ${helo_name}x."},
        {DOOR_FOOTER,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = \"In queue %{queue_id}.\";"),
         UNKNOWN_USER, "There is no such mailbox here."},
        /* backslashes do not become Postfix's */
        {DOOR_FOOTER,
         NO_REFERENCE RULE(FOR_UNKNOWN_USER,
                           "mode = \"annotate\"; text = \"\\\\cuse DOMAIN\\\\name to log in.\";"),
         UNKNOWN_USER, "/cuse DOMAIN/name to log in."},
    };
    (void)state;
    assert_cases(cases, G_N_ELEMENTS(cases));
}

static void
delivery_status_says_what_the_text_means(void **state)
{
    static const struct {
        const char *key, *begins;
    } cases[] = {
        {"5.0.0 host mx.example.org[192.0.2.1] said: 550 5.7.1 Message failed DMARC policy",
         "5.7.26 host mx.example.org[192.0.2.1] said: 550 5.7.1 Message failed DMARC policy - "},
        {"5.3.0 host mx.example.org[192.0.2.1] said: 550 User unknown", "5.1.1 host "},
        {"4.0.0 host mx.example.org[192.0.2.1] said: 450 mailbox full", "4.2.2 host "},
        {"5.1.1 host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown", "5.1.1 host "},
        {"5.7.1 something new", NULL},
    };
    g_autoptr(Policy) policy = policy_from("");
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Facts facts;
        Decision decision;
        g_autofree char *answer = ask(policy, DOOR_DELIVERY, cases[i].key, &facts, &decision);
        const char *begins = cases[i].begins == NULL ? cases[i].key : cases[i].begins;
        assert_non_null(answer);
        if (!g_str_has_prefix(answer, begins))
            fail_msg("\"%s\" does not begin with \"%s\"", answer, begins);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* ---- what the client gets
 * ------------------------------------------------------------------------ */

static void
final_is_what_is_sent(void **state)
{
    static const char policy_text[] = NO_REFERENCE RULE(
        FOR_UNKNOWN_USER, "mode = \"annotate\"; "
                          "text = [ \"You are %{client_addr}, $5.\", \"Bye.\" ];");
    g_autoptr(Policy) policy = policy_from(policy_text);
    Facts facts;
    Decision decision;
    (void)state;
    g_autofree char *answer =
        ask(policy, DOOR_FOOTER, "554-5.6.0 one\r\n550 5.1.1 User unknown", &facts, &decision);
    g_autofree char *final = smtp_reply_to_wire(decision.final);
    assert_string_equal(answer, "You are $client_address, $$5.\\nBye.");
    assert_string_equal(final, "550-5.1.1 one\r\n550-5.1.1 User unknown\r\n"
                               "550-5.1.1 You are $client_address, $5.\r\n550 5.1.1 Bye.");
    decision_clear(&decision);
    facts_clear(&facts);
}

/* ---- doors chain
 * --------------------------------------------------------------------------------- */

/* What the client would get after the footer's lines, as Postfix prints them. */
static char *
with_footer(const char *reply, const char *footer)
{
    g_autoptr(SmtpReply) whole = smtp_reply_parse(reply, -1);
    g_auto(GStrv) lines = g_strsplit(footer, "\\n", -1);
    for (guint i = 0; lines[i] != NULL; i++) {
        g_auto(GStrv) dollars = g_strsplit(lines[i], "$$", -1);
        g_autofree char *line = g_strjoinv("$", dollars);
        smtp_reply_add_line(whole, line);
    }
    return smtp_reply_to_wire(whole);
}

static const char *const chain_policies[] = {
    "",
    NO_REFERENCE,
    "site = { disclosure = \"brief\"; };",
    "site = { disclosure = \"brief\"; reference = false; };",
    "site = { help_url = \"https://help.example.net/%{status}\"; reference = false; };",
    NO_REFERENCE RULE("code = \"550\";",
                      "mode = \"annotate\"; text = [ \"This may be spam.\", \"Over quota.\" ];"),
    NO_REFERENCE RULE("code = \"5*\";", "mode = \"replace\"; code = 550; status = \"5.7.1\"; "
                                        "text = \"Greylisted for ever, %{client_addr}.\";"),
    RULE("category = \"*\";", "mode = \"replace\"; text = [ \"One.\", \"Two.\", \"Three.\" ];"),
};

static const char *const chain_keys[] = {
    UNKNOWN_USER,
    "554 5.7.1 <a@b.example>: Relay access denied",
    "550 5.7.1 Command rejected",
    "554-5.7.1 one\r\n554 5.7.1 two",
    "451 4.7.1 Service unavailable - try again later",
    "450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.org",
    "552 5.3.4 Message size exceeds fixed limit",
};

static void
doors_chain(void **state)
{
    (void)state;
    for (gsize p = 0; p < G_N_ELEMENTS(chain_policies); p++) {
        g_autoptr(Policy) policy = policy_from(chain_policies[p]);
        for (gsize k = 0; k < G_N_ELEMENTS(chain_keys); k++) {
            Facts facts;
            Decision decision;
            g_autofree char *said = ask(policy, DOOR_REJECT, chain_keys[k], &facts, &decision);
            decision_clear(&decision);
            facts_clear(&facts);
            if (said != NULL) {
                assert_answer(policy, DOOR_REJECT, said, NULL);
                assert_answer(policy, DOOR_FOOTER, said, NULL);
            }
            g_autofree char *footer = ask(policy, DOOR_FOOTER, chain_keys[k], &facts, &decision);
            decision_clear(&decision);
            facts_clear(&facts);
            if (footer != NULL) {
                g_autofree char *whole = with_footer(chain_keys[k], footer);
                assert_answer(policy, DOOR_FOOTER, whole, NULL);
            }
        }
    }
}

static void
delivery_is_idempotent(void **state)
{
    static const char *const keys[] = {
        REMOTE,
        "5.0.0 something new",
        "4.4.1 connect to mx.example.org[192.0.2.1]:25: timed out",
        ("5.7.1 host mx.example.org[192.0.2.1] said: 550-5.7.1 There is no such mailbox here. "
         "550 5.7.1 Reference: 33333333 (in reply to RCPT TO command)"),
    };
    (void)state;
    for (gsize p = 0; p < G_N_ELEMENTS(chain_policies); p++) {
        g_autoptr(Policy) policy = policy_from(chain_policies[p]);
        for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
            Facts facts;
            Decision decision;
            g_autofree char *answer = ask(policy, DOOR_DELIVERY, keys[k], &facts, &decision);
            if (answer != NULL)
                assert_answer(policy, DOOR_DELIVERY, answer, NULL);
            else if (p == 0)
                fail_msg("\"%s\" was left alone", keys[k]);
            decision_clear(&decision);
            facts_clear(&facts);
        }
    }
}

/* The replies of our own checks reach the tables too. */
static void
own_checks_pass(void **state)
{
    g_autoptr(Policy) policy =
        policy_from("checks = ( { name = \"moved\"; when = { recipient = \"x@*\"; };"
                    " then = { code = 551; status = \"5.1.6\";"
                    "          text = \"Now at %{recipient_domain}.test, write there.\"; }; } );");
    (void)state;
    assert_answer(policy, DOOR_FOOTER, "551 5.1.6 Now at b.example.test, write there.", NULL);
    g_autoptr(Policy) brief =
        policy_from("checks = ( { name = \"moved\"; when = { recipient = \"x@*\"; };"
                    " then = { code = 551; status = \"5.1.6\"; text = \"Now at %{helo}\"; }; } );");
    assert_answer(brief, DOOR_FOOTER, "551 5.1.6 Now at b@example.test", NULL);
}

static void
records_what_it_leaves_alone(void **state)
{
    static const struct {
        const char *key;
        gboolean original, own;
    } cases[] = {
        {UNKNOWN_USER, TRUE, FALSE},
        {"550 5.1.1 " REFERENCE, TRUE, TRUE},
        {"535 5.7.8 Error: authentication failed", FALSE, FALSE},
        {"250 2.0.0 Ok", FALSE, FALSE},
    };
    g_autoptr(Policy) policy = policy_from("replies = { default = \"keep\"; };");
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Facts facts;
        Decision decision;
        assert_null(ask(policy, DOOR_FOOTER, cases[i].key, &facts, &decision));
        assert_int_equal(decision.original != NULL, cases[i].original);
        assert_int_equal(decision.own, cases[i].own);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* ---- hostile keys
 * --------------------------------------------------------------------------------- */

static void
long_keys(void **state)
{
    g_autoptr(Policy) policy = policy_from("");
    g_autofree char *many = g_strnfill(TABLE_KEY_MAX + 1, 'x');
    g_autofree char *longest = g_strnfill(TABLE_KEY_MAX, 'x');
    static const Door doors[] = {DOOR_REJECT, DOOR_FOOTER, DOOR_DELIVERY, DOOR_RBL};
    (void)state;
    memcpy(longest, "550 5.1.1 User unknown ", 23);
    memcpy(many, "550 5.1.1 User unknown ", 23);
    for (guint d = 0; d < G_N_ELEMENTS(doors); d++) {
        Facts facts;
        Decision decision;
        assert_answer(policy, doors[d], many, NULL);
        g_autofree char *answer = ask(policy, doors[d], longest, &facts, &decision);
        assert_true(answer == NULL || strlen(answer) <= 32 * 512);
        decision_clear(&decision);
        facts_clear(&facts);
    }
}

/* ---- what replyctl tells about rules
 * ---------------------------------------------------------------- */

static void
reach_of_rules(void **state)
{
    static const struct {
        const char *when, *then;
        RuleReach filter, reject, footer, delivery, rbl;
    } cases[] = {
        {"category = [ \"user-unknown\", \"host-blocked\" ];", "mode = \"keep\";", RULE_REACH_FULL,
         RULE_REACH_FULL, RULE_REACH_FULL, RULE_REACH_FULL, RULE_REACH_FULL},
        {"client = \"192.0.2.1\";", "mode = \"keep\";", RULE_REACH_FULL, RULE_REACH_NEVER,
         RULE_REACH_NEVER, RULE_REACH_NEVER, RULE_REACH_NEVER},
        {"recipient = \"a@b\";", "mode = \"keep\";", RULE_REACH_FULL, RULE_REACH_PART,
         RULE_REACH_PART, RULE_REACH_NEVER, RULE_REACH_NEVER},
        {"code = \"550\";", "mode = \"keep\";", RULE_REACH_FULL, RULE_REACH_FULL, RULE_REACH_FULL,
         RULE_REACH_PART, RULE_REACH_NEVER},
        {"status = \"5.1.1\";", "mode = \"replace\"; text = \"No mailbox here.\";", RULE_REACH_FULL,
         RULE_REACH_FULL, RULE_REACH_PART, RULE_REACH_PART, RULE_REACH_NEVER},
        {"category = \"host-blocked\";", "mode = \"annotate\"; text = \"You are %{client_addr}.\";",
         RULE_REACH_FULL, RULE_REACH_PART, RULE_REACH_FULL, RULE_REACH_PART, RULE_REACH_FULL},
        {"header = \"X: y\";", "mode = \"keep\";", RULE_REACH_PART, RULE_REACH_NEVER,
         RULE_REACH_NEVER, RULE_REACH_NEVER, RULE_REACH_NEVER},
        {"category = \"spam\";", "disclosure = \"brief\";", RULE_REACH_FULL, RULE_REACH_FULL,
         RULE_REACH_PART, RULE_REACH_PART, RULE_REACH_NEVER},
        {"stage = [ \"mail\", \"helo\" ];", "mode = \"keep\";", RULE_REACH_FULL, RULE_REACH_NEVER,
         RULE_REACH_NEVER, RULE_REACH_PART, RULE_REACH_NEVER},
        {"stage = \"rcpt\";", "mode = \"keep\";", RULE_REACH_FULL, RULE_REACH_PART, RULE_REACH_PART,
         RULE_REACH_PART, RULE_REACH_NEVER},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("replies = { rules = ( { name = \"r\"; when = { %s };"
                            " then = { %s }; } ); };",
                            cases[i].when, cases[i].then);
        g_autoptr(Policy) policy = policy_from(text);
        const RuleReach expected[] = {cases[i].filter, cases[i].reject, cases[i].footer,
                                      cases[i].delivery, cases[i].rbl};
        for (guint d = 0; d < G_N_ELEMENTS(expected); d++) {
            g_autofree char *why = NULL;
            Door door = (Door)(DOOR_FILTER + d);
            RuleReach reach = rule_reach(policy_rule(policy, 0), door, &why);
            if (reach != expected[d])
                fail_msg("%s %s at %s: %s (%s)", cases[i].when, cases[i].then, door_name(door),
                         rule_reach_name(reach), why);
            assert_int_equal(why == NULL, reach == RULE_REACH_FULL);
        }
        assert_int_equal(rule_reach(policy_rule(policy, 0), DOOR_MILTER, NULL), RULE_REACH_NEVER);
    }
}

static void
traces_say_why(void **state)
{
    static const char *const why[] = {
        "client is not known here",
        "category is \"user-unknown\", and the policy wants \"spam\"",
        "all conditions hold",
    };
    g_autoptr(Policy) policy = policy_from(
        "replies = { rules = ("
        "{ name = \"a\"; when = { client = \"192.0.2.1\"; }; then = { mode = \"keep\"; }; },"
        "{ name = \"b\"; when = { category = \"spam\"; }; then = { mode = \"keep\"; }; },"
        "{ name = \"c\"; when = { code = \"550\"; }; then = { mode = \"keep\"; }; },"
        "{ name = \"d\"; when = { code = \"550\"; }; then = { mode = \"keep\"; }; } ); };");
    Facts facts;
    Decision decision;
    (void)state;
    assert_null(ask(policy, DOOR_REJECT, UNKNOWN_USER, &facts, &decision));
    g_autoptr(GPtrArray) steps = trace_rules(policy, &facts, decision.original, &decision.cause);
    assert_int_equal(steps->len, G_N_ELEMENTS(why)); /* the fourth is never asked */
    for (guint i = 0; i < steps->len; i++) {
        const TraceStep *step = g_ptr_array_index(steps, i);
        assert_string_equal(step->why, why[i]);
        assert_int_equal(step->matched, i + 1 == steps->len);
    }
    decision_clear(&decision);
    facts_clear(&facts);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_at_each_door),
        cmocka_unit_test(left_alone),
        cmocka_unit_test(named_all_the_same),
        cmocka_unit_test(text_tells),
        cmocka_unit_test(unknown_never_matches),
        cmocka_unit_test(rule_features_at_each_door),
        cmocka_unit_test(delivery_status_says_what_the_text_means),
        cmocka_unit_test(final_is_what_is_sent),
        cmocka_unit_test(doors_chain),
        cmocka_unit_test(delivery_is_idempotent),
        cmocka_unit_test(own_checks_pass),
        cmocka_unit_test(records_what_it_leaves_alone),
        cmocka_unit_test(long_keys),
        cmocka_unit_test(reach_of_rules),
        cmocka_unit_test(traces_say_why),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
