/*
 * mail/mbox: what is one mail and what the next, in all dialects and however the reads are split.
 */
#include "test_support.h"

#include <string.h>

#include "base/error.h"
#include "mail/mbox.h"

#define FROM  "From a@b.example Sat Nov 21 12:00:01 2026\n"
#define MOST  (1024 * 1024)
#define BODY5 "one\nFrom x Sat Nov 21 12:00:01 2026\n\nlast\n" /* 42 octets */

typedef struct {
    const char *octets;
    gsize length, at, chunk;
    gboolean fails;
} Source;

static gssize
read_source(gpointer data, char *buffer, gsize size, GError **error)
{
    Source *source = data;
    gsize count = MIN(MIN(size, source->chunk), source->length - source->at);
    if (count == 0 && source->fails) {
        error_fail(error, REPLYMILTER_ERROR_IO, "broken");
        return -1;
    }
    memcpy(buffer, source->octets + source->at, count);
    source->at += count;
    return (gssize)count;
}

/* The mails joined with "|". */
static char *
split(const char *octets, gsize length, gsize chunk, gsize most)
{
    gboolean truncated;
    Source source = {.octets = octets, .length = length, .chunk = chunk};
    g_autoptr(MboxSplitter) splitter = mbox_splitter_new(read_source, &source, most);
    g_autoptr(GString) mail = g_string_new(NULL);
    GString *all = g_string_new(NULL);
    while (mbox_splitter_next(splitter, mail, &truncated, NULL)) {
        assert_true(mail->len <= most);
        g_string_append_printf(all, "%s%s|", mail->str, truncated ? "~" : "");
    }
    return g_string_free(all, FALSE);
}

static void
splits(void **state)
{
    static const struct {
        const char *mbox, *mails;
    } cases[] = {
        {FROM "A: 1\n\none\n\n" FROM "A: 2\n\ntwo\n", "A: 1\n\none\n|A: 2\n\ntwo\n|"},
        {"\n\n" FROM "A: 1\n\none", "A: 1\n\none|"},
        /* CRLF */
        {"From a@b Sat Nov 21 12:00:01 2026\r\nA: 1\r\n\r\none\r\n\r\n"
         "From a@b Sat Nov 21 12:00:02 2026\r\nA: 2\r\n\r\n",
         "A: 1\r\n\r\none\r\n|A: 2\r\n|"},
        /* mboxo and mboxrd */
        {FROM "A: 1\n\n>From here\n>>From there\n> From\n>Fromage\n",
         "A: 1\n\nFrom here\n>From there\n> From\n>Fromage\n|"},
        /* text is no From_ line without a date, with one it is only where a mail could end */
        {FROM "A: 1\n\nx\n\nFrom here on\nx\n", "A: 1\n\nx\n\nFrom here on\nx\n|"},
        {FROM "A: 1\n\nx\n" FROM "text\n", "A: 1\n\nx\n" FROM "text\n|"},
        {FROM "A: 1\n\nx\n" FROM "B: 2\n\ny\n", "A: 1\n\nx\n|B: 2\n\ny\n|"},
        /* dates */
        {FROM "A: 1\n\nx\n\nFrom - Sun Nov  2 09:01 CET 2026\nA: 2\n\n"
              "From \"a b\"@c  Mon Jan 12 1:02:03 2026 remote from uucp\nA: 3\n",
         "A: 1\n\nx\n|A: 2\n|A: 3\n|"},
        {"From a\nA: 1\n\nx\n\nFrom b\nA: 2\n", "A: 1\n\nx\n|A: 2\n|"},
        /* mboxcl and mboxcl2 */
        {FROM "Content-Length: 42\n\n" BODY5 "\n" FROM "A: 2\n\ntwo\n",
         "Content-Length: 42\n\n" BODY5 "|A: 2\n\ntwo\n|"},
        {FROM "content-length:42\n\n" BODY5, "content-length:42\n\n" BODY5 "|"},
        {FROM "Content-Length: 42\n\n" BODY5 FROM "A: 2\n\ntwo\n",
         "Content-Length: 42\n\n" BODY5 "|A: 2\n\ntwo\n|"},
        /* lies: too long, too short, far too long */
        {FROM "Content-Length: 50\n\none\n\n" FROM "A: 2\n\ntwo\n",
         "Content-Length: 50\n\none\n|A: 2\n\ntwo\n|"},
        {FROM "Content-Length: 2\n\none\n\n" FROM "A: 2\n\ntwo\n",
         "Content-Length: 2\n\none\n|A: 2\n\ntwo\n|"},
        {FROM "Content-Length: 99999999999999999999\n\none\n\n" FROM "A: 2\n",
         "Content-Length: 99999999999999999999\n\none\n|A: 2\n|"},
        /* one in a body is none */
        {FROM "A: 1\n\nContent-Length: 42\n\none\n\n" FROM "A: 2\n",
         "A: 1\n\nContent-Length: 42\n\none\n|A: 2\n|"},
        {FROM FROM "A: 2\n", "|A: 2\n|"},
        {FROM, "|"},
    };
    static const gsize chunks[] = {1, 2, 7, 64, MOST};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(chunks); k++) {
            g_autofree char *got = split(cases[i].mbox, strlen(cases[i].mbox), chunks[k], MOST);
            assert_string_equal(got, cases[i].mails);
        }
    }
}

