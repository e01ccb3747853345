/*
 * pattern_set: what Vectorscan finds, made phrases and sequences of them.
 *
 * How patterns become needles, phrases and steps: pattern_tables.h. A needle that is found gives
 * its phrases a place; a pattern is looked at where the rarest of its phrases has one.
 * A thread keeps one scratch space, grown to fit every set that it scans (scratch belongs to one
 * thread at a time, but not to one database), and the places found by its last scan.
 */
#include "match/pattern_set.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "match/pattern_tables.h"
#include "match/phrase.h"

struct PatternSet {
    hs_database_t *database; /* NULL: no patterns at all */
    guint64 serial;          /* never given twice: tells a thread whether its scratch fits */
    PatternTables tables;
};

/* ---- what a thread keeps ------------------------------------------------------------------- */

typedef struct {
    guint32 start, end;
} Place;

typedef struct {
    guint count;
    Place at[PATTERN_SET_OCCURRENCES];
} Places;

/* A needle that Vectorscan told of. */
typedef struct {
    guint32 needle;
    Place place;
} Occurrence;

/* A set of numbers. */
typedef guint64 Bits;

#define BITS 64

enum { FITTED = 4, OCCURRENCES = 512 };

typedef struct {
    hs_scratch_t *scratch;
    guint64 fitted[FITTED]; /* serials of sets that the rest is large enough for */
    guint next_fitted;
    PatternCounts room;      /* for so many phrases and patterns */
    Occurrence *occurrences; /* that are still to be looked at */
    guint occurrence_count;
    guint16 *slots; /* of each phrase: where its places are; 0: none were found */
    Places *places; /* side by side, so that they stay in the cache; the first is never used */
    guint place_count;
    guint32 *anchors; /* those that were found */
    guint anchor_count;
    Bits *matched; /* the patterns that match */
    guint match_count;
    Place *matches; /* where each of them does */
} ThreadSpace;

static pthread_once_t space_once = PTHREAD_ONCE_INIT;
static pthread_key_t space_key;

