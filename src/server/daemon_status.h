/*
 * daemon_status: how the daemon is, as one JSON object (replymilter(8), CONTROL).
 *
 * Version, age, the policy and its last reload, the doors with who is connected, the event log, the
 * filters, what is logged. Bounded in size by the number of filters. Threads: any.
 */
#pragma once

#include "server/daemon_view.h"

/* One line without its newline; the caller frees it. `now_us`: clock_now_us(). */
char *daemon_status_json(const DaemonView *view, gint64 now_us);
