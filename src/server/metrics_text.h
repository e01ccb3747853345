/*
 * metrics_text: all that the daemon counts, in Prometheus's text format (doc/metrics.md).
 *
 * Threads: any, while what the view names is there.
 */
#pragma once

#include "server/daemon_view.h"

/* Appends the text. */
void metrics_text(const DaemonView *view, GString *out);
