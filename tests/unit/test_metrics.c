/*
 * server/metrics: what is counted under which labels, and that nobody can make more of them.
 */
#include <pthread.h>
#include <string.h>

#include "test_support.h"

#include "event_cases.h"
#include "server/metrics.h"

static char *
written(const Metrics *metrics)
{
    GString *out = g_string_new(NULL);
    metrics_write(metrics, out);
    return g_string_free(out, FALSE);
}

/* Is the whole line there? */
static void
assert_line(const Metrics *metrics, const char *line)
{
    g_autofree char *text = written(metrics);
    g_autofree char *whole = g_strdup_printf("\n%s\n", line);
    if (strstr(text, whole) == NULL)
        fail_msg("not there: %s\nin\n%s", line, text);
}

/* How many samples a family has. */
static guint
samples(const Metrics *metrics, const char *family)
{
    guint count = 0;
    g_autofree char *text = written(metrics);
    g_autofree char *begin = g_strdup_printf("%s{", family);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        count += g_str_has_prefix(*line, begin) ? 1 : 0;
    return count;
}

static void
note(Metrics *metrics, EventCase *one, gboolean joined)
{
    metrics_decision(metrics, &one->facts, &one->decision, joined);
    event_case_clear(one);
}

static void
test_nothing_yet(void **state)
{
    (void)state;
    static const char *const quiet[] = {
        "replymilter_refusals_total",      "replymilter_refusal_answers_total",
        "replymilter_refusal_codes_total", "replymilter_refusal_statuses_total",
        "replymilter_repairs_total",       "replymilter_bounces_total",
        "replymilter_bounce_proofs_total", "replymilter_bounce_actions_total",
    };
    g_autoptr(Metrics) metrics = metrics_new();
    g_autofree char *text = written(metrics);
    for (gsize i = 0; i < G_N_ELEMENTS(quiet); i++) {
        g_autofree char *type = g_strdup_printf("# TYPE %s counter\n", quiet[i]);
        assert_non_null(strstr(text, type));
        assert_int_equal(samples(metrics, quiet[i]), 0);
    }
    assert_line(metrics, "replymilter_table_lookups_total{table=\"footer\",answer=\"found\"} 0");
    assert_line(metrics, "replymilter_reports_incomplete_total{limit=\"memory\"} 0");
}

static void
test_refusals(void **state)
{
    (void)state;
    EventCase one;
    g_autoptr(Metrics) metrics = metrics_new();
    event_case_observed(&one, "User unknown");
    note(metrics, &one, FALSE);
    event_case_replaced(&one);
    note(metrics, &one, TRUE);
    event_case_replaced(&one);
    note(metrics, &one, FALSE);
#define REFUSALS "replymilter_refusals_total{door="
    assert_line(metrics, REFUSALS "\"milter\",stage=\"rcpt\",category=\"user-unknown\","
                                  "joined=\"false\"} 1");
    assert_line(metrics, REFUSALS "\"reject\",stage=\"rcpt\",category=\"user-unknown\","
                                  "joined=\"true\"} 1");
    assert_line(metrics, REFUSALS "\"reject\",stage=\"rcpt\",category=\"user-unknown\","
                                  "joined=\"false\"} 1");
    assert_int_equal(samples(metrics, "replymilter_refusals_total"), 3);
    assert_line(metrics, "replymilter_refusal_answers_total{door=\"milter\",answer=\"kept\","
                         "repaired=\"false\"} 1");
    assert_line(metrics, "replymilter_refusal_answers_total{door=\"reject\",answer=\"replaced\","
                         "repaired=\"true\"} 2");
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"milter\",code=\"none\"} 1");
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"reject\",code=\"550\"} 2");
    assert_line(metrics, "replymilter_refusal_statuses_total{status=\"5.1.1\"} 3");
    assert_line(metrics, "replymilter_repairs_total{repair=\"class-mismatch\"} 2");
    assert_int_equal(samples(metrics, "replymilter_bounces_total"), 0);
}

