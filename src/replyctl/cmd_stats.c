/*
 * replyctl stats: what the running daemon has counted.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/control_client.h"
#include "replyctl/metric_samples.h"
#include "replyctl/stats_screen.h"

/* Of each list this much is shown. */
enum { USUAL_ROWS = 10 };

static const char description[] =
    "Everything is counted since the daemon was started. `replyctl status` shows how\n"
    "it is now; metrics.listen of the policy is where Prometheus may fetch the same.";

static int
show(const char *text, guint most)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) samples = metric_samples_read(text, &error);
    if (samples == NULL) {
        command_complain("stats: the daemon has answered what is no metrics: %s", error->message);
        return COMMAND_FAILED;
    }
    stats_screen_show(samples, most);
    return COMMAND_DONE;
}

int
cmd_stats(int argc, char **argv)
{
    gboolean plain = FALSE, all = FALSE;
    g_auto(ControlOptions) options = {0};
    const GOptionEntry entries[] = {
        CONTROL_CLIENT_ENTRIES(options),
        {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "whole lists, and not the first of them", NULL},
        {"prometheus", 'p', 0, G_OPTION_ARG_NONE, &plain, "in Prometheus's text format", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (command_has_stray(argc, argv, 0, NULL))
        return COMMAND_USAGE;
    g_autofree char *text = control_client_ask("stats", &options, "metrics", "");
    if (text == NULL)
        return COMMAND_FAILED;
    if (!plain)
        return show(text, all ? 0 : USUAL_ROWS);
    fputs(text, stdout);
    return COMMAND_DONE;
}