static void
keeps_a_bounded_part(void **state)
{
    enum { LINES = 200000 };
    (void)state;
    g_autoptr(GString) mbox = g_string_new(FROM "A: 1\n\n");
    for (guint i = 0; i < LINES; i++)
        g_string_append(mbox, "a line\n");
    g_string_append(mbox, "\n" FROM "A: 2\n");
    g_autofree char *lines = split(mbox->str, mbox->len, 4096, 20);
    assert_string_equal(lines, "A: 1\n\na line\na line\n~|A: 2\n|");
    g_autoptr(GString) endless = g_string_new(FROM);
    while (endless->len < 2 * MOST)
        g_string_append_c(endless, 'x');
    g_string_append(endless, "\n\n" FROM "A: 2\n");
    g_autofree char *line = split(endless->str, endless->len, 100000, 4);
    assert_string_equal(line, "xxxx~|A: 2~|");
}

static void
tells_of_a_broken_source(void **state)
{
    gboolean truncated;
    Source source = {.octets = FROM "A: 1\n\non", .length = 50, .chunk = 10, .fails = TRUE};
    (void)state;
    source.length = strlen(source.octets);
    g_autoptr(GError) error = NULL;
    g_autoptr(MboxSplitter) splitter = mbox_splitter_new(read_source, &source, MOST);
    g_autoptr(GString) mail = g_string_new(NULL);
    assert_true(mbox_splitter_next(splitter, mail, &truncated, &error));
    assert_string_equal(mail->str, "A: 1\n\non");
    assert_null(error);
    assert_false(mbox_splitter_next(splitter, mail, &truncated, &error));
    assert_non_null(error);
}

static void
knows_an_mbox(void **state)
{
    static const struct {
        const char *head;
        gboolean mbox;
    } heads[] = {
        {FROM, TRUE},
        {"\n" FROM, TRUE},
        {"From a\nReturn-Path: <>\n", TRUE},
        {"From a\nnothing\n", FALSE},
        {"From: a@b.example\n", FALSE},
        {"From the start\n", FALSE},
        {">" FROM, FALSE},
        {"Return-Path: <>\n", FALSE},
        {"", FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++)
        assert_int_equal(mbox_begins(heads[i].head, strlen(heads[i].head)), heads[i].mbox);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(keeps_a_bounded_part),
        cmocka_unit_test(tells_of_a_broken_source),
        cmocka_unit_test(knows_an_mbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
