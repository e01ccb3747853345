/*
 * record/event: each field of the line, its bounds, and that nothing private is left.
 */
#include <string.h>

#include <jansson.h>

#include "test_support.h"

#include "base/clock.h"
#include "event_cases.h"

#define ID "1k5x00000000000000000000ab"

static const EventMark mark = {.id = ID, .now_us = EVENT_CASE_TIME_US};
static const PolicySettings plain = {.site = {.hostname = NULL}};

static char *
line_of(const EventCase *one, const PolicySettings *settings)
{
    char *line = event_line_by(settings, &one->facts, &one->decision, &mark);
    assert_true(strlen(line) <= EVENT_LINE_MAX);
    for (const char *octet = line; *octet != '\0'; octet++)
        assert_true(*octet >= 0x20 && *octet < 0x7f);
    return line;
}

static json_t *
parse(const char *line)
{
    json_error_t error;
    json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(event);
    return event;
}

static void
writes_an_observed_refusal(void **state)
{
    EventCase one;
    (void)state;
    event_case_observed(&one, "Recipient address rejected: User unknown");
    g_autofree char *line = line_of(&one, &plain);
    assert_string_equal(
        line,
        "{\"v\":1,\"time\":\"2027-03-10T08:40:12.345678Z\",\"id\":\"" ID "\",\"event\":\"refusal\","
        "\"door\":\"milter\",\"stage\":\"rcpt\",\"client\":{\"addr\":\"192.0.2.77\","
        "\"name\":\"host-77.dyn.client.example\",\"helo\":\"client.example\"},\"sender\":\"\","
        "\"recipient\":\"nouser@rcpt.example\",\"original\":{\"status\":\"5.1.1\","
        "\"text\":\"Recipient address rejected: User unknown\"},\"final\":{\"status\":\"5.1.1\","
        "\"text\":\"Recipient address rejected: User unknown\"},\"changed\":false,\"repairs\":[],"
        "\"category\":\"user-unknown\",\"permanent\":true,\"action\":\"suppress\","
        "\"confidence\":\"high\",\"evidence\":{\"rule\":\"postfix-user-unknown\","
        "\"match\":\"User unknown\"}}");
    event_case_clear(&one);
}

static void
writes_a_replaced_reply(void **state)
{
    EventCase one;
    (void)state;
    event_case_replaced(&one);
    EventMark joined = {.id = ID, .joins = "1k5x00000000000000000000aa"};
    g_autofree char *line = event_line_by(&plain, &one.facts, &one.decision, &joined);
    json_t *event = parse(line);
    const char *joins, *final, *status, *reference, *rule, *repair;
    int code;
    assert_int_equal(json_unpack(event, "{s:s,s:{s:i,s:s,s:s},s:s,s:s,s:[s]}", "joins", &joins,
                                 "final", "code", &code, "status", &status, "text", &final,
                                 "reference", &reference, "rule", &rule, "repairs", &repair),
                     0);
    assert_string_equal(joins, "1k5x00000000000000000000aa");
    assert_int_equal(code, 550);
    assert_string_equal(status, "5.1.1");
    assert_string_equal(final, "No mailbox nouser@rcpt.example here. Reference kfmtwxhz");
    assert_string_equal(reference, "kfmtwxhz");
    assert_string_equal(rule, "no-such-user");
    assert_string_equal(repair, "class-mismatch");
    assert_true(json_is_true(json_object_get(event, "changed")));
    json_decref(event);
    event_case_clear(&one);
}

static void
writes_what_a_filter_did(void **state)
{
    static const char *const verdicts[] = {NULL, "quarantine", "discard"};
    (void)state;
    for (guint i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        EventCase one;
        event_case_filter(&one, (Verdict)(VERDICT_REPLY + i));
        g_autofree char *line = line_of(&one, &plain);
        json_t *event = parse(line);
        const char *kind, *door, *filter;
        int spent;
        assert_int_equal(json_unpack(event, "{s:s,s:s,s:s,s:i}", "event", &kind, "door", &door,
                                     "filter", &filter, "filter_ms", &spent),
                         0);
        assert_string_equal(kind, "refusal");
        assert_string_equal(door, "filter");
        assert_string_equal(filter, "rspamd");
        assert_int_equal(spent, 41);
        assert_null(json_object_get(event, "check"));
        const char *verdict = json_string_value(json_object_get(event, "verdict"));
        assert_int_equal(g_strcmp0(verdict, verdicts[i]), 0);
        json_decref(event);
        event_case_clear(&one);
    }
}

