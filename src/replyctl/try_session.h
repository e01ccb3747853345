/*
 * try_session: a session played against the policy's checks, as the milter door plays it.
 */
#pragma once

#include "engine/decision.h"
#include "engine/trace.h"
#include "replyctl/try_filters.h"
#include "replyctl/try_options.h"
#include "replyctl/try_report.h"

/* What is answered at one point of the session, and why. */
typedef struct {
    CheckPoint point;
    const char *recipient; /* at RCPT; NULL: none is known. Belongs to the options */
    gboolean spoken;       /* a check has matched, or a filter has refused */
    const char *filter;    /* which; NULL: a check, or none */
    Decision decision;     /* its answer */
    GPtrArray *trace;      /* of TraceStep: the checks that speak at this point */
    GPtrArray *heard;      /* of TryHeard: what the filters had to say; empty if none was asked */
} TryStep;

typedef enum {
    TRY_ACCEPTED,  /* nothing stands against the message */
    TRY_PARTLY,    /* some recipients were refused */
    TRY_REFUSED,   /* by a check or a filter, at some point, for all recipients */
    TRY_TAKEN,     /* quarantined or discarded */
    TRY_UNDECIDED, /* played to the stage that was asked for, no further */
} TryOutcome;

typedef struct {
    GPtrArray *steps; /* of TryStep */
    TryOutcome outcome;
    TryFilters *filters; /* NULL: they were not asked */
    gboolean unasked;    /* though the policy has some */
    gboolean read;       /* the message is read: a check or a filter may speak about it */
    TryReport *report;   /* what it reports; NULL: it was not read for that */
} TrySession;

/* Plays it; the policy and the options must outlive the session, which the caller clears. */
void try_session_play(const Policy *policy, const TryOptions *options, TrySession *session);
void try_session_clear(TrySession *session);

/* Time and chance for one decision. */
EngineMoment try_session_moment(void);
