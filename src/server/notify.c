/*
 * notify: what systemd is told.
 */
#include "server/notify.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/clock.h"

/* A sign of life is given so many times in the time that systemd waits for one. */
enum { SIGNS_OF_LIFE = 4 };

static gint64 last_sign_us;

void
notify_ready(const char *policy_file)
{
    sd_notifyf(0, "READY=1\nSTATUS=Serving the policy of %s", policy_file);
}

void
notify_alive(void)
{
    uint64_t patience_us;
    gint64 now = clock_monotonic_us();
    if (sd_watchdog_enabled(0, &patience_us) <= 0)
        return;
    if (last_sign_us != 0 && (uint64_t)(now - last_sign_us) < patience_us / SIGNS_OF_LIFE)
        return;
    last_sign_us = now;
    sd_notify(0, "WATCHDOG=1");
}

/* Loading a policy takes its time: systemd's patience begins anew. */
void
notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT "\nWATCHDOG=1",
               clock_monotonic_us());
}

void
notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=Letting the messages under way end");
}

gboolean
notify_journal_reads_stderr(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat status;
    return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == (dev_t)device &&
           status.st_ino == (ino_t)inode;
}
