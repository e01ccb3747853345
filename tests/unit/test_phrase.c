/*
 * match/phrase: which expressions are lists of words, and which words.
 */
#include <string.h>

#include "test_support.h"

#include "match/phrase.h"

/* Each literal with "_" for a word boundary, "^" and "$" for the text's ends, joined with "|". */
static char *
described(const char *expression)
{
    g_autoptr(GArray) literals = phrase_literals(expression);
    if (literals == NULL)
        return g_strdup("no list");
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < literals->len; i++) {
        const PhraseLiteral *literal = &g_array_index(literals, PhraseLiteral, i);
        assert_int_equal(literal->length, strlen(literal->text));
        g_string_append_printf(out, "%s%s%s%s%s%s", i > 0 ? "|" : "",
                               literal->bounds & PHRASE_TEXT_START ? "^" : "",
                               literal->bounds & PHRASE_WORD_LEFT ? "_" : "", literal->text,
                               literal->bounds & PHRASE_WORD_RIGHT ? "_" : "",
                               literal->bounds & PHRASE_TEXT_END ? "$" : "");
    }
    return g_string_free(out, FALSE);
}

static void
expands_lists_of_words(void **state)
{
    static const struct {
        const char *expression, *literals;
    } cases[] = {
        {"plain", "plain"},
        {"two words", "two words"},
        {"a|b", "a|b"},
        {"\\b(?:mail ?box|inbox)e?s?\\b",
         "_mailbox_|_mailboxs_|_mailboxe_|_mailboxes_|_mail box_|_mail boxs_|_mail boxe_|_mail "
         "boxes_|_inbox_|_inboxs_|_inboxe_|_inboxes_"},
        {"non-?exist[ae]nt", "nonexistant|nonexistent|non-existant|non-existent"},
        {"ib[0-2]", "ib0|ib1|ib2"},
        {"a{2}", "aa"},
        {"xa{0,2}", "x|xa|xaa"},
        {"(?:a|a)b", "ab"},
        {"(a|b)c", "ac|bc"},
        {"5\\.7\\.1", "5.7.1"},
        {"^try later\\.?$", "^try later$|^try later.$"},
        {"\\b\\[bl", "_[bl"},
        {"a\\b b", "a b"},
        {"a\\bb|c", "c"},
        {"\\b<host>", "_<host>"},
        {"(?:\xd0\xbf|\xe9\x82\xae)x", "\xd0\xbfx|\xe9\x82\xaex"},
        {"[ -]x", " x|-x"},
        {"[- ]x", "-x| x"},
        {"a?", "no list"},
        {"", "no list"},
        {"\\b", "no list"},
        {"x*", "no list"},
        {"x+", "no list"},
        {"x.y", "no list"},
        {"\\d", "no list"},
        {"\\w", "no list"},
        {"[^a]", "no list"},
        {"[a", "no list"},
        {"(a", "no list"},
        {"a)", "no list"},
        {"a??", "no list"},
        {"(?=a)b", "no list"},
        {"(?i)a", "no list"},
        {"a{9}", "no list"},
        {"a{2,", "no list"},
        {"a\\", "no list"},
        {"\\1", "no list"},
        {"a\001b", "no list"},
        {"x^", "no list"},
        {"$x", "no list"},
        {"[a-z]{3}", "no list"},
        {"((((((((((((((((((a))))))))))))))))))", "no list"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *literals = described(cases[i].expression);
        if (strcmp(literals, cases[i].literals) != 0)
            print_error("%s\n", cases[i].expression);
        assert_string_equal(literals, cases[i].literals);
    }
}

static void
knows_where_words_end(void **state)
{
    static const struct {
        const char *text;
        gsize start, end;
        guint bounds;
    } cases[] = {
        {"user", 0, 4, PHRASE_WORD_LEFT | PHRASE_WORD_RIGHT | PHRASE_TEXT_START | PHRASE_TEXT_END},
        {"a user.", 2, 6, PHRASE_WORD_LEFT | PHRASE_WORD_RIGHT},
        {"users", 0, 4, PHRASE_WORD_LEFT | PHRASE_TEXT_START},
        {"auser", 1, 5, PHRASE_WORD_RIGHT | PHRASE_TEXT_END},
        {"x user_x", 2, 6, PHRASE_WORD_LEFT | PHRASE_WORD_RIGHT},
        {"x <host> y", 3, 7, 0},
        {"x <host> y", 2, 8, PHRASE_WORD_LEFT | PHRASE_WORD_RIGHT},
        {"x\xd0\xbfy", 1, 3, PHRASE_WORD_LEFT | PHRASE_WORD_RIGHT},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(
            phrase_bounds(cases[i].text, strlen(cases[i].text), cases[i].start, cases[i].end),
            cases[i].bounds);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_lists_of_words),
        cmocka_unit_test(knows_where_words_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
