/*
 * log_tail: the lines of a log file as it grows, through rotation.
 */
#include "replyctl/log_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { BLOCK = 128 * 1024, HEAD_MOST = 1024 };

/* A file by what it begins with. */
typedef struct {
    char octets[HEAD_MOST];
    gsize length;
} Head;

struct LogTail {
    char *path;
    gboolean from_start; /* for the first file */
    gboolean opened;     /* one has been */
    gboolean complained;
    int fd;           /* -1: none */
    gboolean rotated; /* what is read is not the file at `path`: that one comes after its end */
    struct stat status;
    guint64 offset; /* behind the last line given out */
    Head head;
    GString *held;     /* from `offset` on */
    gboolean skipping; /* the rest of a line that is too long */
};

LogTail *
log_tail_new(const char *path, gboolean from_start)
{
    LogTail *tail = g_new0(LogTail, 1);
    tail->path = g_strdup(path);
    tail->from_start = from_start;
    tail->fd = -1;
    tail->held = g_string_new(NULL);
    return tail;
}

static void
close_file(LogTail *tail)
{
    if (tail->fd >= 0)
        (void)close(tail->fd);
    tail->fd = -1;
}

void
log_tail_free(LogTail *tail)
{
    close_file(tail);
    g_string_free(tail->held, TRUE);
    g_free(tail->path);
    g_free(tail);
}

/* ---- which file it is --------------------------------------------------------------------------
 */

static void
read_head(int fd, gsize most, Head *head)
{
    ssize_t count = pread(fd, head->octets, MIN(most, HEAD_MOST), 0);
    head->length = count > 0 ? (gsize)count : 0;
}

/* Does the file begin as it did? It may have grown. */
static gboolean
has_head(int fd, const Head *head)
{
    Head now;
    read_head(fd, head->length, &now);
    return now.length == head->length && memcmp(now.octets, head->octets, head->length) == 0;
}

