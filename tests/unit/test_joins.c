/*
 * record/joins: which lookup is about which observed refusal.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "test_support.h"

#include "record/joins.h"

#define UNKNOWN_USER "Recipient address rejected: User unknown in local recipient table"
#define START_US     G_GINT64_CONSTANT(1795297172000000)

/* Notes, and returns the joined id or NULL. */
static char *
note(Joins *joins, JoinSide side, const char *recipient, const char *reply, const char *id,
     gint64 after_us)
{
    Facts facts;
    char *joined = NULL;
    g_autoptr(SmtpReply) original = smtp_reply_parse(reply, -1);
    facts_init(&facts, side == JOIN_OBSERVED ? DOOR_MILTER : DOOR_FOOTER);
    facts_set(&facts, FACT_RECIPIENT, recipient);
    gboolean found = joins_note(joins, side, &facts, original, id, START_US + after_us, &joined);
    assert_true(found == (joined != NULL));
    facts_clear(&facts);
    return joined;
}

static char *
observe(Joins *joins, const char *recipient, const char *status, const char *text, const char *id,
        gint64 after_us)
{
    Facts facts;
    char *joined = NULL;
    EnhancedStatus parsed = ENHANCED_STATUS_NONE;
    (void)enhanced_status_parse(status, &parsed);
    g_autoptr(SmtpReply) original = smtp_reply_new(0, parsed, text);
    facts_init(&facts, DOOR_MILTER);
    facts_set(&facts, FACT_RECIPIENT, recipient);
    (void)joins_note(joins, JOIN_OBSERVED, &facts, original, id, START_US + after_us, &joined);
    facts_clear(&facts);
    return joined;
}

static void
joined_is(char *joined, const char *expected)
{
    if (expected == NULL)
        assert_null(joined);
    else
        assert_string_equal(joined, expected);
    g_free(joined);
}

static void
joins_in_either_order(void **state)
{
    Joins *joins = joins_new();
    const char *key = "550 5.1.1 <NoUser@Local.test>: " UNKNOWN_USER;
    (void)state;
    joined_is(observe(joins, "NoUser@Local.test", "5.1.1", UNKNOWN_USER, "o1", 0), NULL);
    joined_is(note(joins, JOIN_LOOKUP, "nouser@local.test", key, "l1", 100), "o1");
    joined_is(note(joins, JOIN_LOOKUP, "nouser@local.test", key, "l2", 200), NULL);
    joined_is(observe(joins, "NoUser@Local.test", "5.1.1", UNKNOWN_USER, "o2", 300), "l2");
    joins_free(joins);
}

