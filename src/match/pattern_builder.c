/*
 * pattern_builder: patterns taken apart into phrases and needles, and compiled.
 *
 * A phrase that is a list of words (match/phrase.h) goes to Vectorscan as literals, each once for
 * all phrases that have it; word boundaries are checked when one is found. What is no list is
 * compiled as it is, with leftmost starts (HS_FLAG_SOM_LEFTMOST).
 */
#include <string.h>

#include "base/error.h"
#include "match/pattern_tables.h"
#include "match/phrase.h"

#define GAP_OPEN "{..."

/* A needle while they are collected. */
typedef struct {
    char *expression; /* as Vectorscan reads it */
    guint flags;
    guint length;
    guint spec;   /* the first that has it, for errors */
    GArray *uses; /* of PatternUse */
} Draft;

typedef struct {
    GHashTable *phrases; /* case flag and phrase -> index + 1 */
    GHashTable *needles; /* case flag and literal -> index + 1 */
    GArray *drafts;      /* of Draft */
    GArray *steps;       /* of PatternStep */
    GArray *first_steps; /* guint32: of each pattern */
} Builder;

static void
draft_clear(void *data)
{
    Draft *draft = data;
    g_free(draft->expression);
    g_array_unref(draft->uses);
}

static void
builder_init(Builder *builder)
{
    builder->phrases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    builder->needles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    builder->drafts = g_array_new(FALSE, FALSE, sizeof(Draft));
    g_array_set_clear_func(builder->drafts, draft_clear);
    builder->steps = g_array_new(FALSE, FALSE, sizeof(PatternStep));
    builder->first_steps = g_array_new(FALSE, FALSE, sizeof(guint32));
}

static void
builder_clear(Builder *builder)
{
    g_hash_table_unref(builder->phrases);
    g_hash_table_unref(builder->needles);
    g_array_unref(builder->drafts);
    g_array_unref(builder->steps);
    g_array_unref(builder->first_steps);
}

/* The index of a key that is counted from nought; `known` tells whether it was there. The key is
 * taken. */
static guint
key_index(GHashTable *table, char *key, gboolean *known)
{
    guint index = GPOINTER_TO_UINT(g_hash_table_lookup(table, key));
    *known = index != 0;
    if (index != 0) {
        g_free(key);
        return index - 1;
    }
    index = g_hash_table_size(table);
    g_hash_table_insert(table, key, GUINT_TO_POINTER(index + 1));
    return index;
}

static void
builder_draft(Builder *builder, char *expression, guint length, gboolean caseless, guint spec)
{
    g_assert(length <= G_MAXUINT16);
    guint flags = (caseless ? HS_FLAG_CASELESS : 0u) | (length == 0 ? HS_FLAG_SOM_LEFTMOST : 0u);
    Draft draft = {.expression = expression, .flags = flags, .length = length, .spec = spec};
    draft.uses = g_array_new(FALSE, FALSE, sizeof(PatternUse));
    g_array_append_val(builder->drafts, draft);
}

/* The literal with all that could be syntax escaped. */
static char *
escaped(const PhraseLiteral *literal)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; i < literal->length; i++) {
        char octet = literal->text[i];
        if (g_ascii_isalnum(octet) || octet == ' ')
            g_string_append_c(out, octet);
        else
            g_string_append_printf(out, "\\x%02x", (guchar)octet);
    }
    return g_string_free(out, FALSE);
}

static void
builder_use(Builder *builder, guint needle, guint phrase, guint bounds)
{
    PatternUse use = {phrase & PATTERN_USE_PHRASES, bounds & PATTERN_USE_BOUNDS};
    g_array_append_val(g_array_index(builder->drafts, Draft, needle).uses, use);
}

static void
builder_literal(Builder *builder, const PhraseLiteral *literal, gboolean caseless, guint phrase,
                guint spec)
{
    gboolean known;
    g_autofree char *small = g_ascii_strdown(literal->text, (gssize)literal->length);
    guint needle = key_index(
        builder->needles, g_strconcat(caseless ? "i" : " ", caseless ? small : literal->text, NULL),
        &known);
    if (!known)
        builder_draft(builder, escaped(literal), (guint)literal->length, caseless, spec);
    builder_use(builder, needle, phrase, literal->bounds);
}