static void
writes_a_failure_of_a_filter(void **state)
{
    EventCase one;
    (void)state;
    event_case_filter(&one, VERDICT_REPLY);
    facts_set(&one.facts, FACT_HELO, "client.example");
    const EventFilterFailure failure = {.filter = "clamav",
                                        .reason = "closed by alice@sender.example\n",
                                        .on_failure = FILTER_FAILURE_ACCEPT,
                                        .spent_us = 2500600};
    g_autofree char *line = event_case_failure_line(&plain, &one.facts, &failure, &mark);
    assert_string_equal(
        line, "{\"v\":1,\"time\":\"2027-03-10T08:40:12.345678Z\",\"id\":\"" ID "\","
              "\"event\":\"filter-failure\",\"door\":\"filter\",\"stage\":\"eom\","
              "\"queue_id\":\"4F1234ABCD\",\"client\":{\"addr\":\"2001:db8:1:2::5\","
              "\"helo\":\"client.example\"},\"sender\":\"alice@sender.example\","
              "\"filter\":\"clamav\",\"reason\":\"closed by alice@sender.example\\u000a\","
              "\"on_failure\":\"accept\",\"filter_ms\":2501}");
    const PolicySettings hidden = {.log = {.addresses = PRIVACY_PARTIAL}};
    g_autofree char *private = event_case_failure_line(&hidden, &one.facts, &failure, &mark);
    assert_null(strstr(private, "alice"));
    g_autofree char *endless = g_strnfill(60000, '\n');
    const EventFilterFailure longest = {.filter = "clamav", .reason = endless};
    facts_set(&one.facts, FACT_HELO, endless);
    facts_set(&one.facts, FACT_SENDER, endless);
    facts_set(&one.facts, FACT_RECIPIENT, endless);
    g_autofree char *cut = event_case_failure_line(&plain, &one.facts, &longest, &mark);
    assert_in_range(strlen(cut), 1, EVENT_LINE_MAX);
    json_decref(parse(cut));
    event_case_clear(&one);
}