/* What Postfix writes of a refusal, as the milter door and as a table see it. */
static void
compares_what_both_know(void **state)
{
    static const struct {
        const char *status, *text, *key, *recipient;
        gboolean same;
    } cases[] = {
        {"5.1.1", UNKNOWN_USER, "550 5.1.1 <u@x.test>: " UNKNOWN_USER, "u@x.test", TRUE},
        {"5.7.1", "Relay access denied", "554 5.7.1 <u@x.test>: Relay access denied", "u@x.test",
         TRUE},
        {"5.7.1", "Sender address rejected: bad sender by map",
         "554 5.7.1 <s@y.test>: Sender address rejected: bad sender by map", NULL, TRUE},
        {"5.7.1", "Client host rejected: Access denied",
         "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", NULL, TRUE},
        {"5.7.1", "Helo command rejected: no", "450 5.7.1 <h>: Helo command rejected: no", NULL,
         TRUE},
        {"5.7.1", "Service unavailable; Client host [192.0.2.1] blocked using rbl.test",
         "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.test", NULL,
         TRUE},
        {"5.7.1", "Relay access denied", "554 5.7.1 <v@x.test>: Relay access denied", "v@x.test",
         FALSE},
        {"5.7.1", "Relay access denied", "454 4.7.1 <u@x.test>: Relay access denied", "u@x.test",
         FALSE},
        {"5.7.1", "Relay access denied", "554 5.7.1 <u@x.test>: Relay access refused", "u@x.test",
         FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int order = 0; order < 2; order++) {
            Joins *joins = joins_new();
            char *joined = NULL;
            for (int step = 0; step < 2; step++) {
                g_free(joined);
                joined =
                    (step ^ order) == 0
                        ? observe(joins, "u@x.test", cases[i].status, cases[i].text, "o", step)
                        : note(joins, JOIN_LOOKUP, cases[i].recipient, cases[i].key, "l", step);
            }
            joined_is(joined, !cases[i].same ? NULL : order == 0 ? "o" : "l");
            joins_free(joins);
        }
}

static void
joins_nothing_in_doubt(void **state)
{
    Joins *joins = joins_new();
    const char *key = "550 5.1.1 <u@x.test>: " UNKNOWN_USER;
    (void)state;
    joined_is(observe(joins, "u@x.test", "5.1.1", UNKNOWN_USER, "o1", 0), NULL);
    joined_is(observe(joins, "u@x.test", "5.1.1", UNKNOWN_USER, "o2", 1), NULL);
    joined_is(note(joins, JOIN_LOOKUP, "u@x.test", key, "l1", 2), NULL);
    /* l1 belongs to o1 or o2: it must not be taken for o3's. */
    joined_is(observe(joins, "u@x.test", "5.1.1", UNKNOWN_USER, "o3", 3), NULL);
    /* Another recipient is not in doubt. */
    joined_is(observe(joins, "v@x.test", "5.1.1", UNKNOWN_USER, "o4", 4), NULL);
    joined_is(note(joins, JOIN_LOOKUP, "v@x.test", "550 5.1.1 <v@x.test>: " UNKNOWN_USER, "l4", 5),
              "o4");
    /* When all of them have expired, it joins again. */
    gint64 later = 2 * JOIN_WINDOW_US + 100;
    joined_is(observe(joins, "u@x.test", "5.1.1", UNKNOWN_USER, "o5", later), NULL);
    joined_is(note(joins, JOIN_LOOKUP, "u@x.test", key, "l5", later + 1), "o5");
    joins_free(joins);
}

static void
doubts_between_recipients_that_a_table_does_not_know(void **state)
{
    static const char *const text = "Sender address rejected: no";
    const char *key = "554 5.7.1 <s@y.test>: Sender address rejected: no";
    Joins *joins = joins_new();
    (void)state;
    joined_is(observe(joins, "u@x.test", "5.7.1", text, "o1", 0), NULL);
    joined_is(observe(joins, "v@x.test", "5.7.1", text, "o2", 1), NULL);
    joined_is(note(joins, JOIN_LOOKUP, NULL, key, "l1", 2), NULL);
    joined_is(observe(joins, "w@x.test", "5.7.1", text, "o3", 3), NULL);
    joins_free(joins);
}

static void
forgets_after_the_window(void **state)
{
    const char *key = "554 5.7.1 <u@x.test>: Relay access denied";
    Joins *joins = joins_new();
    (void)state;
    joined_is(observe(joins, "u@x.test", "5.7.1", "Relay access denied", "o1", 0), NULL);
    joined_is(note(joins, JOIN_LOOKUP, "u@x.test", key, "l1", JOIN_WINDOW_US), "o1");
    joined_is(observe(joins, "u@x.test", "5.7.1", "Relay access denied", "o2", JOIN_WINDOW_US),
              NULL);
    joined_is(note(joins, JOIN_LOOKUP, "u@x.test", key, "l2", 2 * JOIN_WINDOW_US + 1), NULL);
    joins_free(joins);
}

static void
stays_bounded(void **state)
{
    Joins *joins = joins_new();
    char recipient[32], id[32];
    (void)state;
    for (int i = 0; i < 3 * JOINS_MAX; i++) {
        (void)g_snprintf(recipient, sizeof(recipient), "u%d@x.test", i);
        (void)g_snprintf(id, sizeof(id), "o%d", i);
        joined_is(observe(joins, recipient, "5.1.1", UNKNOWN_USER, id, i), NULL);
    }
    /* The newest are there, the oldest are not. */
    joined_is(
        note(joins, JOIN_LOOKUP, recipient, "550 5.1.1 <u>: " UNKNOWN_USER, "l", JOINS_MAX * 3),
        id);
    joined_is(
        note(joins, JOIN_LOOKUP, "u0@x.test", "550 5.1.1 <u>: " UNKNOWN_USER, "l", JOINS_MAX * 3),
        NULL);
    joins_free(joins);
}

typedef struct {
    Joins *joins;
    int number;
    atomic_int *joined;
} Work;

/* Both sides of what this thread alone speaks of. */
static void *
note_pairs(void *data)
{
    Work *work = data;
    char recipient[32];
    for (int i = 0; i < 200; i++) {
        (void)g_snprintf(recipient, sizeof(recipient), "u%d@t%d.test", i, work->number);
        g_autofree char *first = observe(work->joins, recipient, "5.1.1", UNKNOWN_USER, "o", i);
        g_autofree char *second =
            note(work->joins, JOIN_LOOKUP, recipient, "550 5.1.1 <u>: " UNKNOWN_USER, "l", i);
        if (first == NULL && g_strcmp0(second, "o") == 0)
            atomic_fetch_add(work->joined, 1);
    }
    return NULL;
}

static void
serves_several_threads(void **state)
{
    pthread_t threads[4];
    Work work[G_N_ELEMENTS(threads)];
    atomic_int joined = 0;
    Joins *joins = joins_new();
    (void)state;
    for (int i = 0; i < (int)G_N_ELEMENTS(threads); i++) {
        work[i] = (Work){.joins = joins, .number = i, .joined = &joined};
        assert_int_equal(pthread_create(&threads[i], NULL, note_pairs, &work[i]), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&joined), 800);
    joins_free(joins);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_in_either_order),
        cmocka_unit_test(compares_what_both_know),
        cmocka_unit_test(joins_nothing_in_doubt),
        cmocka_unit_test(doubts_between_recipients_that_a_table_does_not_know),
        cmocka_unit_test(forgets_after_the_window),
        cmocka_unit_test(stays_bounded),
        cmocka_unit_test(serves_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
