/*
 * replyctl check: everything that is wrong with a policy file, and what a good one does.
 */
#include "replyctl/check_filters.h"
#include "replyctl/check_report.h"
#include "replyctl/command.h"
#include "replyctl/policy_file.h"

static int
check(const char *path, gboolean quiet, gboolean connect)
{
    g_autoptr(Policy) policy = policy_file_load_path(path, NULL, TRUE);
    if (policy == NULL)
        return COMMAND_FAILED;
    check_report_warn(policy);
    policy_file_look_around(policy);
    if (!quiet)
        check_report_print(policy);
    return connect && !check_filters_connect(policy, quiet) ? COMMAND_FAILED : COMMAND_DONE;
}

int
cmd_check(int argc, char **argv)
{
    gboolean quiet = FALSE, connect = FALSE;
    g_autofree char *named = NULL;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &named, "the same as FILE", "FILE"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, "faults only", NULL},
        {"connect", 0, 0, G_OPTION_ARG_NONE, &connect, "ask the filters whether they are there",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(
            entries,
            "FILE is, unless you name another,\n  " POLICY_DEFAULT_FILE "\n"
            "Exit status: 0 if the daemon would take it, 1 if not; the faults stand on\n"
            "standard error as FILE:LINE: REASON. Of a good policy it is said what each\n"
            "check and rule does where, and what the MTA is made to send. With --connect\n"
            "each filter is connected to, and asked what it wants; 1 if one does not answer.",
            &argc, &argv))
        return COMMAND_USAGE;
    const char *path = policy_file_choose(argc, argv, named);
    return path != NULL ? check(path, quiet, connect) : COMMAND_USAGE;
}
