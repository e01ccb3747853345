/*
 * checked_file: reads a small regular file, and refuses what it should not be.
 */
#include "policy/checked_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "policy/octets.h"

static gboolean
mode_is_allowed(mode_t mode, mode_t forbidden, GError **error)
{
    if (mode & forbidden & S_IWOTH)
        return error_fail(error, REPLYMILTER_ERROR_IO, "can be written by everybody: chmod o-w it");
    if (mode & forbidden & S_IROTH)
        return error_fail(error, REPLYMILTER_ERROR_IO, "can be read by everybody: chmod o-r it");
    return TRUE;
}

static gboolean
file_is_allowed(int fd, FileDemands demands, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "cannot be looked at: %s",
                          g_strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_fail(error, REPLYMILTER_ERROR_IO, "is a directory");
    if (!S_ISREG(status.st_mode))
        return error_fail(error, REPLYMILTER_ERROR_IO, "is not a regular file");
    return mode_is_allowed(status.st_mode, demands.forbidden, error);
}

/* Reads to the end, or one octet more than `limit`. FALSE: errno says why. */
static gboolean
read_all(int fd, gsize limit, GByteArray *content)
{
    guint8 chunk[16384];
    while (content->len <= limit) {
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FALSE;
        if (got == 0)
            break;
        g_byte_array_append(content, chunk, (guint)got);
    }
    return TRUE;
}

static gboolean
read_open_file(int fd, FileDemands demands, GByteArray *content, GError **error)
{
    if (!file_is_allowed(fd, demands, error))
        return FALSE;
    if (!read_all(fd, demands.limit, content))
        return error_fail(error, REPLYMILTER_ERROR_IO, "cannot be read: %s", g_strerror(errno));
    if (content->len > demands.limit) {
        g_autofree char *limit = octets_format((gint64)demands.limit);
        return error_fail(error, REPLYMILTER_ERROR_IO, "is larger than %s", limit);
    }
    return TRUE;
}

GBytes *
checked_file_read(const char *path, FileDemands demands, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        error_fail(error, REPLYMILTER_ERROR_IO, "cannot be opened: %s", g_strerror(errno));
        return NULL;
    }
    GByteArray *content = g_byte_array_new();
    gboolean read = read_open_file(fd, demands, content, error);
    close(fd);
    if (!read) {
        g_byte_array_unref(content);
        return NULL;
    }
    return g_byte_array_free_to_bytes(content);
}

char *
checked_file_read_text(const char *path, FileDemands demands, gsize *length, GError **error)
{
    g_autoptr(GBytes) content = checked_file_read(path, demands, error);
    if (content == NULL)
        return NULL;
    const char *octets = g_bytes_get_data(content, length);
    if (*length > 0 && memchr(octets, '\0', *length) != NULL) {
        error_fail(error, REPLYMILTER_ERROR_IO, "holds a NUL octet");
        return NULL;
    }
    return g_strndup(octets != NULL ? octets : "", *length);
}
