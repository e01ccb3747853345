/*
 * replyctl trace: what the running daemon traces in its log.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/control_client.h"

static const char description[] =
    "AREA is milter, tables, engine, policy or record; or it is all, or none. Without\n"
    "one, says what is traced. It holds until it is switched again (SIGUSR1 switches\n"
    "all of it on or off) or the daemon is restarted. Traces go where the daemon\n"
    "logs, whatever its log level, with what clients and mails have said in them.";

int
cmd_trace(int argc, char **argv)
{
    g_auto(ControlOptions) options = {0};
    const GOptionEntry entries[] = {CONTROL_CLIENT_ENTRIES(options), G_OPTION_ENTRY_NULL};
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    g_autofree char *wanted = g_strjoinv(",", argv + 1);
    g_autofree char *areas = control_client_ask("trace", &options, "trace", wanted);
    if (areas == NULL)
        return COMMAND_FAILED;
    puts(areas);
    return COMMAND_DONE;
}
