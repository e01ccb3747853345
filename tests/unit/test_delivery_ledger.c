/*
 * replyctl/delivery_ledger: what is told of a delivery, and what is forgotten.
 */
#include "test_support.h"

#include <string.h>

#include "replyctl/delivery_ledger.h"

#define DEFERRED(to, why)                                                                          \
    "2026-11-21T12:00:00Z mx postfix/smtp[1]: 4XyZ12: to=<" to                                     \
    ">, relay=none, dsn=4.4.1, status=deferred (" why ")"
#define BOUNCED(to, why)                                                                           \
    "2026-11-21T12:00:00Z mx postfix/smtp[1]: 4XyZ12: to=<" to                                     \
    ">, relay=r.example[192.0.2.1]:25, dsn=5.1.1, status=bounced (" why ")"
#define SENT(to)                                                                                   \
    "2026-11-21T12:00:00Z mx postfix/smtp[1]: 4XyZ12: to=<" to                                     \
    ">, relay=none, dsn=2.0.0, status=sent (250 ok)"
#define QMGR(rest)    "2026-11-21T12:00:00Z mx postfix/qmgr[1]: 4XyZ12: " rest
#define CLEANUP(rest) "2026-11-21T12:00:00Z mx postfix/cleanup[1]: 4XyZ12: " rest

typedef struct {
    DeliveryLedger *ledger;
    GString *told;
    gint64 time_us;
} Fixture;

static void
note(const DeliveryNews *news, gpointer data)
{
    Fixture *fixture = data;
    g_string_append_printf(fixture->told, "%s %s %s from=%s id=%s at=%s: %s\n",
                           mail_kind_name(news->kind), news->queue_id, news->recipient,
                           news->sender != NULL ? news->sender : "?",
                           news->message_id != NULL ? news->message_id : "?",
                           news->remote != NULL ? news->remote : "?", news->text);
}

static int
set_up(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->told = g_string_new(NULL);
    fixture->ledger = delivery_ledger_new(note, fixture);
    fixture->time_us = 1;
    *state = fixture;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *fixture = *state;
    delivery_ledger_free(fixture->ledger);
    g_string_free(fixture->told, TRUE);
    g_free(fixture);
    return 0;
}

static void
take(Fixture *fixture, const char *text)
{
    LogLine line;
    assert_true(log_line_parse(text, strlen(text), &line));
    delivery_ledger_take(fixture->ledger, &line, fixture->time_us);
    log_line_clear(&line);
}

static void
assert_told(Fixture *fixture, const char *wanted)
{
    assert_string_equal(fixture->told->str, wanted);
    g_string_truncate(fixture->told, 0);
}

static void
folds_deferrals(void **state)
{
    Fixture *fixture = *state;
    take(fixture, CLEANUP("message-id=<1@x.example>"));
    take(fixture, QMGR("from=<s@t.example>, size=1, nrcpt=2 (queue active)"));
    take(fixture, DEFERRED("a@b.example", "one"));
    take(fixture, DEFERRED("c@d.example", "two"));
    assert_told(fixture,
                "delay 4XyZ12 a@b.example from=s@t.example id=1@x.example at=?: 4.4.1 one\n"
                "delay 4XyZ12 c@d.example from=s@t.example id=1@x.example at=?: 4.4.1 two\n");
    take(fixture, DEFERRED("a@b.example", "three"));
    take(fixture, SENT("c@d.example"));
    assert_told(fixture, "");
    assert_int_equal(delivery_ledger_open(fixture->ledger), 1);
    take(fixture, BOUNCED("a@b.example", "550 no"));
    assert_told(fixture, "failure 4XyZ12 a@b.example from=s@t.example id=1@x.example at=r.example: "
                         "550 no\n");
    assert_int_equal(delivery_ledger_open(fixture->ledger), 0);
    take(fixture, QMGR("removed"));
    take(fixture, DEFERRED("a@b.example", "anew"));
    assert_told(fixture, "delay 4XyZ12 a@b.example from=? id=? at=?: 4.4.1 anew\n");
}

