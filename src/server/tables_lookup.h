/*
 * tables_lookup: one request of a socketmap client -> its answer, and the event of it.
 *
 * No sockets. Any doubt is NOTFOUND, which leaves a reply as it is; what an administrator has to
 * know (a table that does not exist) is PERM, which Postfix logs. Never waits. Threads: any, each
 * with its own TablesService.
 */
#pragma once

#include "server/chance.h"
#include "server/door_context.h"
#include "wire/socketmap.h"

/* What a thread serves its clients with, and what came of it. */
typedef struct {
    const DoorContext *context;
    Chance chance;
    guint64 lookups; /* requests answered */
    guint64 found;   /* of these, with OK */
} TablesService;

/*
 * Answers a netstring's payload, "footer 550 5.1.1 ...", out of the policy in force, and appends
 * the answer to `out` as a netstring. Returns its status.
 */
SocketmapStatus tables_lookup(TablesService *service, const char *payload, gsize length,
                              GString *out);
