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

/* 1 for the octets of words. Angle brackets are, so that a mask's name is no word: "\bhost\b" does
 * not match in "<host>". */
extern const guint8 phrase_word[256];

/* What holds of text[start, end), which is not empty: bits. Here, since a scan asks it for all that
 * it finds. */
static inline guint
phrase_bounds(const char *text, gsize length, gsize start, gsize end)
{
    const guint8 *octets = (const guint8 *)text;
    guint before = start > 0 ? phrase_word[octets[start - 1]] : 0;
    guint after = end < length ? phrase_word[octets[end]] : 0;
    return (before != phrase_word[octets[start]] ? PHRASE_WORD_LEFT : 0u) |
           (after != phrase_word[octets[end - 1]] ? PHRASE_WORD_RIGHT : 0u) |
           (start == 0 ? PHRASE_TEXT_START : 0u) | (end == length ? PHRASE_TEXT_END : 0u);
}