static void
fails_at_once(void **state)
{
    Fixture *fixture = *state;
    take(fixture, BOUNCED("a@b.example", "550 no"));
    take(fixture, SENT("c@d.example"));
    assert_told(fixture, "failure 4XyZ12 a@b.example from=? id=? at=r.example: 550 no\n");
    assert_int_equal(delivery_ledger_open(fixture->ledger), 0);
}

static void
expires(void **state)
{
    Fixture *fixture = *state;
    take(fixture, QMGR("from=<>, status=expired, returned to sender"));
    assert_told(fixture, "");
    take(fixture, DEFERRED("c@d.example", "two"));
    take(fixture, DEFERRED("a@b.example", "one"));
    take(fixture, DEFERRED("e@f.example", "three"));
    take(fixture, SENT("e@f.example"));
    g_string_truncate(fixture->told, 0);
    take(fixture, QMGR("from=<s@t.example>, status=expired, returned to sender"));
    assert_told(fixture, "failure 4XyZ12 a@b.example from=s@t.example id=? at=?: 4.4.1 one\n"
                         "failure 4XyZ12 c@d.example from=s@t.example id=? at=?: 4.4.1 two\n");
    take(fixture, QMGR("from=<s@t.example>, status=expired, returned to sender"));
    assert_told(fixture, "");
}

/* The same queue id of another host is another mail. */
static void
knows_hosts_apart(void **state)
{
    Fixture *fixture = *state;
    take(fixture, DEFERRED("a@b.example", "one"));
    g_string_truncate(fixture->told, 0);
    take(fixture, "2026-11-21T12:00:00Z other postfix/qmgr[1]: 4XyZ12: from=<>, status=expired, "
                  "returned to sender");
    assert_told(fixture, "");
    assert_int_equal(delivery_ledger_open(fixture->ledger), 1);
}

static void
forgets(void **state)
{
    Fixture *fixture = *state;
    take(fixture, DEFERRED("a@b.example", "one"));
    fixture->time_us += LEDGER_AGE_US + 1;
    take(fixture, "2026-11-21T12:00:00Z mx postfix/qmgr[1]: 4XyZ13: from=<>, size=1");
    assert_int_equal(delivery_ledger_open(fixture->ledger), 0);
    for (guint i = 0; i < LEDGER_OPEN + 100; i++) {
        g_autofree char *line = g_strdup_printf(
            "2026-11-21T12:00:00Z mx postfix/smtp[1]: 4%06x: to=<a@b.example>, relay=none, "
            "dsn=4.4.1, status=deferred (x)",
            i);
        take(fixture, line);
    }
    assert_true(delivery_ledger_open(fixture->ledger) <= LEDGER_OPEN);
}

static void
goes_on_after_a_restart(void **state)
{
    Fixture *fixture = *state;
    take(fixture, QMGR("from=<s@t.example>, size=1, nrcpt=2 (queue active)"));
    take(fixture, DEFERRED("a@b.example", "one"));
    json_t *saved = delivery_ledger_to_json(fixture->ledger);
    delivery_ledger_free(fixture->ledger);
    fixture->ledger = delivery_ledger_new(note, fixture);
    delivery_ledger_from_json(fixture->ledger, saved);
    g_string_truncate(fixture->told, 0);
    take(fixture, DEFERRED("a@b.example", "again"));
    assert_told(fixture, "");
    take(fixture, QMGR("from=<s@t.example>, status=expired, returned to sender"));
    assert_told(fixture, "failure 4XyZ12 a@b.example from=s@t.example id=? at=?: 4.4.1 again\n");
    json_decref(saved);
}

static void
passes_over_a_broken_state(void **state)
{
    static const char *const broken[] = {
        "{}", "[1, null, {}]", "[{\"queue_id\": 1, \"open\": 2}]",
        "[{\"queue_id\": \"x\", \"open\": [1, {}, {\"recipient\": null}]}]"};
    Fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        json_t *array = json_loads(broken[i], 0, NULL);
        assert_non_null(array);
        delivery_ledger_from_json(fixture->ledger, array);
        json_decref(array);
    }
    delivery_ledger_from_json(fixture->ledger, NULL);
    assert_int_equal(delivery_ledger_open(fixture->ledger), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folds_deferrals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fails_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_hosts_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(passes_over_a_broken_state, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
