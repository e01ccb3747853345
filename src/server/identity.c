/*
 * identity: who the process is.
 */
#include "server/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

gboolean
identity_become(const char *user, GError **error)
{
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG, "there is no user \"%s\"",
                    user);
        return FALSE;
    }
    if (entry->pw_uid == geteuid())
        return TRUE;
    if (initgroups(user, entry->pw_gid) < 0 || setgid(entry->pw_gid) < 0 ||
        setuid(entry->pw_uid) < 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "cannot become user \"%s\": %s",
                    user, g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

gboolean
identity_write_pid_file(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    g_autofree char *number = g_strdup_printf("%ld\n", (long)getpid());
    gboolean written = fd >= 0 && write(fd, number, strlen(number)) == (ssize_t)strlen(number);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!written)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "%s: cannot write the process number: %s", path, g_strerror(why));
    return written;
}
