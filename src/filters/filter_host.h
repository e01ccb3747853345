/*
 * filter_host: whom the filters of one connection ask and tell.
 */
#pragma once

#include <glib.h>

#include "filters/filter_verdict.h"
#include "policy/policy.h"
#include "wire/milter_packet.h"

/* One filter's part in an event, for events, logs and counters. */
typedef struct {
    const PolicyFilter *filter;
    MilterCommandCode stage;  /* OPTNEG: when it was connected to */
    FilterVerdict verdict;    /* ACCEPT: of this filter; FAILED whatever its on_failure */
    const char *failure;      /* FAILED: what happened; else NULL */
    FilterFailure on_failure; /* FAILED: what becomes of the mail */
    guint changes;            /* at the end of a message: how many it has asked for */
    gint64 spent_us;
    gboolean again; /* OPTNEG: it answers, and the last time it did not */
} FilterNews;

/* Whom the chain asks and tells, always from within a call to it. */
typedef struct {
    /* A macro of the MTA as it is now, or NULL; `name` as in "i" or "{auth_type}". Used before the
     * next call. */
    const char *(*macro)(gpointer data, const char *name);
    /* The filters are still at work on the end of a message; at most once a second. May be NULL. */
    void (*progress)(gpointer data);
    /* Each answer and each failure, as it happens; not what needed no answer, and not what is
     * repeated. May be NULL. */
    void (*heard)(gpointer data, const FilterNews *news);
    gpointer data;
    guint64 memory_limit; /* limits.memory, for new bodies */
    /* The chain's own: begin with 0. */
    gint64 progressed_us;     /* when that was last said, or the message's end began */
    const char *asked_macros; /* the names that any of the filters has asked for */
} FilterHost;

/* Says that work goes on, if that is news after a second. */
void filter_host_progress(FilterHost *host);
