/*
 * base/spool and base/session_memory: what is kept where, and what happens where there is no room.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "test_support.h"

#include "base/error.h"
#include "base/session_memory.h"
#include "base/spool.h"

#define PLENTY (G_GUINT64_CONSTANT(1) << 30)

static void
append(Spool *spool, const char *octets, gsize count)
{
    GError *error = NULL;
    assert_true(spool_append(spool, octets, count, &error));
    assert_null(error);
}

/* Reads it piece by piece and in one, and compares. */
static void
check_octets(Spool *spool, const char *expected, gsize length)
{
    gsize count = 0;
    assert_int_equal(spool_length(spool), length);
    for (guint64 at = 0; at < length; at += count) {
        const char *piece = spool_piece(spool, at, &count, NULL);
        assert_non_null(piece);
        assert_int_equal(count, MIN(length - at, SPOOL_PIECE_MAX));
        assert_memory_equal(piece, expected + at, count);
    }
    assert_non_null(spool_piece(spool, length, &count, NULL));
    assert_int_equal(count, 0);
    const char *all = spool_octets(spool, NULL);
    assert_non_null(all);
    if (length > 0)
        assert_memory_equal(all, expected, length);
}

static void
octets_come_back(void **state)
{
    (void)state;
    static const struct {
        gsize in_memory;
        guint64 memory_limit;
        gsize pieces[4];
        gboolean is_file;
    } cases[] = {
        {1000, PLENTY, {0}, FALSE},
        {1000, PLENTY, {1, 999}, FALSE},
        {1000, PLENTY, {1000, 1}, TRUE},
        {1000, PLENTY, {1001}, TRUE},
        {0, PLENTY, {1}, TRUE},
        {1000, 500, {500}, FALSE},
        {1000, 500, {500, 1, 100000}, TRUE},
        {200000, PLENTY, {70000, 70000}, FALSE},
        {100000, PLENTY, {70000, 70000, 1, 131072}, TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) expected = g_string_new(NULL);
        g_autoptr(Spool) spool = spool_new(cases[i].in_memory, cases[i].memory_limit);
        for (gsize j = 0; j < G_N_ELEMENTS(cases[i].pieces); j++) {
            gsize before = expected->len;
            for (gsize k = 0; k < cases[i].pieces[j]; k++)
                g_string_append_c(expected, (char)(expected->len * 7 + k / 251));
            append(spool, expected->str + before, expected->len - before);
            check_octets(spool, expected->str, expected->len);
        }
        assert_int_equal(spool_is_file(spool), cases[i].is_file);
        assert_int_equal(session_memory_in_use(), cases[i].is_file ? 0 : expected->len);
    }
    assert_int_equal(session_memory_in_use(), 0);
}

static void
much_is_not_held_in_memory(void **state)
{
    (void)state;
    enum { PIECE = 65535, PIECES = 1600, HELD_KIB = 16 * 1024 }; /* 100 MiB */
    struct rusage before, after;
    g_autofree char *piece = g_malloc(PIECE);
    g_autoptr(Spool) spool = spool_new(1024 * 1024, PLENTY);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    for (int i = 0; i < PIECES; i++) {
        memset(piece, i % 251, PIECE);
        append(spool, piece, PIECE);
    }
    assert_int_equal(spool_length(spool), (guint64)PIECE * PIECES);
    for (int i = 0; i < PIECES; i++) {
        gsize count;
        const char *found = spool_piece(spool, (guint64)i * PIECE, &count, NULL);
        assert_non_null(found);
        assert_int_equal(count, PIECE);
        assert_int_equal((guchar)found[0], i % 251);
        assert_int_equal((guchar)found[PIECE - 1], i % 251);
    }
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    if (!TEST_SANITIZED)
        assert_true(after.ru_maxrss - before.ru_maxrss < HELD_KIB);
    assert_int_equal(session_memory_in_use(), 0);
}

static void
no_folder_is_an_error(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Spool) spool = spool_new(4, PLENTY);
    g_setenv("TMPDIR", "/nonexistent/folder", TRUE);
    append(spool, "abcd", 4);
    assert_false(spool_append(spool, "e", 1, &error));
    g_unsetenv("TMPDIR");
    assert_true(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO));
    assert_non_null(strstr(error->message, "/nonexistent/folder"));
    check_octets(spool, "abcd", 4);
    append(spool, "e", 1);
    check_octets(spool, "abcde", 5);
}

/* A file that cannot grow is the full disk of one process. */
static void
a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct rlimit kept, small;
    g_autoptr(GError) error = NULL;
    g_autoptr(Spool) spool = spool_new(4, PLENTY);
    g_autofree char *octets = g_strnfill(9000, 'x');
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    small = kept;
    small.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gboolean first = spool_append(spool, octets, 9000, NULL);
    gboolean second = spool_append(spool, octets, 9000, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_true(first);
    assert_false(second);
    assert_true(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO));
    check_octets(spool, octets, 9000);
    /* There is room again: what was written in vain is written over. */
    append(spool, "yz", 2);
    assert_string_equal(octets + 8998, "xx");
    g_autofree char *expected = g_strconcat(octets, "yz", NULL);
    check_octets(spool, expected, 9002);
}

static void
the_file_has_no_name(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("replymilter-spool-XXXXXX", NULL);
    g_setenv("TMPDIR", folder, TRUE);
    g_autoptr(Spool) spool = spool_new(0, PLENTY);
    append(spool, "abc", 3);
    g_unsetenv("TMPDIR");
    assert_true(spool_is_file(spool));
    assert_int_equal(g_rmdir(folder), 0); /* it is empty */
    check_octets(spool, "abc", 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_come_back),      cmocka_unit_test(much_is_not_held_in_memory),
        cmocka_unit_test(no_folder_is_an_error), cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(the_file_has_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
