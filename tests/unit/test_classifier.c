/*
 * classify/classifier: every example of data/rules/, and what the rules are used for.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "test_support.h"

#include "classify/classifier.h"
#include "classify/rule.h"
#include "match/normal_text.h"
#include "match/phrase.h"

typedef struct {
    const char *rule;
    RuleKind kind;
    Category category;
    gint provider;
    gboolean positive; /* it is of the rule's category; else it is of another */
    const char *text;
} RuleExample;

#include "rule_examples.h" /* generated */

static Classifier *classifier;

static int
build_classifier(void **state)
{
    g_autoptr(GError) error = NULL;
    (void)state;
    classifier = classifier_new(&error);
    if (classifier == NULL)
        print_error("%s\n", error->message);
    return classifier != NULL ? 0 : -1;
}

static int
drop_classifier(void **state)
{
    (void)state;
    classifier_unref(classifier);
    return 0;
}

static void
classify_from(const char *text, const char *remote_name, Finality finality, Classification *result)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(text, -1);
    ClassifierSubject subject = {.reply = reply, .remote_name = remote_name, .finality = finality};
    classifier_reply(classifier, &subject, result);
}

static void
classify(const char *text, Classification *result)
{
    classify_from(text, NULL, FINALITY_REPLY, result);
}

/* ---- the rules ----------------------------------------------------------------------------- */

/* A rule that its own example does not hit is dead or misspelt. */
static gboolean
rule_hits(const char *id, const char *text, RuleField field, const PatternSet *patterns)
{
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(patterns, text, strlen(text), hits);
    for (guint i = 0; i < hits->len; i++) {
        guint index = g_array_index(hits, PatternHit, i).index;
        if (strcmp(rule_get(rule_pattern(field, index)->rule)->id, id) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_own_example(const RuleExample *example, PatternSet *const patterns[2])
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(example->text, -1);
    g_autofree char *text = smtp_reply_text(reply);
    g_autoptr(NormalText) normal = normal_text_new();
    normal_text_read(normal, text, strlen(text));
    const Rule *numbers = rule_of_numbers(example->provider, reply->code, reply->status);
    return (numbers != NULL && strcmp(numbers->id, example->rule) == 0) ||
           rule_hits(example->rule, normal->text, RULE_TEXT, patterns[RULE_TEXT]) ||
           rule_hits(example->rule, text, RULE_NAME, patterns[RULE_NAME]);
}

static gboolean
example_holds(const RuleExample *example, const Classification *result)
{
    if (example->kind == RULE_MARKER)
        return result->provider != NULL;
    if (example->kind == RULE_RETRY)
        return (result->retry_after >= 0) == example->positive;
    return (result->category == example->category) == example->positive;
}

static void
decides_every_example(void **state)
{
    guint wrong = 0;
    PatternSet *patterns[] = {rule_patterns_load(RULE_TEXT, NULL),
                              rule_patterns_load(RULE_NAME, NULL)};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rule_examples); i++) {
        const RuleExample *example = &rule_examples[i];
        Classification result;
        classify(example->text, &result);
        if (!example_holds(example, &result) ||
            (example->positive && !is_own_example(example, patterns))) {
            print_error("%s %s: %s (%s, \"%s\") decides: %s\n", example->positive ? ">" : "!",
                        example->rule, result.rule, category_info(result.category)->name,
                        result.match, example->text);
            wrong++;
        }
        classification_clear(&result);
    }
    pattern_set_free(patterns[RULE_TEXT]);
    pattern_set_free(patterns[RULE_NAME]);
    assert_int_equal(wrong, 0);
}

/* What is no list of words makes loading and scanning many times slower (match/phrase.h). */
static void
has_only_lists_of_words(void **state)
{
    guint wrong = 0;
    (void)state;
    for (guint i = 0; i < rule_pattern_count(RULE_TEXT); i++) {
        const RulePattern *pattern = rule_pattern(RULE_TEXT, i);
        g_autoptr(GRegex) gap = g_regex_new("\\{\\.\\.\\.\\d*\\}", 0, 0, NULL);
        g_auto(GStrv) phrases = g_regex_split(gap, pattern->expression, 0);
        for (char **phrase = phrases; *phrase != NULL; phrase++) {
            g_autoptr(GArray) literals = phrase_literals(*phrase);
            if (literals == NULL) {
                print_error("%s: %s\n", pattern->where, *phrase);
                wrong++;
            }
        }
    }
    assert_int_equal(wrong, 0);
}

