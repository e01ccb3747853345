/*
 * spool: octets that are kept in memory up to a limit, then in a temporary file.
 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/session_memory.h"

struct Spool {
    gsize in_memory_max;
    guint64 memory_limit;
    GString *octets; /* while it is in memory; then one piece of the file, or NULL */
    gsize taken;     /* of the memory of all sessions */
    int fd;          /* -1: in memory */
    guint64 length;
    void *mapped; /* NULL, or the whole file */
    gsize mapped_length;
};

Spool *
spool_new(gsize in_memory, guint64 memory_limit)
{
    Spool *spool = g_new0(Spool, 1);
    spool->in_memory_max = in_memory;
    spool->memory_limit = memory_limit;
    spool->fd = -1;
    return spool;
}

static void
let_memory_go(Spool *spool)
{
    if (spool->octets != NULL)
        g_string_free(spool->octets, TRUE);
    spool->octets = NULL;
    session_memory_give(spool->taken);
    spool->taken = 0;
}

static void
unmap(Spool *spool)
{
    if (spool->mapped != NULL)
        munmap(spool->mapped, spool->mapped_length);
    spool->mapped = NULL;
}

void
spool_free(Spool *spool)
{
    if (spool == NULL)
        return;
    let_memory_go(spool);
    unmap(spool);
    if (spool->fd >= 0)
        close(spool->fd);
    g_free(spool);
}

guint64
spool_length(const Spool *spool)
{
    return spool->length;
}

gboolean
spool_is_file(const Spool *spool)
{
    return spool->fd >= 0;
}

static int
open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    /* Not every file system has files without a name. */
    g_autofree char *path = g_build_filename(folder, "replymilter-XXXXXX", NULL);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static const char *
temporary_folder(void)
{
    const char *folder = g_getenv("TMPDIR");
    return folder != NULL && folder[0] == '/' ? folder : "/var/tmp";
}

/* All of it at `at`, or FALSE with errno. What was written of it does not count. */
static gboolean
write_all(int fd, const char *octets, gsize count, guint64 at)
{
    while (count > 0) {
        ssize_t written = pwrite(fd, octets, count, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return FALSE;
        octets += written;
        count -= (gsize)written;
        at += (guint64)written;
    }
    return TRUE;
}

/* What is in memory goes to the file. */
static gboolean
move_to_file(Spool *spool, GError **error)
{
    const char *folder = temporary_folder();
    int fd = open_nameless(folder);
    if (fd < 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "%s: no temporary file: %s", folder,
                          g_strerror(errno));
    if (spool->octets != NULL && !write_all(fd, spool->octets->str, spool->octets->len, 0)) {
        error_fail(error, REPLYMILTER_ERROR_IO, "%s: cannot write a temporary file: %s", folder,
                   g_strerror(errno));
        close(fd);
        return FALSE;
    }
    spool->fd = fd;
    let_memory_go(spool);
    return TRUE;
}

/* FALSE: the file's turn has come. */
static gboolean
append_to_memory(Spool *spool, const char *octets, gsize count)
{
    if (count > spool->in_memory_max || spool->length > spool->in_memory_max - count ||
        !session_memory_take(count, spool->memory_limit))
        return FALSE;
    spool->taken += count;
    if (spool->octets == NULL)
        spool->octets = g_string_sized_new(count);
    g_string_append_len(spool->octets, octets, (gssize)count);
    spool->length += count;
    return TRUE;
}

gboolean
spool_append(Spool *spool, const char *octets, gsize count, GError **error)
{
    if (count == 0 || (spool->fd < 0 && append_to_memory(spool, octets, count)))
        return TRUE;
    if (spool->fd < 0 && !move_to_file(spool, error))
        return FALSE;
    unmap(spool);
    if (!write_all(spool->fd, octets, count, spool->length))
        return error_fail(error, REPLYMILTER_ERROR_IO, "%s: cannot write a temporary file: %s",
                          temporary_folder(), g_strerror(errno));
    spool->length += count;
    return TRUE;
}

static gboolean
read_all(int fd, char *octets, gsize count, guint64 from)
{
    while (count > 0) {
        ssize_t got = pread(fd, octets, count, (off_t)from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return FALSE;
        octets += got;
        count -= (gsize)got;
        from += (guint64)got;
    }
    return TRUE;
}

const char *
spool_piece(Spool *spool, guint64 offset, gsize *count, GError **error)
{
    guint64 left = offset < spool->length ? spool->length - offset : 0;
    *count = (gsize)MIN(left, SPOOL_PIECE_MAX);
    if (*count == 0)
        return "";
    if (spool->fd < 0)
        return spool->octets->str + offset;
    if (spool->octets == NULL)
        spool->octets = g_string_sized_new(SPOOL_PIECE_MAX);
    g_string_set_size(spool->octets, *count);
    if (read_all(spool->fd, spool->octets->str, *count, offset))
        return spool->octets->str;
    error_fail(error, REPLYMILTER_ERROR_IO, "cannot read a temporary file: %s", g_strerror(errno));
    return NULL;
}

const char *
spool_octets(Spool *spool, GError **error)
{
    if (spool->length == 0)
        return "";
    if (spool->fd < 0)
        return spool->octets->str;
    if (spool->mapped != NULL)
        return spool->mapped;
    void *mapped = mmap(NULL, (gsize)spool->length, PROT_READ, MAP_SHARED, spool->fd, 0);
    if (mapped == MAP_FAILED) {
        error_fail(error, REPLYMILTER_ERROR_IO, "cannot map a temporary file: %s",
                   g_strerror(errno));
        return NULL;
    }
    spool->mapped = mapped;
    spool->mapped_length = (gsize)spool->length;
    return mapped;
}