/* The phrase's index; the same phrase is kept once. */
static guint
builder_phrase(Builder *builder, const char *text, gsize length, gboolean caseless, guint spec)
{
    gboolean known;
    g_autofree char *phrase = g_strndup(text, length);
    guint index =
        key_index(builder->phrases, g_strconcat(caseless ? "i" : " ", phrase, NULL), &known);
    if (known)
        return index;
    g_autoptr(GArray) literals = phrase_literals(phrase);
    if (literals == NULL) {
        /* No literal is keyed so. */
        guint needle = key_index(builder->needles, g_strdup_printf("=%u", index), &known);
        builder_draft(builder, g_steal_pointer(&phrase), 0, caseless, spec);
        builder_use(builder, needle, index, 0);
        return index;
    }
    for (guint i = 0; i < literals->len; i++)
        builder_literal(builder, &g_array_index(literals, PhraseLiteral, i), caseless, index, spec);
    return index;
}

/* Reads "...}" or "...12}" behind the brace; the octets it takes, or 0 if it is no gap. */
static gsize
gap_parse(const char *text, guint *gap)
{
    gsize used = strlen(GAP_OPEN);
    guint value = 0;
    for (; g_ascii_isdigit(text[used]) && value <= PATTERN_SET_GAP_MAX; used++)
        value = value * 10 + (guint)(text[used] - '0');
    if (text[used] != '}' || value > PATTERN_SET_GAP_MAX)
        return 0;
    *gap = used == strlen(GAP_OPEN) ? PATTERN_SET_GAP : value;
    return used + 1;
}

static gboolean
builder_add(Builder *builder, const PatternSpec *spec, guint index, GError **error)
{
    const char *phrase = spec->expression;
    PatternStep step = {.gap = 0};
    for (;;) {
        const char *open = strstr(phrase, GAP_OPEN);
        gsize length = open != NULL ? (gsize)(open - phrase) : strlen(phrase);
        if (length == 0) {
            g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                        "%s: an empty phrase in the pattern \"%s\"", spec->name, spec->expression);
            return FALSE;
        }
        step.phrase = builder_phrase(builder, phrase, length, spec->caseless, index);
        g_array_append_val(builder->steps, step);
        if (open == NULL)
            return TRUE;
        gsize used = gap_parse(open, &step.gap);
        if (used == 0) {
            g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                        "%s: a gap is \"{...}\" or \"{...N}\" with N up to %d, not \"%.12s\"",
                        spec->name, PATTERN_SET_GAP_MAX, open);
            return FALSE;
        }
        phrase = open + used;
    }
}

static void
compile_error_set(GError **error, const hs_compile_error_t *fault, const PatternSpec *specs,
                  const GArray *drafts)
{
    if (fault->expression < 0 || (guint)fault->expression >= drafts->len) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                    "the patterns cannot be compiled: %s", fault->message);
        return;
    }
    const Draft *draft = &g_array_index(drafts, Draft, fault->expression);
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX, "%s: bad pattern \"%s\": %s",
                specs[draft->spec].name, draft->expression, fault->message);
}

static gboolean
drafts_compile(const GArray *drafts, const PatternSpec *specs, hs_database_t **database,
               GError **error)
{
    if (hs_valid_platform() != HS_SUCCESS) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "this processor lacks what pattern matching needs (on x86: SSE4.2)");
        return FALSE;
    }
    g_autofree const char **expressions = g_new(const char *, drafts->len);
    g_autofree unsigned *flags = g_new(unsigned, drafts->len);
    g_autofree unsigned *ids = g_new(unsigned, drafts->len);
    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = &g_array_index(drafts, Draft, i);
        expressions[i] = draft->expression;
        flags[i] = draft->flags;
        ids[i] = i;
    }
    /* For any processor that Vectorscan runs on: the set may be written for another machine, and
     * literals are found no faster by knowing this one. */
    const hs_platform_info_t any = {.tune = HS_TUNE_FAMILY_GENERIC};
    hs_compile_error_t *fault = NULL;
    if (hs_compile_multi(expressions, flags, ids, drafts->len, HS_MODE_BLOCK, &any, database,
                         &fault) == HS_SUCCESS)
        return TRUE;
    compile_error_set(error, fault, specs, drafts);
    hs_free_compile_error(fault);
    return FALSE;
}

