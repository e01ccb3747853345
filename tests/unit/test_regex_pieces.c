/*
 * policy/regex_pieces: only what is certain, and that it is.
 */
#include <string.h>

#include "test_support.h"

#include "policy/regex_pieces.h"

static void
says_what_must_occur(void **state)
{
    static const struct {
        const char *expression, *pieces; /* NULL: nothing can be said */
    } cases[] = {
        {"spam", "spam"},
        {"", ""},
        {"ticket\\s+12-[0-9]+x", "ticket 12- x"},
        {"^over quota$", "over quota"},
        {"a\\.b\\/c\\-d", "a.b/c-d"},
        {"colou?r", "colo r"},
        {"colou*r", "colo r"},
        {"colou+r", "colou r"},
        {"colou{0,3}r", "colo r"},
        {"colou+?r+", "colou r"},
        {"x\\.?y", "x y"},
        {"mail(box)? full", "mail  full"},
        {"(a|b)c(?:d(e)f)+g", "c g"},
        {"[]a]b[^]c]d[[:alpha:]]e[\\]]f", "b d e f"},
        {"\\bword\\b.more", "word more"},
        {"gr\xc3\xbcn", "gr\xc3\xbcn"},
        {"a|b", NULL},
        {"abc|", NULL},
        {"(?i)abc", NULL},
        {"(?x) a b c", NULL},
        {"(?=abc)d", NULL},
        {"(a(?i)b)c", NULL},
        {"(*UTF)abc", NULL},
        {"\\Qa.b\\E", NULL},
        {"[\\Qa]\\E]b", NULL},
        {"(\\Q)\\E)b", NULL},
        {"[\\E]abc]", NULL},
        {"\\x41bc", NULL},
        {"(a)\\1bc", NULL},
        {"\\p{Lu}bc", NULL},
        {"\\k<n>bc", NULL},
        {"abc\\", NULL},
        {"[abc", NULL},
        {"(abc", NULL},
        {"abc)", NULL},
        {"a{3", NULL},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) pieces = regex_pieces(cases[i].expression, FALSE);
        g_autofree char *joined = pieces != NULL ? g_strjoinv(" ", pieces) : NULL;
        if (g_strcmp0(joined, cases[i].pieces) != 0)
            fail_msg("/%s/: \"%s\", not \"%s\"", cases[i].expression, joined, cases[i].pieces);
    }
    assert_null(regex_pieces("a b # comment", TRUE));
}

/* Whatever matches holds all pieces, by the word of the regular expressions themselves. */
static void
never_says_too_much(void **state)
{
    static const char *const parts[] = {"ab",  "c",   "\\.",     "\\d",  ".",   "?",     "*", "+",
                                        "{2}", "(x)", "(?:y|z)", "[ab]", "\\s", "{0,1}", "^", "$"};
    static const char *const texts[] = {"ab", "abab", "abc",  "ab.c1",  "cab xy",
                                        "x",  "yab",  "ccab", "abcab.", "abb",
                                        "a",  "b1",   "zc.",  "ab c",   "xyzab"};
    guint matched = 0;
    (void)state;
    for (guint number = 0; number < 16 * 16 * 16 * 4; number++) {
        g_autofree char *expression =
            g_strconcat(parts[number % 16], parts[number / 16 % 16], parts[number / 256 % 16],
                        number / 4096 % 2 ? "c" : "", number / 8192 % 2 ? "?" : "", NULL);
        g_autoptr(GRegex) regex = g_regex_new(expression, G_REGEX_RAW, 0, NULL);
        g_auto(GStrv) pieces = regex_pieces(expression, FALSE);
        for (guint i = 0; regex != NULL && pieces != NULL && i < G_N_ELEMENTS(texts); i++) {
            if (!g_regex_match(regex, texts[i], 0, NULL))
                continue;
            matched++;
            for (char **piece = pieces; *piece != NULL; piece++)
                if (strstr(texts[i], *piece) == NULL)
                    fail_msg("/%s/ matches \"%s\" without \"%s\"", expression, texts[i], *piece);
        }
    }
    assert_true(matched > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_must_occur),
        cmocka_unit_test(never_says_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
