/*
 * filter_state: what is known of a filter across connections.
 */
#include "filters/filter_state.h"

#include <pthread.h>

#include "wire/milter_negotiation.h"

struct FilterStates {
    pthread_mutex_t lock;
    GHashTable *by_socket; /* char * -> FilterState * */
};

struct FilterState {
    FilterPlaces *places;
    pthread_mutex_t lock;          /* of all that follows */
    FilterCounters counters;       /* but for the times, which are here: */
    Histogram times[FILTER_PARTS]; /* needs no lock */
    guint in_a_row;                /* failed connects and timeouts */
    gboolean unreached;            /* the last connect has failed */
    gint64 waited_us;              /* when one last waited in full while the breaker was open */
    gboolean known;                /* these were negotiated: */
    guint32 actions, steps;
    char *macros[MILTER_STAGES];
};

const char *
filter_trouble_name(FilterTrouble trouble)
{
    static const char *const names[FILTER_TROUBLES] = {"connect", "timeout", "closed", "protocol",
                                                       "limit"};
    return names[trouble];
}

const char *
filter_part_name(FilterPart part)
{
    static const char *const names[FILTER_PARTS] = {"envelope", "message"};
    return names[part];
}

static void
macros_clear(char **macros)
{
    for (guint i = 0; i < MILTER_STAGES; i++)
        g_clear_pointer(&macros[i], g_free);
}

static void
state_free(FilterState *state)
{
    macros_clear(state->macros);
    filter_places_unref(state->places);
    pthread_mutex_destroy(&state->lock);
    g_free(state);
}

FilterStates *
filter_states_new(void)
{
    FilterStates *states = g_new0(FilterStates, 1);
    pthread_mutex_init(&states->lock, NULL);
    states->by_socket =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)state_free);
    return states;
}

void
filter_states_free(FilterStates *states)
{
    if (states == NULL)
        return;
    g_hash_table_unref(states->by_socket);
    pthread_mutex_destroy(&states->lock);
    g_free(states);
}

FilterState *
filter_states_get(FilterStates *states, const char *socket)
{
    pthread_mutex_lock(&states->lock);
    FilterState *state = g_hash_table_lookup(states->by_socket, socket);
    if (state == NULL) {
        state = g_new0(FilterState, 1);
        state->places = filter_places_new(socket);
        pthread_mutex_init(&state->lock, NULL);
        g_hash_table_insert(states->by_socket, g_strdup(socket), state);
    }
    pthread_mutex_unlock(&states->lock);
    return state;
}

FilterPlaces *
filter_state_places(const FilterState *state)
{
    return state->places;
}

static gboolean
is_open(const FilterState *state)
{
    return state->in_a_row >= FILTER_STATE_BREAKER_FAILURES;
}

FilterCounters
filter_states_counters(FilterStates *states, const char *socket)
{
    pthread_mutex_lock(&states->lock);
    FilterState *state = g_hash_table_lookup(states->by_socket, socket);
    pthread_mutex_unlock(&states->lock);
    if (state == NULL)
        return (FilterCounters){0};
    pthread_mutex_lock(&state->lock);
    FilterCounters counters = state->counters;
    counters.in_a_row = state->in_a_row;
    counters.open = is_open(state);
    pthread_mutex_unlock(&state->lock);
    for (guint part = 0; part < FILTER_PARTS; part++)
        counters.times[part] = histogram_read(&state->times[part]);
    return counters;
}

gint64
filter_state_wait(FilterState *state, gint64 full_us, gint64 now_us)
{
    gint64 wait_us = full_us;
    pthread_mutex_lock(&state->lock);
    if (is_open(state) && now_us - state->waited_us < FILTER_STATE_PROBE_US)
        wait_us = MIN(full_us, FILTER_STATE_OPEN_WAIT_US);
    else
        state->waited_us = now_us;
    pthread_mutex_unlock(&state->lock);
    return wait_us;
}

gboolean
filter_state_negotiated(FilterState *state, guint32 actions, guint32 steps,
                        const char *const *macros)
{
    pthread_mutex_lock(&state->lock);
    gboolean again = state->unreached || is_open(state);
    state->counters.connections++;
    state->in_a_row = 0;
    state->unreached = FALSE;
    state->known = TRUE;
    state->actions = actions;
    state->steps = steps;
    for (guint i = 0; i < MILTER_STAGES; i++) {
        g_free(state->macros[i]);
        state->macros[i] = g_strdup(macros[i]);
    }
    pthread_mutex_unlock(&state->lock);
    return again;
}

gboolean
filter_state_needs(FilterState *state, guint32 *actions, guint32 *steps, char **macros)
{
    pthread_mutex_lock(&state->lock);
    gboolean known = state->known;
    *actions = state->actions;
    *steps = state->steps;
    for (guint i = 0; i < MILTER_STAGES; i++)
        macros[i] = g_strdup(state->macros[i]);
    pthread_mutex_unlock(&state->lock);
    return known;
}

void
filter_state_answered(FilterState *state, FilterPart part, FilterVerdict verdict, gint64 spent_us)
{
    histogram_note(&state->times[part], spent_us);
    pthread_mutex_lock(&state->lock);
    state->counters.answers++;
    state->counters.refusals += filter_verdict_refuses(verdict) ? 1 : 0;
    state->counters.verdicts[verdict]++;
    state->counters.spent_us += (guint64)spent_us;
    pthread_mutex_unlock(&state->lock);
}

void
filter_state_gave_up(FilterState *state)
{
    pthread_mutex_lock(&state->lock);
    state->counters.troubles[FILTER_TROUBLE_LIMIT]++;
    pthread_mutex_unlock(&state->lock);
}

void
filter_state_failed(FilterState *state, FilterTrouble trouble, gint64 spent_us, gint64 now_us)
{
    pthread_mutex_lock(&state->lock);
    state->counters.troubles[trouble]++;
    state->counters.spent_us += (guint64)spent_us;
    if (trouble == FILTER_TROUBLE_CONNECT || trouble == FILTER_TROUBLE_TIMEOUT) {
        state->in_a_row++;
        state->unreached |= trouble == FILTER_TROUBLE_CONNECT;
        if (state->in_a_row == FILTER_STATE_BREAKER_FAILURES)
            state->waited_us = now_us;
    }
    pthread_mutex_unlock(&state->lock);
}
