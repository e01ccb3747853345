/*
 * replyctl loglevel: how much the running daemon logs about itself.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/control_client.h"

static const char description[] =
    "LEVEL is error, warning, notice or info: what is of less weight is not logged.\n"
    "Without one, says which it is. A daemon starts with info; the level holds until\n"
    "it is switched again or the daemon is restarted. Events are not the log's: they\n"
    "go where log.events says.";

int
cmd_loglevel(int argc, char **argv)
{
    g_auto(ControlOptions) options = {0};
    const GOptionEntry entries[] = {CONTROL_CLIENT_ENTRIES(options), G_OPTION_ENTRY_NULL};
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (command_has_stray(argc, argv, 1, "one level at a time"))
        return COMMAND_USAGE;
    g_autofree char *level =
        control_client_ask("loglevel", &options, "loglevel", argc > 1 ? argv[1] : "");
    if (level == NULL)
        return COMMAND_FAILED;
    puts(level);
    return COMMAND_DONE;
}
