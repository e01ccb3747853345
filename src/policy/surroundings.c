/*
 * surroundings: is there on this host what a good policy takes for granted?
 */
#include "policy/surroundings.h"

#include <sys/stat.h>

#include "policy/socket_name.h"

static void
check_folder_of(const Policy *policy, const char *setting, const char *path,
                const char *consequence, GPtrArray *warnings)
{
    if (path == NULL || path[0] != '/')
        return;
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return;
    PolicyProblem *problem = g_new0(PolicyProblem, 1);
    problem->file = g_strdup(policy_path(policy));
    problem->message = g_strdup_printf("%s: there is no folder %s: unless the service manager "
                                       "makes it, %s",
                                       setting, folder, consequence);
    g_ptr_array_add(warnings, problem);
}

/* The socket's path; NULL where somebody holds a socket in the place of the link, as systemd does
 * on a host without Postfix: then this one is not opened. */
static const char *
place_of(const SocketSettings *settings)
{
    struct stat status;
    gboolean held =
        settings->link != NULL && lstat(settings->link, &status) == 0 && S_ISSOCK(status.st_mode);
    return held ? NULL : socket_name_path(settings->socket);
}

void
surroundings_check(const Policy *policy, GPtrArray *warnings)
{
    static const char *const needed = "the daemon cannot start";
    const PolicySettings *settings = policy_settings(policy);
    const struct {
        const char *setting, *path, *consequence;
    } places[] = {
        {"milter.socket", place_of(&settings->milter), needed},
        {"milter.link", settings->milter.link, needed},
        {"tables.socket", place_of(&settings->tables), needed},
        {"tables.link", settings->tables.link, needed},
        {"control.socket", socket_name_path(settings->control.socket), "that door stays shut"},
        {"log.events", settings->log.events, needed},
    };
    for (guint i = 0; i < G_N_ELEMENTS(places); i++)
        check_folder_of(policy, places[i].setting, places[i].path, places[i].consequence, warnings);
}
