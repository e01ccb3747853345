/*
 * gram_index: which of many texts can occur in a given one.
 */
#include "policy/gram_index.h"

#include <string.h>

enum { FILTER_BITS = 16 };

typedef struct {
    guint32 gram;
    guint id;
} Gram;

struct GramIndex {
    GPtrArray *entries; /* while it is built: of GArray of Gram, all of one entry */
    GArray *grams;      /* of Gram, in order: one of each entry */
    /* A bit for each gram that there is, by its hash: most octets of a text are done with here. */
    guint64 filter[(1u << FILTER_BITS) / 64];
};

GramIndex *
gram_index_new(void)
{
    GramIndex *index = g_new0(GramIndex, 1);
    index->entries = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    index->grams = g_array_new(FALSE, FALSE, sizeof(Gram));
    return index;
}

void
gram_index_free(GramIndex *index)
{
    if (index == NULL)
        return;
    g_ptr_array_unref(index->entries);
    g_array_unref(index->grams);
    g_free(index);
}

static guint32
shift_in(guint32 gram, char octet)
{
    return gram << 8 | (guint8)g_ascii_tolower(octet);
}

static guint
filter_place(guint32 gram)
{
    return gram * 0x9e3779b1u >> (32 - FILTER_BITS);
}

static void
add_piece(GArray *grams, guint id, const char *piece)
{
    Gram gram = {.id = id};
    for (gsize i = 0; piece[i] != '\0'; i++) {
        gram.gram = shift_in(gram.gram, piece[i]);
        if (i + 1 >= GRAM_OCTETS)
            g_array_append_val(grams, gram);
    }
}

gboolean
gram_index_add(GramIndex *index, guint id, const char *const *pieces)
{
    g_autoptr(GArray) grams = g_array_new(FALSE, FALSE, sizeof(Gram));
    for (; *pieces != NULL; pieces++)
        add_piece(grams, id, *pieces);
    if (grams->len == 0)
        return FALSE;
    g_ptr_array_add(index->entries, g_steal_pointer(&grams));
    return TRUE;
}

static GHashTable *
count_grams(const GramIndex *index)
{
    GHashTable *counts = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < index->entries->len; i++) {
        const GArray *grams = g_ptr_array_index(index->entries, i);
        for (guint at = 0; at < grams->len; at++) {
            gpointer key = GUINT_TO_POINTER(g_array_index(grams, Gram, at).gram);
            guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));
            g_hash_table_insert(counts, key, GUINT_TO_POINTER(count + 1));
        }
    }
    return counts;
}

static const Gram *
rarest(const GArray *grams, GHashTable *counts)
{
    const Gram *best = NULL;
    guint least = 0;
    for (guint at = 0; at < grams->len; at++) {
        const Gram *gram = &g_array_index(grams, Gram, at);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, GUINT_TO_POINTER(gram->gram)));
        if (best == NULL || count < least) {
            best = gram;
            least = count;
        }
    }
    return best;
}

static gint
compare_grams(gconstpointer a, gconstpointer b)
{
    const Gram *first = a, *second = b;
    if (first->gram != second->gram)
        return first->gram < second->gram ? -1 : 1;
    return first->id < second->id ? -1 : first->id > second->id;
}

void
gram_index_finish(GramIndex *index)
{
    g_autoptr(GHashTable) counts = count_grams(index);
    for (guint i = 0; i < index->entries->len; i++) {
        const Gram *gram = rarest(g_ptr_array_index(index->entries, i), counts);
        guint place = filter_place(gram->gram);
        g_array_append_vals(index->grams, gram, 1);
        index->filter[place / 64] |= G_GUINT64_CONSTANT(1) << place % 64;
    }
    g_array_sort(index->grams, compare_grams);
    g_ptr_array_set_size(index->entries, 0);
}

gboolean
gram_index_is_empty(const GramIndex *index)
{
    return index->grams->len == 0;
}

/* The first of the grams that is not below this one. */
static guint
first_place(const GramIndex *index, guint32 gram)
{
    guint low = 0, high = index->grams->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(index->grams, Gram, middle).gram < gram)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
set_ids(const GramIndex *index, guint32 gram, guint64 *bits)
{
    for (guint i = first_place(index, gram); i < index->grams->len; i++) {
        const Gram *found = &g_array_index(index->grams, Gram, i);
        if (found->gram != gram)
            return;
        bits[found->id / 64] |= G_GUINT64_CONSTANT(1) << found->id % 64;
    }
}

void
gram_index_find(const GramIndex *index, const char *text, guint64 *bits)
{
    guint32 gram = 0;
    for (gsize i = 0; text[i] != '\0'; i++) {
        gram = shift_in(gram, text[i]);
        guint place = filter_place(gram);
        if (i + 1 >= GRAM_OCTETS && (index->filter[place / 64] >> place % 64 & 1) != 0)
            set_ids(index, gram, bits);
    }
}
