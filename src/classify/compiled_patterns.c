/*
 * compiled_patterns: the octets that compile_patterns.c wrote, which stand in the program.
 */
#include "classify/compiled_patterns.h"

typedef struct {
    const guint64 *words; /* NULL: the build could not run what it built */
    gsize length;         /* octets */
} CompiledOctets;

#include "classify/compiled_table.h" /* generated */

PatternSet *
compiled_patterns_load(CompiledSet which, const PatternSpec *specs, guint count, GError **error)
{
    const CompiledOctets *compiled = &compiled_octets[which];
    PatternSet *set =
        compiled->words != NULL ? pattern_set_read(compiled->words, compiled->length) : NULL;
    return set != NULL ? set : pattern_set_new(specs, count, error);
}
