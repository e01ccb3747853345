/*
 * surroundings: is there on this host what a good policy takes for granted?
 */
#include "policy/surroundings.h"

#include "policy/socket_name.h"

static void
check_folder_of(const Policy *policy, const char *setting, const char *path, GPtrArray *warnings)
{
    if (path == NULL || path[0] != '/')
        return;
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return;
    PolicyProblem *problem = g_new0(PolicyProblem, 1);
    problem->file = g_strdup(policy_path(policy));
    problem->message = g_strdup_printf("%s: there is no folder %s: unless the service manager "
                                       "makes it, the daemon cannot start",
                                       setting, folder);
    g_ptr_array_add(warnings, problem);
}

void
surroundings_check(const Policy *policy, GPtrArray *warnings)
{
    const PolicySettings *settings = policy_settings(policy);
    check_folder_of(policy, "milter.socket", socket_name_path(settings->milter.socket), warnings);
    check_folder_of(policy, "milter.link", settings->milter.link, warnings);
    check_folder_of(policy, "tables.socket", socket_name_path(settings->tables.socket), warnings);
    check_folder_of(policy, "tables.link", settings->tables.link, warnings);
    check_folder_of(policy, "log.events", settings->log.events, warnings);
}
