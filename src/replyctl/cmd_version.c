/*
 * replyctl version.
 */
#include "build_config.h"

#include <stdio.h>

#include "replyctl/command.h"

int
cmd_version(int argc, char **argv)
{
    const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    if (!command_parse(entries, NULL, &argc, &argv))
        return COMMAND_USAGE;
    if (command_has_stray(argc, argv, 0, NULL))
        return COMMAND_USAGE;
    printf("replyctl %s\n", PACKAGE_VERSION);
    return COMMAND_DONE;
}
