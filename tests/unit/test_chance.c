/*
 * server/chance: no word twice, over several refills.
 */
#include <stdlib.h>

#include "test_support.h"

#include "server/chance.h"

static int
compare(const void *a, const void *b)
{
    guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
    return x < y ? -1 : x > y;
}

static void
gives_no_word_twice(void **state)
{
    enum { WORDS = 5 * CHANCE_WORDS + 1 };
    static guint64 words[WORDS];
    Chance first = {0}, second = {0};
    guint64 ones = 0, zeros = 0;
    (void)state;
    for (size_t i = 0; i < WORDS; i++) {
        words[i] = chance_next(i % 2 == 0 ? &first : &second);
        ones |= words[i];
        zeros |= ~words[i];
    }
    qsort(words, WORDS, sizeof words[0], compare);
    for (size_t i = 1; i < WORDS; i++)
        assert_true(words[i - 1] != words[i]);
    assert_true(ones == G_MAXUINT64 && zeros == G_MAXUINT64); /* no bit stands still */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_no_word_twice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
