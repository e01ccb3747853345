/*
 * pattern_set: Vectorscan finds literals, this file makes phrases and sequences of them.
 *
 * A phrase that is a list of words (match/phrase.h) goes to Vectorscan as literals, each once for
 * all phrases that have it; word boundaries are checked here. What is no list is compiled as it
 * is, with leftmost starts (HS_FLAG_SOM_LEFTMOST).
 * A thread keeps one scratch space, grown to fit every set that it scans (scratch belongs to one
 * thread at a time, but not to one database), and the places found by its last scan.
 */
#include "match/pattern_set.h"

#include <hs/hs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "match/phrase.h"

#define GAP_OPEN "{..."

/* A phrase of an expression, and how many octets may stand before it. */
typedef struct {
    guint phrase;
    guint gap;
} Step;

/* A phrase that has a needle among its words, and the word boundaries that it asks for. */
typedef struct {
    guint phrase;
    guint bounds;
} Use;

/* What Vectorscan looks for. */
typedef struct {
    guint length; /* of a literal; 0: an expression, whose start Vectorscan tells */
    guint bounds; /* that each of its uses asks for */
    guint first_use;
} Needle;

struct PatternSet {
    hs_database_t *database; /* NULL: no patterns at all */
    guint64 serial;          /* never given twice: tells a thread whether its scratch fits */
    guint count;
    guint phrase_count;
    Needle *needles; /* one more than there are */
    Use *uses;
    Step *steps;
    guint *first_step; /* of each spec; count + 1 */
    guint *anchored;   /* specs in the order of their anchors */
    guint *anchors;    /* the first spec anchored at each phrase; phrase_count + 1 */
};

/* ---- what a thread keeps ------------------------------------------------------------------- */

typedef struct {
    guint32 start, end;
} Place;

typedef struct {
    guint count;
    Place at[PATTERN_SET_OCCURRENCES];
} Places;

#define FITTED 4

typedef struct {
    hs_scratch_t *scratch;
    guint64 fitted[FITTED]; /* serials of sets that the scratch is large enough for */
    guint next_fitted;
    guint size;     /* of the two arrays */
    Places *places; /* of each phrase: all empty between scans */
    guint *found;   /* the phrases that have places */
    guint found_count;
} ThreadSpace;

static pthread_once_t space_once = PTHREAD_ONCE_INIT;
static pthread_key_t space_key;

static void
thread_space_free(void *data)
{
    ThreadSpace *space = data;
    hs_free_scratch(space->scratch);
    g_free(space->places);
    g_free(space->found);
    g_free(space);
}

static void
space_key_create(void)
{
    if (pthread_key_create(&space_key, thread_space_free) != 0)
        g_error("no thread key is left for pattern matching");
}

static ThreadSpace *
thread_space(void)
{
    pthread_once(&space_once, space_key_create);
    ThreadSpace *space = pthread_getspecific(space_key);
    if (space == NULL) {
        space = g_new0(ThreadSpace, 1);
        pthread_setspecific(space_key, space);
    }
    return space;
}

/* Memory that cannot be had ends the program, as everywhere with GLib. */
static void
thread_space_fit(ThreadSpace *space, const PatternSet *set)
{
    for (guint i = 0; i < FITTED; i++)
        if (space->fitted[i] == set->serial)
            return;
    if (hs_alloc_scratch(set->database, &space->scratch) != HS_SUCCESS)
        g_error("no memory for pattern matching");
    if (space->size < set->phrase_count) {
        g_free(space->places);
        space->places = g_new0(Places, set->phrase_count);
        space->found = g_renew(guint, space->found, set->phrase_count);
        space->size = set->phrase_count;
    }
    space->fitted[space->next_fitted++ % FITTED] = set->serial;
}

/* ---- building ------------------------------------------------------------------------------ */

/* A needle while they are collected. */
typedef struct {
    char *expression; /* as Vectorscan reads it */
    guint flags;
    guint length;
    guint spec;   /* the first that has it, for errors */
    GArray *uses; /* of Use */
} Draft;

typedef struct {
    GHashTable *phrases; /* case flag and phrase -> index + 1 */
    GHashTable *needles; /* case flag and literal -> index + 1 */
    GArray *drafts;
    GArray *steps;
    GArray *first_step;
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
    builder->steps = g_array_new(FALSE, FALSE, sizeof(Step));
    builder->first_step = g_array_new(FALSE, FALSE, sizeof(guint));
}

