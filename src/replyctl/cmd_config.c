/*
 * replyctl config: the effective settings, as a file that gives the same policy.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/policy_file.h"

int
cmd_config(int argc, char **argv)
{
    const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    if (!command_parse(entries, "FILE is, unless you name another,\n  " POLICY_DEFAULT_FILE, &argc,
                       &argv))
        return COMMAND_USAGE;
    if (!policy_file_is_one(argc, argv))
        return COMMAND_USAGE;
    g_autoptr(Policy) policy = policy_file_load(argc, argv, FALSE);
    if (policy == NULL)
        return COMMAND_FAILED;
    g_autofree char *settings = policy_print(policy);
    fputs(settings, stdout);
    return COMMAND_DONE;
}