static void
test_answers(void **state)
{
    (void)state;
    static const struct {
        Verdict verdict;
        ReplyMode mode;
        gboolean changed;
        const char *check, *answer;
    } cases[] = {
        {VERDICT_PASS, REPLY_MODE_KEEP, FALSE, NULL, "kept"},
        {VERDICT_PASS, REPLY_MODE_ANNOTATE, FALSE, NULL, "kept"},
        {VERDICT_REPLY, REPLY_MODE_KEEP, TRUE, NULL, "repaired"},
        {VERDICT_REPLY, REPLY_MODE_REPAIR, TRUE, NULL, "repaired"},
        {VERDICT_REPLY, REPLY_MODE_ANNOTATE, TRUE, NULL, "annotated"},
        {VERDICT_REPLY, REPLY_MODE_REPLACE, TRUE, NULL, "replaced"},
        {VERDICT_REPLY, REPLY_MODE_REPLACE, TRUE, "bad-helo", "check"},
        {VERDICT_QUARANTINE, REPLY_MODE_KEEP, FALSE, "odd", "quarantined"},
        {VERDICT_DISCARD, REPLY_MODE_KEEP, FALSE, NULL, "discarded"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        EventCase one;
        g_autoptr(Metrics) metrics = metrics_new();
        event_case_observed(&one, "User unknown");
        one.decision.verdict = cases[i].verdict;
        one.decision.mode = cases[i].mode;
        one.decision.changed = cases[i].changed;
        one.decision.check = cases[i].check;
        note(metrics, &one, FALSE);
        g_autofree char *line =
            g_strdup_printf("replymilter_refusal_answers_total{door=\"milter\",answer=\"%s\","
                            "repaired=\"false\"} 1",
                            cases[i].answer);
        assert_line(metrics, line);
    }
}

/* Every code and every status that can be written down. */
static void
test_codes_are_bounded(void **state)
{
    (void)state;
    g_autoptr(Metrics) metrics = metrics_new();
    for (guint code = 0; code < 1000; code++) {
        EventCase one;
        event_case_observed(&one, "Odd");
        one.decision.original->code = code;
        one.decision.original->status =
            (EnhancedStatus){(guint8)(code % 10), (guint16)(code / 10), (guint16)code};
        note(metrics, &one, FALSE);
    }
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"milter\",code=\"none\"} 1");
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"milter\",code=\"400\"} 1");
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"milter\",code=\"599\"} 1");
    assert_line(metrics, "replymilter_refusal_codes_total{door=\"milter\",code=\"other\"} 799");
    assert_int_equal(samples(metrics, "replymilter_refusal_codes_total"), 202);
    assert_line(metrics, "replymilter_refusal_statuses_total{status=\"4.1.14\"} 1");
    assert_line(metrics, "replymilter_refusal_statuses_total{status=\"4.x.x\"} 97");
    assert_line(metrics, "replymilter_refusal_statuses_total{status=\"none\"} 800");
    assert_true(samples(metrics, "replymilter_refusal_statuses_total") < 20);
}

static void
bounce(EventCase *one, Door door, MailKind kind, const char *provider)
{
    event_case_observed(one, "552 5.2.2 Over quota");
    one->facts.door = door;
    one->decision.report = door == DOOR_MILTER;
    one->decision.kind = kind;
    one->decision.proof = PROOF_VERP;
    one->decision.cause.provider = provider;
    event_case_cause(one, CATEGORY_MAILBOX_FULL, CONFIDENCE_HIGH, "status", "5.2.2");
}

static void
test_bounces(void **state)
{
    (void)state;
    EventCase one;
    g_autoptr(Metrics) metrics = metrics_new();
    bounce(&one, DOOR_MILTER, MAIL_KIND_FAILURE, "google");
    note(metrics, &one, FALSE);
    bounce(&one, DOOR_MILTER, MAIL_KIND_DELAY, NULL);
    note(metrics, &one, FALSE);
    bounce(&one, DOOR_MILTER, MAIL_KIND_FAILURE, "a host that nobody knows");
    note(metrics, &one, FALSE);
    bounce(&one, DOOR_DELIVERY, MAIL_KIND_NOT_A_BOUNCE, "google");
    note(metrics, &one, FALSE);
    one.facts.door = DOOR_DELIVERY;
#define BOUNCES "replymilter_bounces_total{door="
#define FULL    "category=\"mailbox-full\",provider="
    assert_line(metrics, BOUNCES "\"milter\",kind=\"failure\"," FULL "\"google\"} 1");
    assert_line(metrics, BOUNCES "\"milter\",kind=\"delay\"," FULL "\"other\"} 1");
    assert_line(metrics, BOUNCES "\"milter\",kind=\"failure\"," FULL "\"other\"} 1");
    assert_line(metrics, BOUNCES "\"delivery\",kind=\"failure\"," FULL "\"google\"} 1");
    assert_line(metrics, "replymilter_bounce_proofs_total{kind=\"failure\",proof=\"verp\"} 2");
    assert_line(metrics, "replymilter_bounce_proofs_total{kind=\"failure\",proof=\"own-mta\"} 1");
    g_autofree char *actions =
        g_strdup_printf("replymilter_bounce_actions_total{kind=\"failure\",action=\"%s\"} 3",
                        action_name(category_info(CATEGORY_MAILBOX_FULL)->action));
    assert_line(metrics, actions);
    assert_int_equal(samples(metrics, "replymilter_refusals_total"), 0);
}

