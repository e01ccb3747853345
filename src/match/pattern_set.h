/*
 * pattern_set: many regular expressions over a text in one pass (Vectorscan), built once.
 *
 * An expression is one phrase, or several with gaps between them: "mailbox{...}full" matches where
 * "full" follows "mailbox" with at most PATTERN_SET_GAP octets between them, "{...12}" sets another
 * distance. A phrase that is a list of words, as "\b(?:mail ?box|account)s?\b", and a gap cost next
 * to nothing; ".*", "\w+" or more than PHRASE_MAX_LITERALS words in a phrase slow the whole set
 * down.
 *
 * A set is immutable and may be scanned by any number of threads at once; each thread gets scratch
 * space of its own at its first scan and gives it back when it ends. What Vectorscan refuses
 * (back-references, look-around, phrases that match the empty text) is an error that names the
 * expression.
 *
 * Hostile input: time is linear in the text, memory bounded; of each phrase the first
 * PATTERN_SET_OCCURRENCES places are looked at.
 */
#pragma once

#include <glib.h>

#define PATTERN_SET_GAP         48
#define PATTERN_SET_GAP_MAX     1000
#define PATTERN_SET_OCCURRENCES 8

typedef struct PatternSet PatternSet;

typedef struct {
    const char *name;       /* for errors: where it stands */
    const char *expression; /* PCRE syntax as far as Vectorscan takes it, and gaps */
    gboolean caseless;
} PatternSpec;

typedef struct {
    guint index;      /* in the specs */
    gsize start, end; /* octets of the scanned text; leftmost start, longest end seen */
} PatternHit;

/* The specs are not kept. NULL and an error that names the expression at fault. */
PatternSet *pattern_set_new(const PatternSpec *specs, guint count, GError **error);
void pattern_set_free(PatternSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PatternSet, pattern_set_free)

/*
 * The set as octets, for a program to be built with: to read them takes a thousandth of the time of
 * compiling. g_byte_array_unref() frees them. NULL if memory is short.
 */
GByteArray *pattern_set_write(const PatternSet *set);

/*
 * The set that was written by the same release of this program on a machine of the same kind; its
 * tables are believed. NULL if they are not whole, or the database is damaged, of another version
 * of Vectorscan, or for another processor: then there is pattern_set_new(). `octets` begin at a
 * multiple of 8 and must live as long as the set.
 */
PatternSet *pattern_set_read(const void *octets, gsize length);

/* An empty array of PatternHit; g_array_unref() frees it. */
GArray *pattern_hits_new(void);

/*
 * One hit for each pattern that matches, in the order of the specs, takes the place of what `hits`
 * (pattern_hits_new) had. `length` octets are read, whatever they are.
 */
void pattern_set_scan(const PatternSet *set, const char *text, gsize length, GArray *hits);

/* What Vectorscan compiled (hs_database_t), for bench/ to scan with it alone. NULL of no patterns.
 */
const struct hs_database *pattern_set_database(const PatternSet *set);