/* ---- tables -------------------------------------------------------------------------------- */

static guint16
common_bounds(const GArray *uses)
{
    guint common = ~0u;
    for (guint i = 0; i < uses->len; i++)
        common &= g_array_index(uses, PatternUse, i).bounds;
    return (guint16)common;
}

static void
append(GByteArray *block, const void *items, gsize size)
{
    g_byte_array_append(block, items, (guint)size);
}

static void
append_uses(GByteArray *block, const GArray *uses, const guint32 *numbers)
{
    for (guint i = 0; i < uses->len; i++) {
        PatternUse use = g_array_index(uses, PatternUse, i);
        use.phrase = numbers[use.phrase] & PATTERN_USE_PHRASES;
        append(block, &use, sizeof use);
    }
}

static void
append_needles(GByteArray *block, const GArray *drafts, const guint32 *numbers)
{
    PatternNeedle needle = {.first_use = 0};
    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = &g_array_index(drafts, Draft, i);
        needle.length = (guint16)draft->length;
        needle.bounds = common_bounds(draft->uses);
        append(block, &needle, sizeof needle);
        needle.first_use += draft->uses->len;
    }
    append(block, &needle, sizeof needle);
    for (guint i = 0; i < drafts->len; i++)
        append_uses(block, g_array_index(drafts, Draft, i).uses, numbers);
}

static void
append_steps(GByteArray *block, const GArray *steps, const guint32 *numbers)
{
    for (guint i = 0; i < steps->len; i++) {
        PatternStep step = g_array_index(steps, PatternStep, i);
        step.phrase = numbers[step.phrase];
        append(block, &step, sizeof step);
    }
}

/* ---- anchors ------------------------------------------------------------------------------- */

/* The shortest literal of each phrase; 0 for an expression. The caller frees it. */
static guint *
shortest_literals(const Builder *builder)
{
    guint phrases = g_hash_table_size(builder->phrases);
    guint *shortest = g_new(guint, phrases + 1);
    for (guint i = 0; i < phrases; i++)
        shortest[i] = G_MAXUINT;
    for (guint i = 0; i < builder->drafts->len; i++) {
        const Draft *draft = &g_array_index(builder->drafts, Draft, i);
        for (guint j = 0; j < draft->uses->len; j++) {
            guint phrase = g_array_index(draft->uses, PatternUse, j).phrase;
            shortest[phrase] = MIN(shortest[phrase], draft->length);
        }
    }
    return shortest;
}

/* The pattern's phrase that texts are least likely to have, which is the one whose shortest literal
 * is the longest; not `except`, unless it has no other. */
static guint32
rarest_phrase(const Builder *builder, guint pattern, const guint *shortest, guint32 except)
{
    const guint32 *first = &g_array_index(builder->first_steps, guint32, pattern);
    guint32 rarest = except;
    for (guint32 i = first[0]; i < first[1]; i++) {
        guint32 phrase = g_array_index(builder->steps, PatternStep, i).phrase;
        if (phrase != except && (rarest == except || shortest[phrase] > shortest[rarest]))
            rarest = phrase;
    }
    return rarest;
}

/* Where its rarest phrase is not found, a pattern need not be looked at. The caller frees it. */
static guint32 *
pattern_anchors(const Builder *builder, const guint *shortest)
{
    guint patterns = builder->first_steps->len - 1;
    guint32 *anchors = g_new(guint32, patterns + 1);
    for (guint i = 0; i < patterns; i++)
        anchors[i] = rarest_phrase(builder, i, shortest, G_MAXUINT32);
    return anchors;
}

