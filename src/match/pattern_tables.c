/*
 * pattern_tables: where each table stands in the block.
 */
#include "match/pattern_tables.h"

/* The next table of so many octets; NULL if the block ends before it does. */
static const void *
take(const guint8 **at, const guint8 *end, gsize size)
{
    const guint8 *table = *at;
    if (table == NULL || size > (gsize)(end - table)) {
        *at = NULL;
        return NULL;
    }
    *at += size;
    return table;
}

gboolean
pattern_tables_place(PatternTables *tables, const guint8 *block, gsize size)
{
    const guint8 *at = block, *end = block + size;
    const PatternCounts *counts = take(&at, end, sizeof *counts);
    if (counts == NULL)
        return FALSE;
    *tables = (PatternTables){.count = *counts, .block = block, .block_size = size};
    tables->needles = take(&at, end, sizeof *tables->needles * ((gsize)counts->needles + 1));
    tables->uses = take(&at, end, sizeof *tables->uses * counts->uses);
    tables->steps = take(&at, end, sizeof *tables->steps * counts->steps);
    tables->patterns = take(&at, end, sizeof *tables->patterns * counts->patterns);
    tables->anchors = take(&at, end, sizeof *tables->anchors * ((gsize)counts->anchors + 1));
    return at == end;
}

void
pattern_tables_clear(PatternTables *tables)
{
    g_free(tables->owned);
    *tables = (PatternTables){.block = NULL};
}
