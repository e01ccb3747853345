/*
 * session_memory: the memory that all sessions keep of their mail together.
 */
#include "base/session_memory.h"

#include <stdatomic.h>

static atomic_size_t in_use;

gboolean
session_memory_take(gsize octets, guint64 limit)
{
    gsize before = atomic_fetch_add(&in_use, octets);
    if (before + octets <= limit)
        return TRUE;
    atomic_fetch_sub(&in_use, octets);
    return FALSE;
}

void
session_memory_give(gsize octets)
{
    atomic_fetch_sub(&in_use, octets);
}

gsize
session_memory_in_use(void)
{
    return atomic_load(&in_use);
}
