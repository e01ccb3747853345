/*
 * session_memory: the memory that all sessions keep of their mail together (limits.memory).
 *
 * A count, no allocator: who keeps octets takes them first and gives them back. Threads: any.
 */
#pragma once

#include <glib.h>

/* FALSE, and nothing is taken: then more than `limit` would be in use. */
gboolean session_memory_take(gsize octets, guint64 limit);
void session_memory_give(gsize octets);

/* Taken and not given back. */
gsize session_memory_in_use(void);

/* How often nothing was taken. */
guint64 session_memory_refusals(void);