/* New numbers for the phrases, the anchors first. The caller frees it. */
static guint32 *
phrase_numbers(guint phrases, const guint32 *anchors, guint patterns, guint *count)
{
    guint32 *numbers = g_new(guint32, phrases + 1);
    guint32 next = 0;
    for (guint i = 0; i < phrases; i++)
        numbers[i] = G_MAXUINT32;
    for (guint i = 0; i < patterns; i++)
        if (numbers[anchors[i]] == G_MAXUINT32)
            numbers[anchors[i]] = next++;
    *count = next;
    for (guint i = 0; i < phrases; i++)
        if (numbers[i] == G_MAXUINT32)
            numbers[i] = next++;
    return numbers;
}

/* The patterns by their anchors, in their own order at each, then where each anchor's begin. */
static void
append_patterns(GByteArray *block, const Builder *builder, const guint *shortest,
                const guint32 *anchors, const guint32 *numbers, guint count)
{
    guint patterns = builder->first_steps->len - 1;
    g_autofree PatternEntry *entries = g_new(PatternEntry, patterns + 1);
    g_autofree guint32 *starts = g_new0(guint32, count + 1);
    g_autofree guint32 *filled = g_new0(guint32, count + 1);
    for (guint i = 0; i < patterns; i++)
        starts[numbers[anchors[i]] + 1]++;
    for (guint i = 0; i < count; i++)
        starts[i + 1] += starts[i];
    for (guint i = 0; i < patterns; i++) {
        guint32 anchor = numbers[anchors[i]];
        guint32 other = numbers[rarest_phrase(builder, i, shortest, anchors[i])];
        const guint32 *first = &g_array_index(builder->first_steps, guint32, i);
        entries[starts[anchor] + filled[anchor]++] = (PatternEntry){i, other, first[0], first[1]};
    }
    append(block, entries, sizeof *entries * patterns);
    append(block, starts, sizeof *starts * (count + 1));
}

/* ---- the block ----------------------------------------------------------------------------- */

static guint
use_count(const GArray *drafts)
{
    guint count = 0;
    for (guint i = 0; i < drafts->len; i++)
        count += g_array_index(drafts, Draft, i).uses->len;
    return count;
}

static void
builder_write(const Builder *builder, PatternTables *tables)
{
    PatternCounts count = {.patterns = builder->first_steps->len - 1,
                           .phrases = g_hash_table_size(builder->phrases),
                           .needles = builder->drafts->len,
                           .uses = use_count(builder->drafts),
                           .steps = builder->steps->len};
    g_autofree guint *shortest = shortest_literals(builder);
    g_autofree guint32 *anchors = pattern_anchors(builder, shortest);
    g_autofree guint32 *numbers =
        phrase_numbers(count.phrases, anchors, count.patterns, &count.anchors);
    GByteArray *block = g_byte_array_new();
    append(block, &count, sizeof count);
    append_needles(block, builder->drafts, numbers);
    append_steps(block, builder->steps, numbers);
    append_patterns(block, builder, shortest, anchors, numbers, count.anchors);
    g_assert(count.phrases < PATTERN_MAX_PHRASES);
    gsize size;
    guint8 *octets = g_byte_array_steal(block, &size);
    g_byte_array_unref(block);
    gboolean whole = pattern_tables_place(tables, octets, size);
    g_assert(whole);
    tables->owned = octets;
}

/* ---- the interface ------------------------------------------------------------------------- */

static gboolean
builder_read(Builder *builder, const PatternSpec *specs, guint count, GError **error)
{
    for (guint i = 0; i < count; i++) {
        g_array_append_val(builder->first_steps, builder->steps->len);
        if (!builder_add(builder, &specs[i], i, error))
            return FALSE;
    }
    g_array_append_val(builder->first_steps, builder->steps->len);
    return TRUE;
}

gboolean
pattern_tables_build(const PatternSpec *specs, guint count, PatternTables *tables,
                     hs_database_t **database, GError **error)
{
    Builder builder;
    builder_init(&builder);
    gboolean built = builder_read(&builder, specs, count, error) &&
                     (count == 0 || drafts_compile(builder.drafts, specs, database, error));
    if (built)
        builder_write(&builder, tables);
    builder_clear(&builder);
    return built;
}
