/*
 * compiled_patterns: the pattern sets of the rules and the layouts, as the build has compiled them.
 *
 * Compiling them takes most of a second, which every start of the daemon and every call of replyctl
 * would spend. Threads: any.
 */
#pragma once

#include "match/pattern_set.h"

typedef enum {
    COMPILED_RULE_TEXTS,
    COMPILED_RULE_NAMES,
    COMPILED_LAYOUT_PHRASES,
    COMPILED_COUNT
} CompiledSet;

/* The set that the build has made of these specs; or, where this machine's Vectorscan cannot run
 * it, the same compiled now. NULL and an error that names the spec at fault. */
PatternSet *compiled_patterns_load(CompiledSet which, const PatternSpec *specs, guint count,
                                   GError **error);