/* A provider's rule speaks for the host alone, without any marker in the text. */
static void
knows_a_provider_by_its_host(void **state)
{
    static const struct {
        const char *text, *host, *provider;
        Category category;
    } cases[] = {
        {"550 5.7.25 not well set up", "gmail-smtp-in.l.google.com", "google",
         CATEGORY_REVERSE_DNS_MISSING},
        {"550 5.7.606 bad", "example-org.mail.protection.outlook.com", "microsoft",
         CATEGORY_HOST_BLOCKED},
        {"550 5.7.606 bad", "mail.protection.outlook.com.", "microsoft", CATEGORY_HOST_BLOCKED},
        {"550 5.7.606 bad", "MAIL.PROTECTION.OUTLOOK.COM", "microsoft", CATEGORY_HOST_BLOCKED},
        {"550 5.7.606 bad", "notoutlook.com", NULL, CATEGORY_POLICY},
        {"550 5.7.606 bad", "outlook.com.example.org", NULL, CATEGORY_POLICY},
        {"550 5.1.10 not here", "mx1.hotmail.com", "microsoft", CATEGORY_USER_UNKNOWN},
        {"550 5.1.10 not here", "mx.example.org", NULL, CATEGORY_DOMAIN_REFUSES_MAIL},
        {"550 5.1.10 not here", NULL, NULL, CATEGORY_DOMAIN_REFUSES_MAIL},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify_from(cases[i].text, cases[i].host, FINALITY_REPLY, &result);
        if (cases[i].provider == NULL)
            assert_null(result.provider);
        else
            assert_string_equal(result.provider, cases[i].provider);
        assert_string_equal(category_info(result.category)->name,
                            category_info(cases[i].category)->name);
        classification_clear(&result);
    }
}

/* The host that a log line names counts where the caller knows no better. */
static void
takes_the_host_from_the_reply(void **state)
{
    Classification result;
    (void)state;
    classify("host alt1.gmail-smtp-in.l.google.com[192.0.2.1] said: 550 5.7.25 see our page (in "
             "reply to end of DATA command)",
             &result);
    assert_string_equal(result.provider, "google");
    assert_int_equal(result.category, CATEGORY_REVERSE_DNS_MISSING);
    assert_int_equal(result.confidence, CONFIDENCE_HIGH);
    classification_clear(&result);
}

/* ---- what beats what ----------------------------------------------------------------------- */

typedef struct {
    const char *text, *category;
} CategoryCase;

static void
check_categories(const CategoryCase *cases, size_t count)
{
    guint wrong = 0;
    for (size_t i = 0; i < count; i++) {
        Classification result;
        classify(cases[i].text, &result);
        const char *category = category_info(result.category)->name;
        if (strcmp(category, cases[i].category) != 0) {
            print_error("%s, not %s, by %s (\"%s\"): %s\n", category, cases[i].category,
                        result.rule, result.match, cases[i].text);
            wrong++;
        }
        classification_clear(&result);
    }
    assert_int_equal(wrong, 0);
}

static void
weighs_what_stands_together(void **state)
{
    static const CategoryCase cases[] = {
        {"550 5.2.1 Mailbox unavailable. Your IP 192.0.2.7 is blacklisted", "host-blocked"},
        {"550 5.7.1 <ada@example.org>: Recipient address rejected: User unknown", "user-unknown"},
        {"554 5.7.1 Access denied: your host is on dnsbl.example.net blacklist", "host-blocked"},
        {"421 4.7.0 rate quota exceeded, slow down", "rate-limited"},
        {"552 5.2.2 user quota exceeded", "mailbox-full"},
        {"450 4.7.1 Client host rejected: cannot find your hostname", "reverse-dns-missing"},
        {"550 5.7.1 Relaying denied. User unknown", "relay-denied"},
        {"550 5.7.1 SPF check failed: access denied by policy", "authentication-failed"},
        {"550 5.1.0 sender rejected: domain does not exist", "sender-refused"},
        {"451 4.7.1 Greylisted, try again in 5 minutes", "greylisted"},
        {"451 4.7.1 too many connections, try again later", "too-many-connections"},
        {"552 5.3.4 message too big for the mailbox, limit 10 MB", "recipient-limit"},
        {"554 5.7.1 rejected as spam by policy", "spam"},
    };
    (void)state;
    check_categories(cases, G_N_ELEMENTS(cases));
}

