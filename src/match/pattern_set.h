/*
 * pattern_set: many regular expressions over a text in one pass (Vectorscan), built once.
 *
 * A set is immutable and may be scanned by any number of threads at once; each thread gets scratch
 * space of its own at its first scan and gives it back when it ends. What Vectorscan refuses
 * (back-references, look-around, patterns that match the empty text) is an error that
 * names the pattern.
 */
#pragma once

#include <glib.h>

typedef struct PatternSet PatternSet;

typedef struct {
    const char *name;       /* for errors: where it stands */
    const char *expression; /* PCRE syntax as far as Vectorscan takes it */
    gboolean caseless;
} PatternSpec;

typedef struct {
    guint index;      /* in the specs */
    gsize start, end; /* octets of the scanned text; leftmost start, longest end seen */
} PatternHit;

/* The specs are not kept. NULL and an error that names the pattern at fault. */
PatternSet *pattern_set_new(const PatternSpec *specs, guint count, GError **error);
void pattern_set_free(PatternSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PatternSet, pattern_set_free)

/*
 * One hit for each pattern that matches, in the order of the specs: an array of PatternHit, empty
 * if none does. The caller frees it (g_array_unref). `length` octets are read, whatever they are.
 */
GArray *pattern_set_scan(const PatternSet *set, const char *text, gsize length);