static int
open_log(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static void
adopt(LogTail *tail, int fd, guint64 offset, gboolean rotated)
{
    close_file(tail);
    tail->fd = fd;
    tail->offset = offset;
    tail->rotated = rotated;
    tail->opened = TRUE;
    tail->skipping = FALSE;
    g_string_truncate(tail->held, 0);
    if (fstat(fd, &tail->status) != 0)
        memset(&tail->status, 0, sizeof(tail->status));
    (void)lseek(fd, (off_t)offset, SEEK_SET);
    read_head(fd, HEAD_MOST, &tail->head);
}

/* The file in the log's folder that begins so and has more than `offset` octets, under another
 * name: its descriptor, or -1. */
static int
find_rotated(const LogTail *tail, const Head *head, guint64 offset)
{
    g_autofree char *folder = g_path_get_dirname(tail->path);
    g_autofree char *name = g_path_get_basename(tail->path);
    g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
    const char *one;
    while (names != NULL && head->length > 0 && (one = g_dir_read_name(names)) != NULL) {
        struct stat status;
        if (!g_str_has_prefix(one, name) || strcmp(one, name) == 0)
            continue;
        g_autofree char *path = g_build_filename(folder, one, NULL);
        int fd = open_log(path);
        if (fd < 0)
            continue;
        if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
            (guint64)status.st_size >= offset && has_head(fd, head))
            return fd;
        (void)close(fd);
    }
    return -1;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static void
give_line(LogTail *tail, gsize at, gsize length, LogTailFunction function, gpointer data)
{
    if (!tail->skipping && length > 0)
        function(tail->held->str + at, MIN(length, LOG_TAIL_LINE), data);
    tail->skipping = FALSE;
}

/* `last`: what has no newline is a line as well. */
static void
give_lines(LogTail *tail, gboolean last, LogTailFunction function, gpointer data)
{
    const char *newline;
    GString *held = tail->held;
    gsize done = 0;
    while ((newline = memchr(held->str + done, '\n', held->len - done)) != NULL) {
        gsize length = (gsize)(newline - held->str) - done;
        give_line(tail, done, length, function, data);
        done += length + 1;
    }
    g_string_erase(held, 0, (gssize)done);
    tail->offset += done;
    gboolean too_long = held->len > LOG_TAIL_LINE;
    if (held->len == 0 || (!last && !too_long))
        return;
    tail->offset += held->len;
    give_line(tail, 0, held->len, function, data);
    g_string_truncate(held, 0);
    tail->skipping = too_long && !last;
}

/* FALSE: nothing was there, or errno. */
static gboolean
read_block(LogTail *tail, ssize_t *count)
{
    gsize before = tail->held->len;
    g_string_set_size(tail->held, before + BLOCK);
    do
        *count = read(tail->fd, tail->held->str + before, BLOCK);
    while (*count < 0 && errno == EINTR);
    g_string_set_size(tail->held, before + (*count > 0 ? (gsize)*count : 0));
    return *count > 0;
}

/* ---- rotation ----------------------------------------------------------------------------------
 */

static gboolean
complain(LogTail *tail, const char *why, GError **error)
{
    if (!tail->complained)
        error_fail(error, REPLYMILTER_ERROR_IO, "%s: %s", tail->path, why);
    tail->complained = TRUE;
    return FALSE;
}

static gboolean
is_regular(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static gboolean
open_current(LogTail *tail, GError **error)
{
    int fd = open_log(tail->path);
    if (fd < 0) {
        tail->from_start = tail->from_start || errno == ENOENT; /* all of it will be new */
        return complain(tail, g_strerror(errno), error);
    }
    if (!is_regular(fd)) {
        (void)close(fd);
        return complain(tail, "is no regular file", error);
    }
    gboolean first = !tail->opened;
    adopt(tail, fd, 0, FALSE);
    tail->complained = FALSE;
    if (first && !tail->from_start) {
        tail->offset = (guint64)tail->status.st_size;
        (void)lseek(fd, 0, SEEK_END);
    }
    return TRUE;
}

/* Has the file been emptied, whatever is in it since? */
static gboolean
was_emptied(LogTail *tail)
{
    struct stat status;
    if (tail->rotated || fstat(tail->fd, &status) != 0)
        return FALSE;
    gboolean shorter = (guint64)status.st_size < tail->offset + tail->held->len;
    gboolean other = tail->head.length > 0 && !has_head(tail->fd, &tail->head);
    if (!shorter && !other && tail->head.length < HEAD_MOST)
        read_head(tail->fd, HEAD_MOST, &tail->head);
    return shorter || other;
}

/* The rest of its copy first. */
static void
begin_emptied(LogTail *tail)
{
    guint64 offset = tail->offset;
    int copy = find_rotated(tail, &tail->head, offset);
    if (copy >= 0)
        adopt(tail, copy, offset, TRUE);
    else
        adopt(tail, fcntl(tail->fd, F_DUPFD_CLOEXEC, 0), 0, FALSE);
}

/* Is another file there under the name, with something in it? */
static gboolean
was_replaced(const LogTail *tail)
{
    struct stat status;
    if (stat(tail->path, &status) != 0)
        return FALSE;
    gboolean other = status.st_ino != tail->status.st_ino || status.st_dev != tail->status.st_dev;
    return (other || tail->rotated) && status.st_size > 0;
}

static LogTailState
read_on(LogTail *tail, LogTailFunction function, gpointer data, GError **error)
{
    ssize_t count;
    if (was_emptied(tail)) {
        begin_emptied(tail);
        return LOG_TAIL_MORE;
    }
    gboolean replaced = was_replaced(tail); /* before the read that finds the old one's end */
    if (read_block(tail, &count)) {
        give_lines(tail, FALSE, function, data);
        return LOG_TAIL_MORE;
    }
    if (count < 0) {
        complain(tail, g_strerror(errno), error);
        close_file(tail);
        return LOG_TAIL_FAULT;
    }
    if (!replaced)
        return LOG_TAIL_END;
    give_lines(tail, TRUE, function, data);
    close_file(tail);
    return LOG_TAIL_MORE;
}

LogTailState
log_tail_read(LogTail *tail, LogTailFunction function, gpointer data, GError **error)
{
    if (tail->fd < 0 && !open_current(tail, error))
        return LOG_TAIL_FAULT;
    return read_on(tail, function, data, error);
}

/* ---- the state file ----------------------------------------------------------------------------
 */

json_t *
log_tail_to_json(const LogTail *tail)
{
    json_t *place = json_object();
    g_autofree char *head = g_base64_encode((const guchar *)tail->head.octets, tail->head.length);
    json_object_set_new(place, "inode", json_integer((json_int_t)tail->status.st_ino));
    json_object_set_new(place, "offset", json_integer((json_int_t)tail->offset));
    json_object_set_new(place, "head", json_string(head));
    return place;
}

static gboolean
read_place(const json_t *place, Head *head, guint64 *offset, guint64 *inode)
{
    gsize length = 0;
    const char *text = json_string_value(json_object_get(place, "head"));
    json_int_t at = json_integer_value(json_object_get(place, "offset"));
    if (text == NULL || at < 0)
        return FALSE;
    g_autofree guchar *octets = g_base64_decode(text, &length);
    head->length = MIN(length, HEAD_MOST);
    memcpy(head->octets, octets, head->length);
    *offset = (guint64)at;
    *inode = (guint64)json_integer_value(json_object_get(place, "inode"));
    return TRUE;
}

/* A file that was empty is known by its inode alone. */
static gboolean
is_same(int fd, const Head *head, guint64 offset, guint64 inode)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || (guint64)status.st_size < offset || !has_head(fd, head))
        return FALSE;
    return head->length > 0 || (guint64)status.st_ino == inode;
}

gboolean
log_tail_from_json(LogTail *tail, const json_t *place, gboolean *lost)
{
    Head head;
    guint64 offset, inode;
    *lost = FALSE;
    if (!read_place(place, &head, &offset, &inode))
        return FALSE;
    tail->from_start = TRUE;
    int fd = open_log(tail->path);
    if (fd >= 0 && is_same(fd, &head, offset, inode)) {
        adopt(tail, fd, offset, FALSE);
        return TRUE;
    }
    if (fd >= 0)
        (void)close(fd);
    fd = find_rotated(tail, &head, offset);
    if (fd >= 0)
        adopt(tail, fd, offset, TRUE);
    *lost = fd < 0 && head.length > 0;
    return fd >= 0;
}