static void
tells_failures_from_delays(void **state)
{
    static const struct {
        const char *original, *final, *event;
    } cases[] = {
        {"5.7.1 host mx.remote.example[192.0.2.1] said: 550 5.7.1 blocked", NULL, "failure"},
        {"4.4.1 connect to 192.0.2.1: refused", NULL, "delay"},
        {"4.7.1 host mx.remote.example[192.0.2.1] said: 450 4.7.1 x", "5.7.1 x", "failure"},
        {"5.7.1 x", "4.7.1 x", "delay"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EventCase one;
        event_case_delivery(&one, cases[i].original, cases[i].final);
        g_autofree char *line = line_of(&one, &plain);
        json_t *event = parse(line);
        const char *kind, *proof, *provider, *reporting, *dnsbl;
        int retry_after;
        assert_int_equal(json_unpack(event, "{s:s,s:s,s:s,s:s,s:s,s:i}", "event", &kind, "proof",
                                     &proof, "provider", &provider, "reporting_mta", &reporting,
                                     "dnsbl", &dnsbl, "retry_after", &retry_after),
                         0);
        assert_string_equal(kind, cases[i].event);
        assert_string_equal(proof, "own-mta");
        assert_string_equal(provider, "google");
        assert_string_equal(reporting, "mx.example.net");
        assert_string_equal(dnsbl, "zen.dnsbl.example");
        assert_int_equal(retry_after, 300);
        json_decref(event);
        event_case_clear(&one);
    }
}

/* Each kind, with all that is known of where it comes from. */
static void
tells_what_a_report_says(void **state)
{
    static const char *const kinds[] = {"unread",    "failure",  "delay",
                                        "delivered", "feedback", "auto-reply"};
    static const struct {
        Proof proof;
        ReportGap gap;
        const char *proof_name, *incomplete;
    } cases[] = {
        {PROOF_NONE, REPORT_WHOLE, "none", NULL},
        {PROOF_MESSAGE_ID, REPORT_GAP_MAX_BODY, "message-id", "max_body"},
        {PROOF_VERP, REPORT_GAP_LIMITS, "verp", "limits"},
        {PROOF_OWN_MTA, REPORT_GAP_MEMORY, "own-mta", "memory"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) * G_N_ELEMENTS(cases); i++) {
        EventCase one;
        event_case_report(&one, (MailKind)(i % G_N_ELEMENTS(kinds)));
        one.decision.proof = cases[i % G_N_ELEMENTS(cases)].proof;
        one.decision.gap = cases[i % G_N_ELEMENTS(cases)].gap;
        g_autofree char *line = line_of(&one, &plain);
        json_t *event = parse(line);
        const char *kind, *proof;
        assert_int_equal(json_unpack(event, "{s:s,s:s}", "event", &kind, "proof", &proof), 0);
        assert_string_equal(kind, kinds[i % G_N_ELEMENTS(kinds)]);
        assert_string_equal(proof, cases[i % G_N_ELEMENTS(cases)].proof_name);
        assert_int_equal(g_strcmp0(json_string_value(json_object_get(event, "incomplete")),
                                   cases[i % G_N_ELEMENTS(cases)].incomplete),
                         0);
        json_decref(event);
        event_case_clear(&one);
    }
}

static void
tells_where_a_report_comes_from(void **state)
{
    EventCase one;
    (void)state;
    event_case_report(&one, MAIL_KIND_FAILURE);
    g_autofree char *line = line_of(&one, &plain);
    json_t *event = parse(line);
    const char *sender, *recipient, *reporting, *remote, *id, *status, *text;
    int code;
    assert_int_equal(json_unpack(event, "{s:s,s:s,s:s,s:s,s:s,s:{s:i,s:s,s:s}}", "sender", &sender,
                                 "recipient", &recipient, "reporting_mta", &reporting, "remote_mta",
                                 &remote, "message_id", &id, "original", "code", &code, "status",
                                 &status, "text", &text),
                     0);
    assert_string_equal(sender, "alice@sender.example");
    assert_string_equal(recipient, "bob@remote.example");
    assert_string_equal(reporting, "mx.sender.example");
    assert_string_equal(remote, "mx.remote.example");
    assert_string_equal(id, "20270310.4F1234ABCD@mx.sender.example");
    assert_int_equal(code, 550);
    assert_string_equal(status, "5.1.1");
    assert_string_equal(text, "<bob@remote.example>: User unknown");
    assert_true(json_equal(json_object_get(event, "original"), json_object_get(event, "final")));
    assert_false(json_is_true(json_object_get(event, "changed")));
    json_decref(event);
    event_case_clear(&one);
}

static void
names_the_remote_host(void **state)
{
    EventCase one;
    (void)state;
    event_case_delivery(&one, "5.7.1 host mx.remote.example[192.0.2.1] said: 550 5.7.1 no", NULL);
    g_autofree char *line = line_of(&one, &plain);
    json_t *event = parse(line);
    assert_string_equal(json_string_value(json_object_get(event, "remote_mta")),
                        "mx.remote.example");
    json_decref(event);
    event_case_clear(&one);
}

static void
tells_what_a_check_did(void **state)
{
    static const struct {
        Verdict verdict;
        const char *name;
    } cases[] = {
        {VERDICT_REPLY, NULL}, {VERDICT_QUARANTINE, "quarantine"}, {VERDICT_DISCARD, "discard"}};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EventCase one;
        event_case_check(&one, cases[i].verdict);
        g_autofree char *line = line_of(&one, &plain);
        json_t *event = parse(line);
        const char *verdict = json_string_value(json_object_get(event, "verdict"));
        assert_int_equal(g_strcmp0(verdict, cases[i].name), 0);
        assert_true((json_object_get(event, "final") != NULL) == (cases[i].name == NULL));
        assert_null(json_object_get(event, "original"));
        assert_string_equal(json_string_value(json_object_get(event, "check")), "bad-helo");
        assert_string_equal(json_string_value(json_object_get(event, "filter")), "rspamd");
        json_decref(event);
        event_case_clear(&one);
    }
}

/* A line break, a quote or a NUL's escape from outside is text, and stays text. */
static void
keeps_hostile_values_inside(void **state)
{
    static const char hostile[] = "a\r\n550 5.1.1 b\",\"v\":9,\"\\u0000\x01\xff\xe2\x80\xae";
    static const char read_back[] =
        "a\r\n550 5.1.1 b\",\"v\":9,\"\\u0000\x01\xef\xbf\xbd\xe2\x80\xae";
    EventCase one;
    (void)state;
    event_case_observed(&one, "text");
    facts_set(&one.facts, FACT_HELO, hostile);
    facts_set(&one.facts, FACT_SENDER, hostile);
    g_autofree char *line = line_of(&one, &plain);
    json_t *event = parse(line);
    const char *helo, *sender;
    assert_int_equal(
        json_unpack(event, "{s:{s:s},s:s}", "client", "helo", &helo, "sender", &sender), 0);
    assert_string_equal(helo, read_back);
    assert_string_equal(sender, read_back);
    json_decref(event);
    event_case_clear(&one);
}

/* The long one is cut, the short ones beside it stay. */
static void
cuts_the_longest_texts(void **state)
{
    static const struct {
        char octet;
        gsize length;
        gboolean cut;
    } cases[] = {
        {'x', 10000, FALSE}, {'x', 60000, TRUE}, {'\n', 60000, TRUE}, {'\xff', 5000, TRUE}};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EventCase one;
        g_autofree char *text = g_strnfill(cases[i].length, cases[i].octet);
        event_case_observed(&one, text);
        g_autofree char *line = line_of(&one, &plain);
        json_t *event = parse(line);
        const char *said, *recipient;
        assert_int_equal(
            json_unpack(event, "{s:{s:s},s:s}", "original", "text", &said, "recipient", &recipient),
            0);
        assert_string_equal(recipient, "nouser@rcpt.example");
        assert_int_equal(g_str_has_suffix(said, "..."), cases[i].cut);
        json_decref(event);
        event_case_clear(&one);
    }
}

