/*
 * event_id: the name of an event: 26 characters, time and chance.
 *
 * The same in the log line, in `joins` and in the store. Ids sort by time. Threads: any.
 */
#pragma once

#include <glib.h>

#define EVENT_ID_SIZE 27

/* Thirteen characters for `now_us` since the epoch, thirteen for 64 unpredictable bits, in the
 * letters of Crockford's base32. Returns `buffer`. */
const char *event_id(gint64 now_us, guint64 random, char buffer[EVENT_ID_SIZE]);
