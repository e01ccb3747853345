/*
 * replyctl version.
 */
#include "build_config.h"

#include <stdio.h>

#include "replyctl/command.h"

int
cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("replyctl %s\n", PACKAGE_VERSION);
    return COMMAND_DONE;
}