static void
builder_clear(Builder *builder)
{
    g_hash_table_unref(builder->phrases);
    g_hash_table_unref(builder->needles);
    g_array_unref(builder->drafts);
    g_array_unref(builder->steps);
    g_array_unref(builder->first_step);
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
    guint flags = (caseless ? HS_FLAG_CASELESS : 0u) | (length == 0 ? HS_FLAG_SOM_LEFTMOST : 0u);
    Draft draft = {.expression = expression, .flags = flags, .length = length, .spec = spec};
    draft.uses = g_array_new(FALSE, FALSE, sizeof(Use));
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
    Use use = {phrase, bounds};
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
    Step step = {.gap = 0};
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
set_compile(PatternSet *set, const GArray *drafts, const PatternSpec *specs, GError **error)
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
    hs_compile_error_t *fault = NULL;
    if (hs_compile_multi(expressions, flags, ids, drafts->len, HS_MODE_BLOCK, NULL, &set->database,
                         &fault) == HS_SUCCESS)
        return TRUE;
    compile_error_set(error, fault, specs, drafts);
    hs_free_compile_error(fault);
    return FALSE;
}

static guint
common_bounds(const GArray *uses)
{
    guint common = ~0u;
    for (guint i = 0; i < uses->len; i++)
        common &= g_array_index(uses, Use, i).bounds;
    return common;
}

static void
set_take_needles(PatternSet *set, const GArray *drafts)
{
    g_autoptr(GArray) uses = g_array_new(FALSE, FALSE, sizeof(Use));
    set->needles = g_new0(Needle, drafts->len + 1);
    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = &g_array_index(drafts, Draft, i);
        set->needles[i] = (Needle){draft->length, common_bounds(draft->uses), uses->len};
        g_array_append_vals(uses, draft->uses->data, draft->uses->len);
    }
    set->needles[drafts->len].first_use = uses->len;
    set->uses = g_memdup2(uses->data, sizeof(Use) * uses->len);
}

/* In how many specs' steps each phrase stands. The caller frees it. */
static guint *
phrase_frequencies(const PatternSet *set)
{
    guint *frequencies = g_new0(guint, set->phrase_count + 1);
    for (guint i = 0; i < set->first_step[set->count]; i++)
        frequencies[set->steps[i].phrase]++;
    return frequencies;
}

/* The phrase of a spec that the fewest others have: where it is not found, the spec need not be
 * looked at. */
static guint
spec_anchor(const PatternSet *set, guint spec, const guint *frequencies)
{
    guint anchor = set->steps[set->first_step[spec]].phrase;
    for (guint i = set->first_step[spec]; i < set->first_step[spec + 1]; i++)
        if (frequencies[set->steps[i].phrase] < frequencies[anchor])
            anchor = set->steps[i].phrase;
    return anchor;
}

static void
set_index_anchors(PatternSet *set)
{
    g_autofree guint *frequencies = phrase_frequencies(set);
    g_autofree guint *filled = g_new0(guint, set->phrase_count + 1);
    set->anchors = g_new0(guint, set->phrase_count + 1);
    set->anchored = g_new(guint, MAX(set->count, 1));
    for (guint i = 0; i < set->count; i++)
        set->anchors[spec_anchor(set, i, frequencies) + 1]++;
    for (guint i = 0; i < set->phrase_count; i++)
        set->anchors[i + 1] += set->anchors[i];
    for (guint i = 0; i < set->count; i++) {
        guint phrase = spec_anchor(set, i, frequencies);
        set->anchored[set->anchors[phrase] + filled[phrase]++] = i;
    }
}

static PatternSet *
set_build(Builder *builder, const PatternSpec *specs, guint count, GError **error)
{
    static atomic_uint_least64_t serials;
    for (guint i = 0; i < count; i++) {
        g_array_append_val(builder->first_step, builder->steps->len);
        if (!builder_add(builder, &specs[i], i, error))
            return NULL;
    }
    g_array_append_val(builder->first_step, builder->steps->len);
    g_autoptr(PatternSet) set = g_new0(PatternSet, 1);
    set->serial = atomic_fetch_add(&serials, 1) + 1;
    set->count = count;
    set->phrase_count = g_hash_table_size(builder->phrases);
    if (count > 0 && !set_compile(set, builder->drafts, specs, error))
        return NULL;
    set_take_needles(set, builder->drafts);
    set->steps = g_memdup2(builder->steps->data, sizeof(Step) * builder->steps->len);
    set->first_step = g_memdup2(builder->first_step->data, sizeof(guint) * (count + 1));
    set_index_anchors(set);
    return g_steal_pointer(&set);
}

PatternSet *
pattern_set_new(const PatternSpec *specs, guint count, GError **error)
{
    Builder builder;
    builder_init(&builder);
    PatternSet *set = set_build(&builder, specs, count, error);
    builder_clear(&builder);
    return set;
}

void
pattern_set_free(PatternSet *set)
{
    if (set == NULL)
        return;
    hs_free_database(set->database);
    g_free(set->needles);
    g_free(set->uses);
    g_free(set->steps);
    g_free(set->first_step);
    g_free(set->anchored);
    g_free(set->anchors);
    g_free(set);
}