static void
falls_back_on_the_numbers(void **state)
{
    static const struct {
        const char *text, *category, *rule;
        Confidence confidence;
    } cases[] = {
        {"550 5.1.1", "user-unknown", "status", CONFIDENCE_MEDIUM},
        {"550 5.2.2 xyzzy", "mailbox-full", "status", CONFIDENCE_MEDIUM},
        {"550 5.7.25 message refused", "reverse-dns-missing", "status", CONFIDENCE_MEDIUM},
        {"550 5.7.1 message refused", "policy", "rejected-word", CONFIDENCE_MEDIUM},
        {"550 5.7.777 xyzzy", "policy", "status", CONFIDENCE_LOW},
        {"521 xyzzy", "domain-refuses-mail", "code", CONFIDENCE_LOW},
        {"502 xyzzy", "protocol-error", "code", CONFIDENCE_LOW},
        {"550 xyzzy", "unclassified", "digit", CONFIDENCE_LOW},
        {"554", "unclassified", "digit", CONFIDENCE_LOW},
        {"499 xyzzy", "system-error", "digit", CONFIDENCE_LOW},
        {"xyzzy", "unclassified", "none", CONFIDENCE_LOW},
        {"", "unclassified", "none", CONFIDENCE_LOW},
        {"250 2.0.0 ok", "delivered", "code", CONFIDENCE_MEDIUM},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify(cases[i].text, &result);
        assert_string_equal(category_info(result.category)->name, cases[i].category);
        assert_string_equal(result.rule, cases[i].rule);
        assert_int_equal(result.confidence, cases[i].confidence);
        classification_clear(&result);
    }
}

static void
uses_the_stage_where_the_code_needs_it(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply = smtp_reply_parse("552 xyzzy", -1);
    ClassifierSubject subject = {.reply = reply, .stage = SMTP_STAGE_EOM};
    Classification result;
    classifier_reply(classifier, &subject, &result);
    assert_int_equal(result.category, CATEGORY_MESSAGE_TOO_LARGE);
    classification_clear(&result);
    subject.stage = SMTP_STAGE_RCPT;
    classifier_reply(classifier, &subject, &result);
    assert_int_equal(result.category, CATEGORY_MAILBOX_FULL);
    classification_clear(&result);
}

/* What a site knows better: the category and all that follows from it, and nothing else. */
static void
is_overruled(void **state)
{
    static const struct {
        const char *text;
        Finality finality;
        Category category;
        gboolean permanent;
        Action action;
    } cases[] = {
        {"550 5.7.1 xyzzy", FINALITY_REPLY, CATEGORY_USER_UNKNOWN, TRUE, ACTION_SUPPRESS},
        {"450 4.7.1 xyzzy", FINALITY_REPLY, CATEGORY_USER_UNKNOWN, FALSE, ACTION_RETRY},
        {"450 4.7.1 xyzzy", FINALITY_FAILED, CATEGORY_USER_UNKNOWN, TRUE, ACTION_SUPPRESS},
        {"550 5.1.1 no such user", FINALITY_REPLY, CATEGORY_POLICY, FALSE, ACTION_REVIEW},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SmtpReply) reply = smtp_reply_parse(cases[i].text, -1);
        ClassifierSubject subject = {
            .reply = reply, .remote_name = "mx.google.com", .finality = cases[i].finality};
        Classification result;
        classifier_reply(classifier, &subject, &result);
        classification_overrule(&result, &subject, cases[i].category, "site:1", result.match);
        assert_int_equal(result.category, cases[i].category);
        assert_int_equal(result.permanent, cases[i].permanent);
        assert_int_equal(result.action, cases[i].action);
        assert_int_equal(result.confidence, CONFIDENCE_HIGH);
        assert_string_equal(result.rule, "site:1");
        assert_string_equal(result.provider, "google");
        classification_clear(&result);
    }
    assert_true(g_strv_contains(classifier_providers(), "google"));
}