static void
bounds_a_line_whatever_is_in_it(void **state)
{
    static const Fact all[] = {FACT_CLIENT,    FACT_CLIENT_NAME, FACT_HELO,  FACT_SENDER,
                               FACT_RECIPIENT, FACT_AUTH_USER,   FACT_FILTER};
    g_autofree char *endless = g_strnfill(65536, '\x01');
    EventCase one;
    (void)state;
    event_case_observed(&one, endless);
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        facts_set(&one.facts, all[i], endless);
    for (int i = 0; i < 1000; i++)
        g_ptr_array_add(one.decision.repairs, (gpointer) "line-too-long");
    one.decision.reference = g_strdup(endless);
    one.decision.rule = one.decision.check = endless;
    one.decision.cause.dnsbl = g_strdup(endless);
    one.facts.queue_id = g_strdup(endless);
    g_autofree char *line = line_of(&one, &plain);
    json_decref(parse(line));
    event_case_clear(&one);
}

/* Every field at once: nothing of the people and machines that were in it is left. */
static void
hides_in_every_field(void **state)
{
    static const char *const secrets[] = {"bob.smith", "alice",     "192.0.2.77", "77.2.0.192",
                                          "host-77",   "bobs-pc",   "192-0-2-77", "bob%2Esmith",
                                          "BOB.SMITH", "postbox-9", "c000024d"};
    EventCase one;
    (void)state;
    event_case_delivery(&one,
                        "5.7.1 host host-77.dyn.client.example[192.0.2.77] said: 550 5.7.1 "
                        "<BOB.SMITH@rcpt.example> bob%2Esmith bob%2Esmith%40rcpt.example "
                        "77.2.0.192.zen.dnsbl.example c000024d",
                        "5.7.1 alice@sender.example bobs-pc postbox-9 192-0-2-77");
    facts_set(&one.facts, FACT_CLIENT, "192.0.2.77");
    facts_set(&one.facts, FACT_CLIENT_NAME, "host-77.dyn.client.example");
    facts_set(&one.facts, FACT_HELO, "bobs-pc");
    facts_set(&one.facts, FACT_SENDER, "alice@sender.example");
    facts_set(&one.facts, FACT_RECIPIENT, "bob.smith@rcpt.example");
    facts_set(&one.facts, FACT_AUTH_USER, "postbox-9");
    g_free(one.decision.cause.match);
    one.decision.cause.match = g_strdup("for bob.smith from 192.0.2.77");
    g_free(one.decision.cause.dnsbl);
    one.decision.cause.dnsbl = g_strdup("77.2.0.192.zen.dnsbl.example");
    one.decision.reporting_mta = g_strdup("host-77.dyn.client.example");
    one.decision.remote_mta = g_strdup("host-77.dyn.client.example [192.0.2.77]");
    one.decision.message_id = g_strdup("alice.192-0-2-77.bob.smith@bobs-pc");
    one.decision.report = TRUE;
    one.decision.kind = MAIL_KIND_FAILURE;
    one.facts.door = DOOR_MILTER;
    for (Privacy privacy = PRIVACY_PARTIAL; privacy <= PRIVACY_HASHED; privacy++) {
        PolicySettings settings = {.log = {.addresses = privacy, .client = privacy}};
        settings.log.key = g_bytes_new_static("key", 3);
        g_autofree char *line = line_of(&one, &settings);
        for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
            if (strstr(line, secrets[i]) != NULL)
                fail_msg("%s in %s", secrets[i], line);
        g_bytes_unref(settings.log.key);
    }
    event_case_clear(&one);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_an_observed_refusal),
        cmocka_unit_test(writes_a_replaced_reply),
        cmocka_unit_test(writes_what_a_filter_did),
        cmocka_unit_test(writes_a_failure_of_a_filter),
        cmocka_unit_test(tells_failures_from_delays),
        cmocka_unit_test(tells_what_a_report_says),
        cmocka_unit_test(tells_where_a_report_comes_from),
        cmocka_unit_test(names_the_remote_host),
        cmocka_unit_test(tells_what_a_check_did),
        cmocka_unit_test(keeps_hostile_values_inside),
        cmocka_unit_test(cuts_the_longest_texts),
        cmocka_unit_test(bounds_a_line_whatever_is_in_it),
        cmocka_unit_test(hides_in_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
