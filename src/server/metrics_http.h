/*
 * metrics_http: the metrics over HTTP, for Prometheus to fetch (metrics.listen).
 *
 * GET and HEAD of /metrics, and nothing else; a few clients at once, each for a limited time. One
 * thread, with all signals blocked: what clients do there holds up nobody but other clients.
 */
#pragma once

#include "server/metrics_text.h"

typedef struct MetricsHttp MetricsHttp;

/* How many clients at once; more of them wait. */
#define METRICS_HTTP_CONNECTIONS 16

/* How long a client may say nothing, or read nothing. */
#define METRICS_HTTP_TIMEOUT_S 10

/* Serves a listening stream socket, which stays the caller's. The view must live until
 * metrics_http_stop(). NULL and an error if the system refuses. */
MetricsHttp *metrics_http_start(int listening, const DaemonView *view, GError **error);

/* Ends all connections, and frees. NULL is let be. */
void metrics_http_stop(MetricsHttp *http);
