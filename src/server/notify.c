/*
 * notify: what systemd is told.
 */
#include "server/notify.h"

#include <systemd/sd-daemon.h>

#include "base/clock.h"

void
notify_ready(const char *policy_file)
{
    sd_notifyf(0, "READY=1\nSTATUS=Serving the policy of %s", policy_file);
}

void
notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, clock_monotonic_us());
}

void
notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=Letting the messages under way end");
}