/* Names prove nothing, wherever they stand. */
static void
is_not_misled_by_names(void **state)
{
    static const CategoryCase cases[] = {
        {"550 5.1.1 <spam@greylisted.example>: no such user", "user-unknown"},
        {"550 5.7.1 <user-unknown@example.org>: Relay access denied", "relay-denied"},
        {"550 5.1.1 mailbox-full@quota-exceeded.example user unknown", "user-unknown"},
        {"450 4.2.0 <ada@blacklist.example>: Greylisted", "greylisted"},
        {"554 5.7.1 xyzzy, see https://example.org/user-unknown?mailbox=full", "policy"},
        {"554 5.7.1 xyzzy at virus.spam.example", "policy"},
        {"550 xyzzy <virus>", "unclassified"},
        {"550 5.7.777 xyzzy /var/mail/virus", "policy"},
    };
    (void)state;
    check_categories(cases, G_N_ELEMENTS(cases));
}

/* ---- what follows from it ------------------------------------------------------------------ */

static void
gives_up_only_what_is_dead(void **state)
{
    static const struct {
        const char *text;
        Finality finality;
        gboolean permanent;
        Action action;
    } cases[] = {
        {"550 5.1.1 no such user", FINALITY_REPLY, TRUE, ACTION_SUPPRESS},
        {"450 4.1.1 no such user", FINALITY_REPLY, FALSE, ACTION_RETRY},
        {"450 5.1.1 no such user", FINALITY_REPLY, FALSE, ACTION_RETRY},
        {"450 4.1.1 no such user", FINALITY_FAILED, TRUE, ACTION_SUPPRESS},
        {"550 5.1.1 no such user", FINALITY_DELAYED, FALSE, ACTION_RETRY},
        {"5.1.1 no such user", FINALITY_REPLY, TRUE, ACTION_SUPPRESS},
        {"4.1.1 no such user", FINALITY_REPLY, FALSE, ACTION_RETRY},
        {"no such user", FINALITY_REPLY, TRUE, ACTION_SUPPRESS},
        {"552 5.2.2 mailbox full", FINALITY_REPLY, FALSE, ACTION_RETRY},
        {"550 5.2.1 mailbox disabled", FINALITY_FAILED, FALSE, ACTION_SUPPRESS},
        {"550 5.1.2 unknown domain", FINALITY_REPLY, TRUE, ACTION_CORRECT_ADDRESS},
        {"556 5.1.10 null MX", FINALITY_REPLY, TRUE, ACTION_SUPPRESS},
        {"554 5.7.1 your host is blacklisted", FINALITY_REPLY, FALSE, ACTION_FIX_REPUTATION},
        {"454 4.7.1 your host is blacklisted", FINALITY_REPLY, FALSE, ACTION_RETRY},
        {"421 4.7.0 too many connections", FINALITY_REPLY, FALSE, ACTION_RETRY_SLOWER},
        {"550 too many messages in an hour", FINALITY_REPLY, FALSE, ACTION_RETRY_SLOWER},
        {"554 5.7.1 relay access denied", FINALITY_FAILED, FALSE, ACTION_FIX_CONFIGURATION},
        {"xyzzy", FINALITY_FAILED, FALSE, ACTION_REVIEW},
        {"250 2.0.0 ok", FINALITY_REPLY, FALSE, ACTION_NONE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify_from(cases[i].text, NULL, cases[i].finality, &result);
        if (result.permanent != cases[i].permanent || result.action != cases[i].action)
            print_error("%s: %s\n", cases[i].text, action_name(result.action));
        assert_int_equal(result.permanent, cases[i].permanent);
        assert_int_equal(result.action, cases[i].action);
        classification_clear(&result);
    }
}

/* Words of a dead address that speak of something else: none of these gives an address up. */
static void
spares_good_addresses(void **state)
{
    static const char *const replies[] = {
        "550 Die Domain des Absenders existiert nicht",
        "550 Le domaine de l'exp\303\251diteur n'existe pas",
        "550 El dominio del remitente no existe",
        "550 O dom\303\255nio do remetente n\303\243o existe",
        "550 Absender ist dem Empf\303\244nger nicht bekannt",
        "550 Your message refers to a user that does not exist in our CRM",
        "550 User ada is not known on this submission server",
        "550 Host address is not known: register your server first",
        "550 Invalid HELO: no such domain",
        "550 Temporary problem: mailbox not found on this node",
        "554 5.4.0 mailbox not found due to an internal error",
        "550 This mailbox does not exist for external senders",
        "554 5.3.0 vacation: user not found in /etc/aliases.db: exit 1",
        "550 user not mailed: previous bounce says user unknown",
        "550 Ihre Nachricht wurde vom Benutzer gel\303\266scht",
        "550 Das Konto des Absenders wurde gel\303\266scht",
        "550 La cuenta del remitente fue eliminada",
        "550 Geen gebruiker mag via deze server sturen",
        "550 Adresse im Feld Cc existiert nicht",
        "550 Die Adresse im Betreff ist ung\303\274ltig",
        "550 Hostname Ihrer IP-Adresse nicht gefunden",
        "550 callout verification of <a@example.org> failed: user unknown",
        "550 A link in your mail points to a host that does not exist",
        "550 the account database cannot be reached, mailbox status not known",
        "550 The address in MAIL FROM is not one of our users",
        "553 the sender is not a local user, login first",
        "554 5.3.0 user's home directory does not exist",
        "550 You are not in the address book of this user",
        "554 5.7.1 Rejected: user is not known to send mail of this kind",
        "550 unknown host: your server has no valid name",
        "550 Access denied: invalid recipient policy",
        "host mx.example.net not reachable",
        "550 5.7.1 Message rejected: address in body is listed as invalid",
        "550 5.7.1 Your domain does not exist in our whitelist of valid users",
        "554 5.7.1 The IP address does not exist in DNS",
        "550 We could not find your IP address in DNS",
        "550 5.7.1 account not authenticated: unknown user of this relay",
        "550 5.7.1 invalid attachment: user macro not found",
        "554 The recipient policy does not exist",
        "550 5.7.1 mail from unknown host, users must authenticate",
        "550 mailbox not accessible temporarily",
        "451 4.1.1 user unknown",
        "550 5.7.1 Sender unknown to recipient",
        "550 5.7.1 Non-existent email address in your From header",
        "550 5.7.1 invalid DKIM: key for user not found",
        "550 5.7.1 Recipients' mail server rejects: SPF record not found for user domain",
        "550 Helo invalid: address does not match",
        "550 unknown reason, contact the recipient",
        "554 5.7.1 Recipient reports unknown spam",
        "550 The address you used to connect is not known",
        "550 Invalid data in recipient's policy",
        "554 Mail for this user from unknown senders is quarantined",
        "550 Too many invalid users from 1.2.3.4",
        "550 5.7.1 user verification failed: not authorized",
        "554 5.7.1 Rejected because sender address is not valid user",
        "550 SMTP user not found for authentication",
        "550 5.7.1 Unknown error while delivering to recipient",
        "550 5.3.0 unknown error for mailbox ada",
        "554 unknown mailer error 127",
        "550 Invalid certificate for user",
        "553 5.7.1 You do not exist",
        "550 5.7.1 bounce message for unknown recipient refused",
        "550 5.7.1 The sender's account was deleted",
        "550 delivery to this address is restricted",
        "550 The domain in your address is not registered with a valid MX",
        "550 5.7.1 sender domain example.com does not exist",
        "550 Sender's domain not found",
        "550 Your mail server host name is unknown",
        "550 Client host name not found",
        "550 The host name you gave in HELO does not exist",
        "550 unknown host in Received header",
        "550 5.7.1 Domain example.com not found in SPF",
        "550 5.7.1 URL domain not found",
        "550 URI host in body is unknown",
        "550 5.7.1 The PTR domain does not exist",
        "554 5.7.1 domain of DKIM signature does not exist",
        "554 Null MX sender domain",
        "550 Your domain has null MX, sender rejected",
        "550 5.7.27 Sender address has null MX",
        "554 5.7.1 server does not accept mail from dynamic hosts",
        "550 This server does not accept mail from your host",
        "550 5.7.1 This system does not accept mail without SPF",
        "550 We do not accept mail from this domain",
        "550 The server will not accept mail from hosts without reverse DNS",
        "550 5.7.1 server no longer accepts mail with attachments",
        "550 host does not accept messages larger than 10 MB",
        "550 This account cannot receive messages larger than 1 MB",
        "550 5.7.1 try <postmaster@example.org> if this is an error",
        "550 rejected as spam; please use <abuse@example.org> to complain",
        "550 blocked. please write to <postmaster@example.org>",
        "554 5.7.1 IP blocked, if in error please send mail to <delist@example.org>",
        "550 5.7.1 spam refused. Please use postmaster@example.org for questions",
        "550 access denied, please try postmaster@example.org",
        "554 rejected, new address is required to authenticate",
        "550 for help use admin@example.org",
    };
    guint wrong = 0;
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        Classification result;
        classify(replies[i], &result);
        if (result.permanent) {
            print_error("%s (\"%s\"): %s\n", result.rule, result.match, replies[i]);
            wrong++;
        }
        classification_clear(&result);
    }
    assert_int_equal(wrong, 0);
}

