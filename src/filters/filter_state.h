/*
 * filter_state: what is known of a filter across connections.
 *
 * Where it is, how it last negotiated, counters, and a circuit breaker. The breaker opens after
 * several failed connects or timeouts in a row, never on a death in the middle of a message, and
 * changes only how long the next connections wait for the filter, never what becomes of their mail:
 * each still tries, and once in a while one waits in full. The registry is shared by all
 * connections and outlives reloads; a filter is known by its socket. Threads: any (a pthread mutex
 * inside).
 */
#pragma once

#include <glib.h>

#include "base/histogram.h"
#include "filters/filter_places.h"
#include "filters/filter_verdict.h"

typedef struct FilterStates FilterStates;
typedef struct FilterState FilterState;

/* In a row, until the breaker opens. */
#define FILTER_STATE_BREAKER_FAILURES 3
/* How long a connection waits for a filter whose breaker is open, in all. */
#define FILTER_STATE_OPEN_WAIT_US (250 * G_TIME_SPAN_MILLISECOND)
/* How often one waits in full nevertheless. */
#define FILTER_STATE_PROBE_US (10 * G_TIME_SPAN_SECOND)

FilterStates *filter_states_new(void);
/* When no chain uses them any more. */
void filter_states_free(FilterStates *states);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FilterStates, filter_states_free)

/* Belongs to `states`; made at the first call. */
FilterState *filter_states_get(FilterStates *states, const char *socket);

typedef enum {
    FILTER_TROUBLE_CONNECT,  /* nobody answers at its socket */
    FILTER_TROUBLE_TIMEOUT,  /* it has not answered in time */
    FILTER_TROUBLE_CLOSED,   /* it closed the connection, or the connection broke */
    FILTER_TROUBLE_PROTOCOL, /* it said what it may not say */
    FILTER_TROUBLE_LIMIT,    /* there is no room for what it wants */
} FilterTrouble;

enum { FILTER_TROUBLES = 5 };

/* "connect", "timeout", "closed", "protocol", "limit". */
const char *filter_trouble_name(FilterTrouble trouble);

/* Of what an answer speaks: what is looked at takes longer than an address does. */
typedef enum {
    FILTER_PART_ENVELOPE,
    FILTER_PART_MESSAGE,
} FilterPart;

enum { FILTER_PARTS = 2 };

/* "envelope", "message". */
const char *filter_part_name(FilterPart part);

typedef struct {
    guint64 connections; /* that were negotiated */
    guint64 answers;
    guint64 refusals; /* of those: REPLYCODE, REJECT, TEMPFAIL, SHUTDOWN, CONN_FAIL */
    guint64 verdicts[FILTER_VERDICTS];   /* all answers, each under what it says */
    HistogramCounts times[FILTER_PARTS]; /* of the answers */
    guint64 troubles[FILTER_TROUBLES];
    guint64 spent_us; /* waiting for it, in vain too */
    guint in_a_row;   /* failed connects and timeouts since it last negotiated */
    gboolean open;    /* the breaker */
} FilterCounters;

/* Where it is: belongs to the state. */
FilterPlaces *filter_state_places(const FilterState *state);

/* A copy; all 0 if the socket is not known yet. */
FilterCounters filter_states_counters(FilterStates *states, const char *socket);

/* How long to wait for it to connect and negotiate, if `full_us` is what is configured. `now_us`:
 * clock_monotonic_us(). */
gint64 filter_state_wait(FilterState *state, gint64 full_us, gint64 now_us);

/* It has negotiated: the breaker shuts. TRUE: it had not been reached before, or the breaker was
 * open. `macros`: its lists by MilterStage, copied, each may be
 * NULL. */
gboolean filter_state_negotiated(FilterState *state, guint32 actions, guint32 steps,
                                 const char *const *macros);

/* What it last asked for: FALSE if that is not known. `macros`: as many copies as there are stages,
 * each to be freed. */
gboolean filter_state_needs(FilterState *state, guint32 *actions, guint32 *steps, char **macros);

void filter_state_answered(FilterState *state, FilterPart part, FilterVerdict verdict,
                           gint64 spent_us);
void filter_state_failed(FilterState *state, FilterTrouble trouble, gint64 spent_us, gint64 now_us);

/* A message could not be shown to it, which is not its fault: FILTER_TROUBLE_LIMIT. */
void filter_state_gave_up(FilterState *state);