/* ---- scanning ------------------------------------------------------------------------------ */

typedef struct {
    const PatternSet *set;
    ThreadSpace *space;
    const char *text;
    gsize length;
} Scan;

/* Of places with the same start the longest counts. */
static void
place_add(ThreadSpace *space, guint phrase, guint32 start, guint32 end)
{
    Places *places = &space->places[phrase];
    for (guint i = places->count; i-- > 0;) {
        if (places->at[i].start == start) {
            places->at[i].end = MAX(places->at[i].end, end);
            return;
        }
    }
    if (places->count == PATTERN_SET_OCCURRENCES)
        return;
    if (places->count == 0)
        space->found[space->found_count++] = phrase;
    places->at[places->count++] = (Place){start, end};
}

static int
needle_found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
             void *data)
{
    const Scan *scan = data;
    const Needle *needle = &scan->set->needles[id];
    gsize start = needle->length > 0 ? (gsize)to - needle->length : (gsize)from;
    guint bounds = phrase_bounds(scan->text, scan->length, start, (gsize)to);
    (void)flags;
    if ((needle->bounds & ~bounds) != 0)
        return 0;
    for (guint i = needle[0].first_use; i < needle[1].first_use; i++) {
        const Use *use = &scan->set->uses[i];
        if ((use->bounds & ~bounds) == 0)
            place_add(scan->space, use->phrase, (guint32)start, (guint32)to);
    }
    return 0;
}

/* The chains that reach a place of this phrase from the chains that reached the phrase before;
 * where several reach it, the one that begins first. A place's start is then the chain's. */
static void
chains_extend(Places *chains, const Places *places, guint gap)
{
    Places longer = {0};
    for (guint i = 0; i < places->count; i++) {
        Place best = {G_MAXUINT32, places->at[i].end};
        for (guint j = 0; j < chains->count; j++) {
            const Place *chain = &chains->at[j];
            if (chain->end <= places->at[i].start && places->at[i].start - chain->end <= gap)
                best.start = MIN(best.start, chain->start);
        }
        if (best.start != G_MAXUINT32)
            longer.at[longer.count++] = best;
    }
    *chains = longer;
}

static Place
leftmost(const Places *places)
{
    Place best = places->at[0];
    for (guint i = 1; i < places->count; i++)
        if (places->at[i].start < best.start)
            best = places->at[i];
    return best;
}

/* Where the spec matches, judged by the places of its phrases. */
static gboolean
spec_match(const PatternSet *set, const Places *places, guint spec, Place *place)
{
    guint first = set->first_step[spec], end = set->first_step[spec + 1];
    for (guint i = first; i < end; i++)
        if (places[set->steps[i].phrase].count == 0)
            return FALSE;
    if (end == first + 1) {
        *place = leftmost(&places[set->steps[first].phrase]);
        return TRUE;
    }
    Places chains = places[set->steps[first].phrase];
    for (guint i = first + 1; i < end && chains.count > 0; i++)
        chains_extend(&chains, &places[set->steps[i].phrase], set->steps[i].gap);
    if (chains.count == 0)
        return FALSE;
    *place = leftmost(&chains);
    return TRUE;
}

static gint
hit_compare(gconstpointer a, gconstpointer b)
{
    guint left = ((const PatternHit *)a)->index, right = ((const PatternHit *)b)->index;
    return (left > right) - (left < right);
}

GArray *
pattern_set_scan(const PatternSet *set, const char *text, gsize length)
{
    GArray *hits = g_array_new(FALSE, FALSE, sizeof(PatternHit));
    if (set->database == NULL || length == 0)
        return hits;
    ThreadSpace *space = thread_space();
    thread_space_fit(space, set);
    Scan scan = {set, space, text, MIN(length, G_MAXUINT32 - 1)};
    hs_error_t answer =
        hs_scan(set->database, text, (unsigned)scan.length, 0, space->scratch, needle_found, &scan);
    g_assert(answer == HS_SUCCESS);
    for (guint i = 0; i < space->found_count; i++) {
        guint phrase = space->found[i];
        for (guint s = set->anchors[phrase]; s < set->anchors[phrase + 1]; s++) {
            Place place;
            if (spec_match(set, space->places, set->anchored[s], &place)) {
                PatternHit hit = {set->anchored[s], place.start, place.end};
                g_array_append_val(hits, hit);
            }
        }
    }
    for (guint i = 0; i < space->found_count; i++)
        space->places[space->found[i]].count = 0;
    space->found_count = 0;
    g_array_sort(hits, hit_compare);
    return hits;
}

const struct hs_database *
pattern_set_database(const PatternSet *set)
{
    return set->database;
}
