/*
 * session_memory: the memory that all sessions keep of their mail together.
 */
#include "base/session_memory.h"

#include <stdatomic.h>

static atomic_size_t in_use;
static atomic_ullong refusals;

gboolean
session_memory_take(gsize octets, guint64 limit)
{
    gsize before = atomic_fetch_add(&in_use, octets);
    if (before + octets <= limit)
        return TRUE;
    atomic_fetch_sub(&in_use, octets);
    atomic_fetch_add(&refusals, 1);
    return FALSE;
}

void
session_memory_give(gsize octets)
{
    atomic_fetch_sub(&in_use, octets);
}

guint64
session_memory_refusals(void)
{
    return atomic_load(&refusals);
}

gsize
session_memory_in_use(void)
{
    return atomic_load(&in_use);
}
