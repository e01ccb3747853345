/*
 * gram_index: which of many texts can occur in a given one, worked out in one pass over it.
 *
 * An entry is an id and pieces that must all occur, wherever and in any order; ASCII case is
 * ignored. Of the runs of four octets in its pieces the one that fewest other entries share stands
 * for the entry. So an id that is not found does not occur for certain, while one that is found
 * still has to be tried.
 *
 * Built by one thread, then immutable; any thread may ask.
 */
#pragma once

#include <glib.h>

/* The shortest piece that can be told from others. */
#define GRAM_OCTETS 4

typedef struct GramIndex GramIndex;

GramIndex *gram_index_new(void);
void gram_index_free(GramIndex *index);

/* FALSE: no piece is long enough, so nothing can be said of this id. Of several entries with the
 * same id one that occurs is enough. `pieces` ends with NULL and is not kept. */
gboolean gram_index_add(GramIndex *index, guint id, const char *const *pieces);

/* After the last entry, before the first question. */
void gram_index_finish(GramIndex *index);

gboolean gram_index_is_empty(const GramIndex *index);

/* Sets the bit of each id that can occur in `text`: bits[id / 64] & 1 << id % 64. */
void gram_index_find(const GramIndex *index, const char *text, guint64 *bits);