/* Nobody knows what it says: it is no refusal and no bounce. */
static void
test_unread(void **state)
{
    (void)state;
    EventCase one;
    g_autoptr(Metrics) metrics = metrics_new();
    bounce(&one, DOOR_MILTER, MAIL_KIND_NOT_A_BOUNCE, NULL);
    one.decision.gap = REPORT_GAP_MEMORY;
    note(metrics, &one, FALSE);
    bounce(&one, DOOR_MILTER, MAIL_KIND_FAILURE, NULL);
    one.decision.gap = REPORT_GAP_MAX_BODY;
    note(metrics, &one, FALSE);
    assert_line(metrics, "replymilter_reports_incomplete_total{limit=\"memory\"} 1");
    assert_line(metrics, "replymilter_reports_incomplete_total{limit=\"max_body\"} 1");
    assert_int_equal(samples(metrics, "replymilter_bounces_total"), 1);
    assert_int_equal(samples(metrics, "replymilter_refusals_total"), 0);
}

static void
test_lookups(void **state)
{
    (void)state;
    g_autoptr(Metrics) metrics = metrics_new();
    metrics_lookup(metrics, METRICS_TABLE_FOOTER, METRICS_LOOKUP_FOUND, 20);
    metrics_lookup(metrics, METRICS_TABLE_FOOTER, METRICS_LOOKUP_NOT_FOUND, 2000);
    metrics_lookup(metrics, METRICS_TABLE_OTHER, METRICS_LOOKUP_REFUSED, 1);
    assert_line(metrics, "replymilter_table_lookups_total{table=\"footer\",answer=\"found\"} 1");
    assert_line(metrics, "replymilter_table_lookups_total{table=\"footer\",answer=\"notfound\"} 1");
    assert_line(metrics, "replymilter_table_lookups_total{table=\"other\",answer=\"refused\"} 1");
#define TIMES "replymilter_table_lookup_duration_seconds"
    assert_line(metrics, TIMES "_bucket{table=\"footer\",le=\"1e-05\"} 0");
    assert_line(metrics, TIMES "_bucket{table=\"footer\",le=\"2.5e-05\"} 1");
    assert_line(metrics, TIMES "_bucket{table=\"footer\",le=\"+Inf\"} 2");
    assert_line(metrics, TIMES "_sum{table=\"footer\"} 0.00202");
    assert_line(metrics, TIMES "_count{table=\"footer\"} 2");
}

/* Series by series the text holds, each at most once: Prometheus takes none of it else. */
static void
test_series_are_unique(void **state)
{
    (void)state;
    g_autoptr(Metrics) metrics = metrics_new();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint category = 0; category < CATEGORY_COUNT; category++)
        for (guint kind = 0; kind < MAIL_KIND_COUNT; kind++) {
            EventCase one;
            bounce(&one, DOOR_MILTER, (MailKind)kind, classifier_providers()[0]);
            one.decision.report = kind != MAIL_KIND_NOT_A_BOUNCE;
            one.decision.cause.category = (Category)category;
            note(metrics, &one, FALSE);
        }
    g_autofree char *text = written(metrics);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        const char *end = **line == '#' ? *line + strlen(*line) : strrchr(*line, ' ');
        assert_true(g_hash_table_add(seen, g_strndup(*line, (gsize)(end - *line))));
    }
    assert_int_equal(samples(metrics, "replymilter_bounces_total"),
                     CATEGORY_COUNT * (MAIL_KIND_COUNT - 1));
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *
count_much(void *data)
{
    for (guint i = 0; i < ROUNDS; i++)
        metrics_lookup(data, METRICS_TABLE_RBL, METRICS_LOOKUP_FOUND, 3);
    return NULL;
}

static void
test_threads(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    g_autoptr(Metrics) metrics = metrics_new();
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, metrics), 0);
    g_autofree char *meanwhile = written(metrics);
    assert_non_null(meanwhile);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_line(metrics, "replymilter_table_lookups_total{table=\"rbl\",answer=\"found\"} 8000");
    assert_line(metrics, TIMES "_sum{table=\"rbl\"} 0.024");
}

static void
test_nobody_counts(void **state)
{
    (void)state;
    EventCase one;
    g_autoptr(GString) out = g_string_new(NULL);
    event_case_observed(&one, "User unknown");
    note(NULL, &one, FALSE);
    metrics_lookup(NULL, METRICS_TABLE_RBL, METRICS_LOOKUP_FOUND, 3);
    metrics_policy_loaded(NULL, 1);
    metrics_write(NULL, out);
    assert_string_equal(out->str, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_codes_are_bounded),
        cmocka_unit_test(test_bounces),     cmocka_unit_test(test_unread),
        cmocka_unit_test(test_lookups),     cmocka_unit_test(test_series_are_unique),
        cmocka_unit_test(test_threads),     cmocka_unit_test(test_nobody_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
