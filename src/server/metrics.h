/*
 * metrics: what the daemon counts for Prometheus (doc/metrics.md).
 *
 * Only what nobody else counts: filters, site rules, sessions and the event log have their own
 * counters, and metrics_text.h reads them all. To count is some atomic additions: no lock, no
 * allocation. Labels come from our own tables, so that nobody outside can make more series: what a
 * table does not have is "other". NULL stands for a daemon that does not count, and is fine
 * everywhere. Threads: any, but for metrics_free().
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"
#include "engine/facts.h"

typedef struct Metrics Metrics;

Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Metrics, metrics_free)

/* A decision that is worth an event, whether or not the log had room for it. `joined`: it is about
 * a refusal that another door has told of. */
void metrics_decision(Metrics *metrics, const Facts *facts, const Decision *decision,
                      gboolean joined);

/* The tables, by the names that they are asked by. */
typedef enum {
    METRICS_TABLE_REJECT,
    METRICS_TABLE_FOOTER,
    METRICS_TABLE_DELIVERY,
    METRICS_TABLE_RBL,
    METRICS_TABLE_SENDMAIL,
    METRICS_TABLE_OTHER, /* there is none of that name, or the request was none */
    METRICS_TABLES
} MetricsTable;

typedef enum {
    METRICS_LOOKUP_FOUND,
    METRICS_LOOKUP_NOT_FOUND,
    METRICS_LOOKUP_REFUSED,
    METRICS_LOOKUPS
} MetricsLookup;

/* A request of a table was answered. */
void metrics_lookup(Metrics *metrics, MetricsTable table, MetricsLookup answer, gint64 spent_us);

/* A policy has been loaded, in so much time, and is in force. */
void metrics_policy_loaded(Metrics *metrics, gint64 spent_us);

/* All of it in Prometheus's text format. */
void metrics_write(const Metrics *metrics, GString *out);
