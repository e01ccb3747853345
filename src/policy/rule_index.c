/*
 * rule_index: which of many rules are worth trying on a reply.
 */
#include "policy/rule_index.h"

#include <string.h>

#include "policy/gram_index.h"
#include "policy/pattern.h"

/* What tells rules apart best comes first. Addresses, sizes and the like are only tried. */
static const Fact telling[] = {
    FACT_RECIPIENT, FACT_SENDER, FACT_HELO,   FACT_CLIENT_NAME, FACT_AUTH_USER, FACT_HEADER,
    FACT_TEXT,      FACT_FILTER, FACT_DAEMON, FACT_STATUS,      FACT_CATEGORY,  FACT_CODE,
    FACT_PROVIDER,  FACT_STAGE,  FACT_TLS,    FACT_DIRECTION,
};

typedef struct {
    GHashTable *exact; /* char *, lower case -> GArray of guint */
    GramIndex *grams;
} FactIndex;

struct RuleIndex {
    guint count;
    gsize words;     /* of a set of rules, a bit for each */
    guint64 *always; /* the set of those that nothing is said of */
    FactIndex facts[FACT_COUNT];
};

static void
set_bit(guint64 *bits, guint id)
{
    bits[id / 64] |= G_GUINT64_CONSTANT(1) << id % 64;
}

/* ---- building -------------------------------------------------------------------------------- */

static void
add_exact(FactIndex *fact, guint id, const char *value)
{
    g_autofree char *key = g_ascii_strdown(value, -1);
    GArray *ids = g_hash_table_lookup(fact->exact, key);
    if (ids == NULL) {
        ids = g_array_new(FALSE, FALSE, sizeof(guint));
        g_hash_table_insert(fact->exact, g_steal_pointer(&key), ids);
    }
    g_array_append_val(ids, id);
}

static gboolean
has_long_piece(char **pieces)
{
    for (; *pieces != NULL; pieces++)
        if (strlen(*pieces) >= GRAM_OCTETS)
            return TRUE;
    return FALSE;
}

static gboolean
can_look_up(const Pattern *pattern)
{
    const char *exact;
    g_auto(GStrv) pieces = NULL;
    return pattern_needs(pattern, &exact, &pieces) && (exact != NULL || has_long_piece(pieces));
}

static void
add_pattern(FactIndex *fact, guint id, const Pattern *pattern)
{
    const char *exact;
    g_auto(GStrv) pieces = NULL;
    pattern_needs(pattern, &exact, &pieces);
    if (exact != NULL)
        add_exact(fact, id, exact);
    else
        gram_index_add(fact->grams, id, (const char *const *)pieces);
}

/* TRUE: the condition tells when the rule is worth trying. */
static gboolean
add_condition(RuleIndex *index, guint id, const Condition *condition)
{
    const Pattern *pattern;
    for (guint i = 0; (pattern = matcher_plain(condition->matcher, i)) != NULL; i++)
        if (!can_look_up(pattern))
            return FALSE;
    for (guint i = 0; (pattern = matcher_plain(condition->matcher, i)) != NULL; i++)
        add_pattern(&index->facts[condition->fact], id, pattern);
    return matcher_plain(condition->matcher, 0) != NULL;
}

static gboolean
add_rule(RuleIndex *index, guint id, const GArray *conditions)
{
    for (guint i = 0; i < G_N_ELEMENTS(telling); i++)
        for (guint at = 0; at < conditions->len; at++) {
            const Condition *condition = &g_array_index(conditions, Condition, at);
            if (condition->fact == telling[i] && add_condition(index, id, condition))
                return TRUE;
        }
    return FALSE;
}

RuleIndex *
rule_index_new(const GPtrArray *rules)
{
    RuleIndex *index = g_new0(RuleIndex, 1);
    index->count = rules->len;
    index->words = (rules->len + 63) / 64;
    index->always = g_new0(guint64, index->words);
    for (guint i = 0; i < FACT_COUNT; i++) {
        index->facts[i].grams = gram_index_new();
        index->facts[i].exact =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    }
    for (guint i = 0; i < rules->len; i++) {
        const PolicyRule *rule = g_ptr_array_index(rules, i);
        if (!add_rule(index, i, rule->conditions))
            set_bit(index->always, i);
    }
    for (guint i = 0; i < FACT_COUNT; i++)
        gram_index_finish(index->facts[i].grams);
    return index;
}

void
rule_index_free(RuleIndex *index)
{
    if (index == NULL)
        return;
    for (guint i = 0; i < FACT_COUNT; i++) {
        gram_index_free(index->facts[i].grams);
        g_hash_table_unref(index->facts[i].exact);
    }
    g_free(index->always);
    g_free(index);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void
find_exact(const FactIndex *fact, const char *value, guint64 *bits)
{
    g_autofree char *key = g_ascii_strdown(value, -1);
    const GArray *ids = g_hash_table_lookup(fact->exact, key);
    for (guint i = 0; ids != NULL && i < ids->len; i++)
        set_bit(bits, g_array_index(ids, guint, i));
}

static void
find_by_fact(const FactIndex *fact, const char *const *values, guint64 *bits)
{
    for (; *values != NULL; values++) {
        if (g_hash_table_size(fact->exact) > 0)
            find_exact(fact, *values, bits);
        if (!gram_index_is_empty(fact->grams))
            gram_index_find(fact->grams, *values, bits);
    }
}

/* The ids in a set, in order. */
static GArray *
listed(const guint64 *bits, gsize words)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint));
    for (gsize word = 0; word < words; word++)
        for (guint64 left = bits[word]; left != 0; left &= left - 1) {
            guint id = (guint)word * 64 + (guint)__builtin_ctzll(left);
            g_array_append_val(ids, id);
        }
    return ids;
}

GArray *
rule_index_find(const RuleIndex *index, PolicyFactValues values, gpointer data)
{
    g_autofree guint64 *bits = g_memdup2(index->always, index->words * sizeof(guint64));
    for (guint i = 0; i < FACT_COUNT; i++) {
        const FactIndex *fact = &index->facts[i];
        if (g_hash_table_size(fact->exact) == 0 && gram_index_is_empty(fact->grams))
            continue;
        const char *const *known = values(data, (Fact)i);
        if (known != NULL)
            find_by_fact(fact, known, bits);
    }
    return listed(bits, index->words);
}
