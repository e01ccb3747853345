/*
 * match/pattern_set: phrases and gaps, errors that name the pattern, scans from many threads.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "test_support.h"

#include "base/error.h"
#include "match/pattern_set.h"

static const PatternSpec specs[] = {
    {"unknown", "\\b(?:unknown user|user unknown)\\b", TRUE},
    {"full", "\\b(?:mailbox|quota)\\b{...}\\b(?:full|exceeded)\\b", TRUE},
    {"near", "alpha{...3}beta", FALSE},
    {"three", "one{...}two{...5}three", FALSE},
    {"exact", "Case Matters", FALSE},
    {"same phrase", "one", FALSE},
    {"open end", "wo+w", FALSE},
};

static PatternSet *
set_new(void)
{
    g_autoptr(GError) error = NULL;
    PatternSet *set = pattern_set_new(specs, G_N_ELEMENTS(specs), &error);
    if (set == NULL)
        fail_msg("%s", error->message);
    return set;
}

/* Each hit as "index:matched text", joined with "|". */
static char *
hits_of(const PatternSet *set, const char *text)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(set, text, strlen(text), hits);
    for (guint i = 0; i < hits->len; i++) {
        const PatternHit *hit = &g_array_index(hits, PatternHit, i);
        g_string_append_printf(out, "%s%u:%.*s", i > 0 ? "|" : "", hit->index,
                               (int)(hit->end - hit->start), text + hit->start);
    }
    return g_string_free(out, FALSE);
}

static void
finds_phrases_and_gaps(void **state)
{
    static const struct {
        const char *text, *hits;
    } cases[] = {
        {"", ""},
        {"nothing here", ""},
        {"550 User Unknown in table", "0:User Unknown"},
        {"users unknown", ""},
        {"the mailbox of ada is full", "1:mailbox of ada is full"},
        {"quota, quota exceeded", "1:quota, quota exceeded"},
        {"full mailbox", ""},
        {"mailbox "
         "is said by a very long sentence about other things to be at the moment completely full",
         ""},
        {"alphabeta", "2:alphabeta"},
        {"alpha ; beta", "2:alpha ; beta"},
        {"alpha .. beta", ""},
        {"alpha .. alpha .beta", "2:alpha .beta"},
        {"one two three", "3:one two three|5:one"},
        {"one three two", "5:one"},
        {"one two     two three", "3:one two     two three|5:one"},
        {"two one three two three", "3:one three two three|5:one"},
        {"case matters, Case Matters", "4:Case Matters"},
        {"wooow wow", "6:wooow"},
        {"mailbox full user unknown", "0:user unknown|1:mailbox full"},
    };
    (void)state;
    g_autoptr(PatternSet) set = set_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *hits = hits_of(set, cases[i].text);
        if (strcmp(hits, cases[i].hits) != 0)
            print_error("text: %s\n", cases[i].text);
        assert_string_equal(hits, cases[i].hits);
    }
}

static void
reads_any_octets(void **state)
{
    static const char text[] = "\0\xff\xfe user\0 user unknown\0";
    (void)state;
    g_autoptr(PatternSet) set = set_new();
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(set, text, sizeof text, hits);
    assert_int_equal(hits->len, 1);
    assert_int_equal(g_array_index(hits, PatternHit, 0).start, 10);
    assert_int_equal(g_array_index(hits, PatternHit, 0).end, 22);
}

static void
stays_bounded_in_a_flood(void **state)
{
    (void)state;
    g_autoptr(PatternSet) set = set_new();
    g_autoptr(GString) flood = g_string_new(NULL);
    for (guint i = 0; i < 20000; i++)
        g_string_append(flood, "one two mailbox wooow ");
    g_string_append(flood, "three full");
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(set, flood->str, flood->len, hits);
    assert_int_equal(hits->len, 2);
    assert_int_equal(g_array_index(hits, PatternHit, 0).index, 5);
    assert_int_equal(g_array_index(hits, PatternHit, 1).index, 6);
}

