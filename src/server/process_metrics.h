/*
 * process_metrics: what Prometheus's own libraries tell of any process, under the same names.
 *
 * Threads: any.
 */
#pragma once

#include <glib.h>

/* What the system does not tell is left out. */
void process_metrics_write(GString *out);
