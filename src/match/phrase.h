/*
 * phrase: a regular expression that means a list of words, as that list.
 *
 * "\b(?:mail ?box|account)s?\b" is six literal strings with word boundaries around them. Vectorscan
 * looks for thousands of literals in one step, while alternatives with boundaries in one
 * expression cost it a hundred times as much. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* An expression that would make more is not expanded. */
#define PHRASE_MAX_LITERALS 400

/* "\b" before and behind it, "^" and "$": bits. */
enum {
    PHRASE_WORD_LEFT = 1,
    PHRASE_WORD_RIGHT = 2,
    PHRASE_TEXT_START = 4,
    PHRASE_TEXT_END = 8,
};

typedef struct {
    char *text; /* ends with a NUL, has none inside */
    gsize length;
    guint bounds;
} PhraseLiteral;

/*
 * The strings that the expression matches, of PhraseLiteral, each once; g_array_unref() frees them.
 * NULL if it is not a finite list, or too long, or matches the empty text, or has syntax that is
 * not understood here: groups, alternatives, "?", "{m,n}", small classes, "\b", "^", "$" and
 * escaped punctuation are.
 */
GArray *phrase_literals(const char *expression);

/* What holds of text[start, end), which is not empty: bits. */
guint phrase_bounds(const char *text, gsize length, gsize start, gsize end);