static void
names_the_pattern_at_fault(void **state)
{
    static const struct {
        const char *expression, *message;
    } cases[] = {
        {"(a)\\1", "rules:7: bad pattern"},
        {"a(?=b)", "rules:7: bad pattern"},
        {"x*", "rules:7: bad pattern"},
        {"(open", "rules:7: bad pattern"},
        {"fine{...}(open", "\"(open\""},
        {"", "rules:7: an empty phrase"},
        {"a{...}", "rules:7: an empty phrase"},
        {"{...}a", "rules:7: an empty phrase"},
        {"a{...}{...}b", "rules:7: an empty phrase"},
        {"a{...x}b", "rules:7: a gap is"},
        {"a{...1001}b", "rules:7: a gap is"},
        {"a{...99999999999}b", "rules:7: a gap is"},
        {"a{...", "rules:7: a gap is"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PatternSpec with_fault[] = {{"rules:6", "fine", TRUE},
                                          {"rules:7", cases[i].expression, TRUE}};
        g_autoptr(GError) error = NULL;
        assert_null(pattern_set_new(with_fault, 2, &error));
        assert_non_null(error);
        assert_int_equal(error->domain, REPLYMILTER_ERROR);
        assert_int_equal(error->code, REPLYMILTER_ERROR_SYNTAX);
        if (strstr(error->message, cases[i].message) == NULL)
            print_error("%s: %s\n", cases[i].expression, error->message);
        assert_non_null(strstr(error->message, cases[i].message));
    }
}

static void
takes_no_patterns_at_all(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(PatternSet) set = pattern_set_new(NULL, 0, &error);
    assert_non_null(set);
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(set, "text", 4, hits);
    assert_int_equal(hits->len, 0);
    pattern_set_free(NULL);
}

/* ---- as octets ----------------------------------------------------------------------------- */

/* Both begin where words do. */
static void *
aligned_copy(const GByteArray *octets)
{
    return g_memdup2(octets->data, octets->len);
}

static void
reads_what_it_wrote(void **state)
{
    static const char text[] = "550 one two three, mailbox of ada is full; wooow";
    (void)state;
    g_autoptr(PatternSet) set = set_new();
    g_autoptr(GByteArray) octets = pattern_set_write(set);
    g_autofree void *copy = aligned_copy(octets);
    g_autoptr(PatternSet) again = pattern_set_read(copy, octets->len);
    assert_non_null(again);
    g_autofree char *hits = hits_of(set, text);
    g_autofree char *hits_again = hits_of(again, text);
    assert_string_equal(hits, "1:mailbox of ada is full|3:one two three|5:one|6:wooow");
    assert_string_equal(hits_again, hits);
    g_autoptr(GByteArray) octets_again = pattern_set_write(again);
    assert_int_equal(octets_again->len, octets->len);
    assert_memory_equal(octets_again->data, octets->data, octets->len);
}

static void
reads_a_set_without_patterns(void **state)
{
    (void)state;
    g_autoptr(PatternSet) set = pattern_set_new(NULL, 0, NULL);
    g_autoptr(GByteArray) octets = pattern_set_write(set);
    g_autofree void *copy = aligned_copy(octets);
    g_autoptr(PatternSet) again = pattern_set_read(copy, octets->len);
    assert_non_null(again);
    g_autofree char *hits = hits_of(again, "text");
    assert_string_equal(hits, "");
}

/* Cut off anywhere, with another size of a part, or with another octet in the database (the last
 * few fill it up). */
static void
refuses_what_is_not_whole(void **state)
{
    enum { SIZES = 16, INSIDE = 100 };
    (void)state;
    g_autoptr(PatternSet) set = set_new();
    g_autoptr(GByteArray) octets = pattern_set_write(set);
    g_autofree guint8 *copy = aligned_copy(octets);
    for (guint length = 0; length < octets->len; length++)
        assert_null(pattern_set_read(copy, length));
    for (guint at = 0; at < SIZES; at++) {
        copy[at] ^= 1;
        assert_null(pattern_set_read(copy, octets->len));
        copy[at] ^= 1;
    }
    copy[octets->len - INSIDE] ^= 1;
    assert_null(pattern_set_read(copy, octets->len));
    copy[octets->len - INSIDE] ^= 1;
    g_autoptr(PatternSet) whole = pattern_set_read(copy, octets->len);
    assert_non_null(whole);
}

/* ---- threads ------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 500, SETS = 6 };

typedef struct {
    PatternSet *sets[SETS];
    atomic_uint wrong;
} Shared;

static void *
scan_much(void *data)
{
    Shared *shared = data;
    for (guint i = 0; i < ROUNDS; i++) {
        g_autofree char *hits = hits_of(shared->sets[i % SETS], "one two three, user unknown");
        if (strcmp(hits, "0:user unknown|3:one two three|5:one") != 0)
            atomic_fetch_add(&shared->wrong, 1);
    }
    return NULL;
}

/* More sets than a thread remembers, and threads that end before the sets do. */
static void
scans_from_many_threads(void **state)
{
    pthread_t threads[THREADS];
    Shared shared = {.wrong = 0};
    (void)state;
    for (guint i = 0; i < SETS; i++)
        shared.sets[i] = set_new();
    for (guint i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, scan_much, &shared), 0);
    for (guint i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (guint i = 0; i < SETS; i++)
        pattern_set_free(shared.sets[i]);
    assert_int_equal(shared.wrong, 0);
}

/* A thread's space follows to larger sets, and a freed set leaves nothing behind. */
static void
scans_a_larger_set_after_a_small_one(void **state)
{
    static const PatternSpec small[] = {{"small", "one", FALSE}};
    (void)state;
    for (guint i = 0; i < 20; i++) {
        g_autoptr(PatternSet) first = pattern_set_new(small, 1, NULL);
        g_autoptr(PatternSet) second = set_new();
        g_autofree char *few = hits_of(first, "one two three");
        g_autofree char *more = hits_of(second, "one two three");
        assert_string_equal(few, "0:one");
        assert_string_equal(more, "3:one two three|5:one");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_phrases_and_gaps),
        cmocka_unit_test(reads_any_octets),
        cmocka_unit_test(stays_bounded_in_a_flood),
        cmocka_unit_test(names_the_pattern_at_fault),
        cmocka_unit_test(takes_no_patterns_at_all),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(reads_a_set_without_patterns),
        cmocka_unit_test(refuses_what_is_not_whole),
        cmocka_unit_test(scans_from_many_threads),
        cmocka_unit_test(scans_a_larger_set_after_a_small_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