static void
thread_space_free(void *data)
{
    ThreadSpace *space = data;
    hs_free_scratch(space->scratch);
    g_free(space->occurrences);
    g_free(space->slots);
    g_free(space->places);
    g_free(space->anchors);
    g_free(space->matched);
    g_free(space->matches);
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

static gsize
bits_size(guint count)
{
    return (count + BITS - 1) / BITS * sizeof(Bits);
}

static void
thread_space_grow(ThreadSpace *space, const PatternCounts *count)
{
    PatternCounts *room = &space->room;
    room->phrases = MAX(room->phrases, count->phrases);
    room->patterns = MAX(room->patterns, count->patterns);
    space->occurrences = g_renew(Occurrence, space->occurrences, OCCURRENCES);
    space->slots = g_renew(guint16, space->slots, room->phrases);
    space->places = g_renew(Places, space->places, room->phrases + 1);
    space->anchors = g_renew(guint32, space->anchors, room->phrases + 1);
    space->matched = g_realloc(space->matched, bits_size(room->patterns));
    space->matches = g_renew(Place, space->matches, room->patterns);
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
    thread_space_grow(space, &set->tables.count);
    space->fitted[space->next_fitted++ % FITTED] = set->serial;
}

/* ---- life ---------------------------------------------------------------------------------- */

static PatternSet *
set_new(void)
{
    static atomic_uint_least64_t serials;
    PatternSet *set = g_new0(PatternSet, 1);
    set->serial = atomic_fetch_add(&serials, 1) + 1;
    return set;
}

PatternSet *
pattern_set_new(const PatternSpec *specs, guint count, GError **error)
{
    g_autoptr(PatternSet) set = set_new();
    if (!pattern_tables_build(specs, count, &set->tables, &set->database, error))
        return NULL;
    return g_steal_pointer(&set);
}

void
pattern_set_free(PatternSet *set)
{
    if (set == NULL)
        return;
    hs_free_database(set->database);
    pattern_tables_clear(&set->tables);
    g_free(set);
}

/* ---- as octets ----------------------------------------------------------------------------- */

/* What a written set begins with: how many octets the tables and the database have. */
typedef struct {
    guint64 tables, database;
} WrittenSizes;

GByteArray *
pattern_set_write(const PatternSet *set)
{
    char *database = NULL;
    size_t size = 0;
    if (set->database != NULL &&
        hs_serialize_database(set->database, &database, &size) != HS_SUCCESS)
        return NULL;
    WrittenSizes sizes = {set->tables.block_size, size};
    GByteArray *octets = g_byte_array_new();
    g_byte_array_append(octets, (const guint8 *)&sizes, sizeof sizes);
    g_byte_array_append(octets, set->tables.block, (guint)set->tables.block_size);
    g_byte_array_append(octets, (const guint8 *)database, (guint)size);
    free(database);
    return octets;
}

PatternSet *
pattern_set_read(const void *octets, gsize length)
{
    const WrittenSizes *sizes = octets;
    const guint8 *tables = (const guint8 *)(sizes + 1);
    if (length < sizeof *sizes || sizes->tables > length - sizeof *sizes ||
        sizes->database != length - sizeof *sizes - sizes->tables)
        return NULL;
    g_autoptr(PatternSet) set = set_new();
    if (!pattern_tables_place(&set->tables, tables, sizes->tables))
        return NULL;
    size_t size;
    const char *database = (const char *)tables + sizes->tables;
    if (sizes->database > 0 &&
        (hs_deserialize_database(database, sizes->database, &set->database) != HS_SUCCESS ||
         hs_database_size(set->database, &size) != HS_SUCCESS)) /* tells if it runs here */
        return NULL;
    return g_steal_pointer(&set);
}

/* ---- phrases ------------------------------------------------------------------------------- */

typedef struct {
    const PatternTables *tables;
    ThreadSpace *space;
    const char *text;
    gsize length;
} Scan;

/* Of places with the same start the longest counts. */
static void
places_add(Places *places, Place place)
{
    for (guint i = places->count; i-- > 0;) {
        if (places->at[i].start == place.start) {
            places->at[i].end = MAX(places->at[i].end, place.end);
            return;
        }
    }
    if (places->count < PATTERN_SET_OCCURRENCES)
        places->at[places->count++] = place;
}

static void
phrase_found(const Scan *scan, guint phrase, Place place)
{
    ThreadSpace *space = scan->space;
    guint slot = space->slots[phrase];
    if (slot > 0) {
        places_add(&space->places[slot], place);
        return;
    }
    slot = ++space->place_count;
    space->slots[phrase] = (guint16)slot;
    space->places[slot].count = 1;
    space->places[slot].at[0] = place;
    space->anchors[space->anchor_count] = phrase;
    space->anchor_count += phrase < scan->tables->count.anchors ? 1 : 0;
}

/* Gives the needle's phrases its place. */
static void
occurrence_take(const Scan *scan, const Occurrence *occurrence)
{
    const PatternTables *tables = scan->tables;
    const PatternNeedle *needle = &tables->needles[occurrence->needle];
    const PatternUse *use = &tables->uses[needle[0].first_use];
    const PatternUse *end = &tables->uses[needle[1].first_use];
    Place place = occurrence->place;
    if (needle->length > 0)
        place.start = place.end - needle->length;
    guint missing = ~phrase_bounds(scan->text, scan->length, place.start, place.end);
    if ((needle->bounds & missing) != 0)
        return;
    for (; use < end; use++)
        if ((use->bounds & missing) == 0)
            phrase_found(scan, use->phrase, place);
}

static void
take_occurrences(const Scan *scan)
{
    ThreadSpace *space = scan->space;
    for (guint i = 0; i < space->occurrence_count; i++)
        occurrence_take(scan, &space->occurrences[i]);
    space->occurrence_count = 0;
}

/* Only notes it, since Vectorscan goes on much faster than with its caches full of other things. */
static int
needle_found(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
             void *data)
{
    const Scan *scan = data;
    ThreadSpace *space = scan->space;
    (void)flags;
    __builtin_prefetch(&scan->tables->needles[id]);
    space->occurrences[space->occurrence_count++] = (Occurrence){id, {(guint32)from, (guint32)to}};
    if (space->occurrence_count == OCCURRENCES)
        take_occurrences(scan);
    return 0;
}

/* ---- patterns ------------------------------------------------------------------------------ */

/* The chains that reach a place of this phrase from those that reached the phrase before; where
 * several reach it, the one that begins first. */
static void
chains_extend(Places *chains, const Places *places, guint gap)
{
    Places longer;
    longer.count = 0;
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
    chains->count = longer.count;
    memcpy(chains->at, longer.at, sizeof *longer.at * longer.count);
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

/* Where the phrases follow each other; FALSE if they do not, or one was not found. */
static gboolean
steps_match(const ThreadSpace *space, const PatternStep *step, const PatternStep *end, Place *match)
{
    for (const PatternStep *each = step; each < end; each++)
        if (space->slots[each->phrase] == 0)
            return FALSE;
    /* Sequences of places, each from the first one's start to the last one's end. */
    Places chains = space->places[space->slots[step->phrase]];
    while (++step < end && chains.count > 0)
        chains_extend(&chains, &space->places[space->slots[step->phrase]], step->gap);
    if (chains.count > 0)
        *match = leftmost(&chains);
    return chains.count > 0;
}

static void
pattern_try(const Scan *scan, const PatternEntry *entry)
{
    ThreadSpace *space = scan->space;
    const PatternStep *steps = scan->tables->steps;
    if (space->slots[entry->other] == 0 ||
        !steps_match(space, &steps[entry->first_step], &steps[entry->end_step],
                     &space->matches[entry->pattern]))
        return;
    space->matched[entry->pattern / BITS] |= (Bits)1 << entry->pattern % BITS;
    space->match_count++;
}

static void
try_patterns(const Scan *scan)
{
    const PatternTables *tables = scan->tables;
    const ThreadSpace *space = scan->space;
    for (guint i = 0; i < space->anchor_count; i++) {
        const guint32 *first = &tables->anchors[space->anchors[i]];
        const PatternEntry *end = &tables->patterns[first[1]];
        for (const PatternEntry *entry = &tables->patterns[first[0]]; entry < end; entry++)
            pattern_try(scan, entry);
    }
}

/* In the order of the patterns. */
static void
take_hits(const ThreadSpace *space, guint patterns, GArray *hits)
{
    g_array_set_size(hits, space->match_count);
    PatternHit *hit = (PatternHit *)(void *)hits->data;
    for (guint first = 0; first < patterns; first += BITS) {
        for (Bits rest = space->matched[first / BITS]; rest != 0; rest &= rest - 1) {
            guint pattern = first + (guint)__builtin_ctzll(rest);
            const Place *match = &space->matches[pattern];
            *hit++ = (PatternHit){pattern, match->start, match->end};
        }
    }
}

GArray *
pattern_hits_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(PatternHit));
}

static void
thread_space_empty(ThreadSpace *space, const PatternCounts *count)
{
    space->occurrence_count = space->place_count = space->anchor_count = space->match_count = 0;
    memset(space->slots, 0, sizeof *space->slots * count->phrases);
    memset(space->matched, 0, bits_size(count->patterns));
}

void
pattern_set_scan(const PatternSet *set, const char *text, gsize length, GArray *hits)
{
    g_array_set_size(hits, 0);
    if (set->database == NULL || length == 0)
        return;
    ThreadSpace *space = thread_space();
    thread_space_fit(space, set);
    thread_space_empty(space, &set->tables.count);
    Scan scan = {&set->tables, space, text, MIN(length, G_MAXUINT32 - 1)};
    hs_error_t answer =
        hs_scan(set->database, text, (unsigned)scan.length, 0, space->scratch, needle_found, &scan);
    g_assert(answer == HS_SUCCESS);
    take_occurrences(&scan);
    try_patterns(&scan);
    take_hits(space, set->tables.count.patterns, hits);
}

const struct hs_database *
pattern_set_database(const PatternSet *set)
{
    return set->database;
}
