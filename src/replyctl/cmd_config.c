/*
 * replyctl config: the effective settings, as a file that gives the same policy.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/policy_file.h"

int
cmd_config(int argc, char **argv)
{
    g_autofree char *named = NULL;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &named, "the same as FILE", "FILE"},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, "FILE is, unless you name another,\n  " POLICY_DEFAULT_FILE, &argc,
                       &argv))
        return COMMAND_USAGE;
    const char *path = policy_file_choose(argc, argv, named);
    if (path == NULL)
        return COMMAND_USAGE;
    g_autoptr(Policy) policy = policy_file_load_path(path, NULL, FALSE);
    if (policy == NULL)
        return COMMAND_FAILED;
    g_autofree char *settings = policy_print(policy);
    fputs(settings, stdout);
    return COMMAND_DONE;
}