static void
shows_what_it_matched(void **state)
{
    static const struct {
        const char *text, *match;
    } cases[] = {
        {"550 5.1.1 <ada@example.org>: Recipient  address rejected: User unknown in virtual "
         "mailbox table",
         "Recipient  address rejected: User unknown"},
        {"550 5.7.1 blocked using zen.spamhaus.org", "blocked using zen.spamhaus.org"},
        {"550 Bo\xc3\xaete pleine", "Bo\xc3\xaete pleine"},
        {"550 5.7.25", "5.7.25"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify(cases[i].text, &result);
        assert_non_null(result.match);
        assert_string_equal(result.match, cases[i].match);
        classification_clear(&result);
    }
}

static void
reads_when_to_come_back(void **state)
{
    static const struct {
        const char *text;
        gint64 seconds;
    } cases[] = {
        {"451 4.7.1 try again in 5 minutes", 300},
        {"451 Greylisting in action, please come back in 00:04:59", 299},
        {"450 greylisted, retry after 300 seconds", 300},
        {"450 Greylisted for 60s", 60},
        {"451 Please retry in 1 hour", 3600},
        {"451 come back in 2h", 7200},
        {"451 try again in 10 min.", 600},
        {"421 wait 15 mins", 900},
        {"451 Bitte versuchen Sie es in 10 Minuten erneut", 600},
        {"451 veuillez r\xc3\xa9"
         "essayer dans 2 heures",
         7200},
        {"451 \xe8\xaf\xb7"
         "30\xe5\x88\x86\xe9\x92\x9f\xe5\x90\x8e\xe9\x87\x8d\xe8\xaf\x95",
         1800},
        {"451 try again later", -1},
        {"552 quota of 300 MB exceeded", -1},
        {"421 more than 100 messages", -1},
        {"451 retry after 99999999999999999999 hours", -1},
        {"550 5.1.1 user 12345 unknown", -1},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify(cases[i].text, &result);
        if (result.retry_after != cases[i].seconds)
            print_error("%s\n", cases[i].text);
        assert_int_equal(result.retry_after, cases[i].seconds);
        classification_clear(&result);
    }
}

static void
names_the_list(void **state)
{
    static const struct {
        const char *text, *list, *category;
    } cases[] = {
        {"554 5.7.1 Client host [192.0.2.7] blocked using Zen.Spamhaus.org; see it",
         "zen.spamhaus.org", "host-blocked"},
        {"554 see https://www.spamhaus.org/query/ip/192.0.2.7", "zen.spamhaus.org", "host-blocked"},
        {"550 blocked using xbl.spamhaus.org, see http://www.spamhaus.org/x", "xbl.spamhaus.org",
         "host-blocked"},
        {"550 192.0.2.7 listed in bl.spamcop.net.", "bl.spamcop.net", "host-blocked"},
        {"550 Blocked - see http://www.spamcop.net/bl.shtml?192.0.2.7", "bl.spamcop.net",
         "host-blocked"},
        {"554 blocked using rbl.our-own.example", "rbl.our-own.example", "host-blocked"},
        {"554 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org; Error: open resolver",
         "zen.spamhaus.org", "system-error"},
        {"554 192.0.2.7 is listed by zen.spamhaus.org: 127.255.255.254", "zen.spamhaus.org",
         "system-error"},
        {"550 5.1.1 <ada@spamhaus.org>: no such user", NULL, "user-unknown"},
        {"550 5.1.1 no such user at notspamhaus.org", NULL, "user-unknown"},
        {"554 your server is blacklisted", NULL, "host-blocked"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification result;
        classify(cases[i].text, &result);
        if (g_strcmp0(result.dnsbl, cases[i].list) != 0)
            print_error("%s: %s\n", cases[i].text, result.dnsbl);
        assert_int_equal(g_strcmp0(result.dnsbl, cases[i].list), 0);
        assert_string_equal(category_info(result.category)->name, cases[i].category);
        classification_clear(&result);
    }
}

/* ---- as a value, from threads, and at its limits
 * -------------------------------------------------- */

static void
copies_a_classification(void **state)
{
    Classification result, copy;
    (void)state;
    classify("554 5.7.1 blocked using zen.spamhaus.org", &result);
    classification_copy(&result, &copy);
    assert_ptr_not_equal(result.rule, copy.rule);
    assert_string_equal(result.rule, copy.rule);
    assert_string_equal(result.match, copy.match);
    assert_string_equal(result.dnsbl, copy.dnsbl);
    classification_clear(&result);
    assert_null(result.rule);
    classification_clear(&copy);
}

static void
stays_bounded(void **state)
{
    (void)state;
    g_autoptr(GString) flood = g_string_new("550 5.1.1 user unknown");
    while (flood->len < 1 << 20)
        g_string_append(flood, " mailbox user <a@b.example> quota try again in 5 minutes");
    gint64 before = g_get_monotonic_time();
    Classification result;
    classify(flood->str, &result);
    assert_true(g_get_monotonic_time() - before < 2 * G_USEC_PER_SEC);
    assert_int_equal(result.category, CATEGORY_USER_UNKNOWN);
    classification_clear(&result);
}

enum { THREADS = 4, ROUNDS = 200 };

static void *
classify_much(void *data)
{
    atomic_uint *wrong = data;
    Classifier *own = classifier_ref(classifier);
    for (guint i = 0; i < ROUNDS; i++) {
        Classification result;
        classify(i % 2 == 0 ? "550 5.1.1 no such user" : "421 too many connections", &result);
        if (result.permanent != (i % 2 == 0))
            atomic_fetch_add(wrong, 1);
        classification_clear(&result);
    }
    classifier_unref(own);
    return NULL;
}

/* Each example cut off at every octet; a piece is an allocation of its own, so that a sanitizer
 * sees who reads behind it. */
static void
reads_what_is_cut_short(void **state)
{
    const gsize stride = TEST_SANITIZED ? 7 : 1;
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rule_examples); i++) {
        gsize length = strlen(rule_examples[i].text);
        for (gsize cut = 1; cut < length; cut += stride) {
            Classification result;
            g_autofree char *piece = g_memdup2(rule_examples[i].text, cut);
            g_autoptr(SmtpReply) reply = smtp_reply_parse(piece, (gssize)cut);
            const ClassifierSubject subject = {.reply = reply, .finality = FINALITY_FAILED};
            classifier_reply(classifier, &subject, &result);
            assert_non_null(result.rule);
            classification_clear(&result);
        }
    }
}

static void
serves_many_threads(void **state)
{
    pthread_t threads[THREADS];
    atomic_uint wrong = 0;
    (void)state;
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, classify_much, &wrong), 0);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_every_example),
        cmocka_unit_test(has_only_lists_of_words),
        cmocka_unit_test(knows_a_provider_by_its_host),
        cmocka_unit_test(takes_the_host_from_the_reply),
        cmocka_unit_test(weighs_what_stands_together),
        cmocka_unit_test(falls_back_on_the_numbers),
        cmocka_unit_test(uses_the_stage_where_the_code_needs_it),
        cmocka_unit_test(is_overruled),
        cmocka_unit_test(is_not_misled_by_names),
        cmocka_unit_test(gives_up_only_what_is_dead),
        cmocka_unit_test(spares_good_addresses),
        cmocka_unit_test(shows_what_it_matched),
        cmocka_unit_test(reads_when_to_come_back),
        cmocka_unit_test(names_the_list),
        cmocka_unit_test(copies_a_classification),
        cmocka_unit_test(stays_bounded),
        cmocka_unit_test(reads_what_is_cut_short),
        cmocka_unit_test(serves_many_threads),
    };
    return cmocka_run_group_tests(tests, build_classifier, drop_classifier);
}
