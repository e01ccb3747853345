/*
 * pattern_tables: what pattern_set.c needs besides Vectorscan's database, made by
 * pattern_builder.c; nobody else includes it.
 *
 * Vectorscan finds needles (literals, or expressions that are no list of literals); a needle is
 * used by phrases, with the word boundaries that each asks for; a pattern is made of steps, each a
 * phrase and how far behind the one before it may stand. All of it is numbers in one block, so that
 * it can be kept as octets.
 */
#pragma once

#include <hs/hs.h>

#include "match/pattern_set.h"

typedef struct {
    guint32 first_use; /* the next needle's is the end */
    guint16 length;    /* of a literal; 0: an expression, whose start Vectorscan tells */
    guint16 bounds;    /* that each of its uses asks for */
} PatternNeedle;

/* No set has so many: their numbers fit into 16 bits. */
#define PATTERN_MAX_PHRASES 0xffff

#define PATTERN_USE_PHRASES 0x0fffffffu
#define PATTERN_USE_BOUNDS  0xfu

typedef struct {
    guint32 phrase : 28;
    guint32 bounds : 4;
} PatternUse;

typedef struct {
    guint32 phrase;
    guint32 gap; /* octets that may stand before it */
} PatternStep;

typedef struct {
    guint32 pattern;
    guint32
        other; /* the rarest of its phrases but for the anchor, which it is if there is no other */
    guint32 first_step, end_step;
} PatternEntry;

/* How many there are of each: what the block begins with. */
typedef struct {
    guint32 patterns, phrases, needles, uses, steps;
    guint32 anchors; /* so many of the phrases, the first ones */
} PatternCounts;

typedef struct {
    PatternCounts count;
    const guint8 *block;
    gsize block_size;
    guint8 *owned;                /* the same block; NULL if it is somebody else's */
    const PatternNeedle *needles; /* one more than there are */
    const PatternUse *uses;
    const PatternStep *steps;
    const PatternEntry *patterns; /* in the order of their anchors: the phrases at which they are
                                     looked at, the rarest that each has */
    const guint32 *anchors;       /* the first pattern of each anchor, and the end */
} PatternTables;

/* Makes the tables point into the block, which is the caller's. FALSE if it is not as long as it
 * says. */
gboolean pattern_tables_place(PatternTables *tables, const guint8 *block, gsize size);
void pattern_tables_clear(PatternTables *tables);

/* Fills the tables, and the database unless there are no patterns. FALSE and an error that names
 * the pattern at fault. */
gboolean pattern_tables_build(const PatternSpec *specs, guint count, PatternTables *tables,
                              hs_database_t **database, GError **error);
