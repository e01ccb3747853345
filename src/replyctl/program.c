/*
 * program: another program, run to its end.
 */
#include "replyctl/program.h"

#include <sys/wait.h>

#include "base/error.h"

gboolean
program_run(const char *const *words, int most, char **output, GError **error)
{
    g_autofree char *complaint = NULL;
    int status;
    if (!g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, output,
                      &complaint, &status, error))
        return FALSE;
    if (WIFEXITED(status) && WEXITSTATUS(status) <= most)
        return TRUE;
    return error_fail(error, REPLYMILTER_ERROR_IO, "%s failed: %s", words[0],
                      g_strstrip(complaint));
}
