/*
 * descriptors: room for the connections that the policy allows.
 */
#include "server/descriptors.h"

#include <errno.h>
#include <sys/resource.h>

#include "base/log.h"

/* Listeners, logs, epolls, pipes, and what the libraries open. */
enum { SPARE_DESCRIPTORS = 64 };

void
descriptors_make_room(guint connections)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)connections + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = MIN(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warning("cannot raise the limit of open files: %s", g_strerror(errno));
    else if (limit.rlim_cur < needed)
        log_warning("%" G_GUINT64_FORMAT " open files are allowed, %" G_GUINT64_FORMAT
                    " may be needed: raise LimitNOFILE= of the unit, or lower limits.sessions",
                    (guint64)limit.rlim_cur, (guint64)needed);
}
