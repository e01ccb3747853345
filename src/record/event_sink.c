/*
 * event_sink: a file, standard output, or syslog.
 */
#include "record/event_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define EVENT_FILE_MODE 0640

typedef enum {
    SINK_FILE,
    SINK_STDOUT,
    SINK_SYSLOG,
} SinkKind;

struct EventSink {
    SinkKind kind;
    char *name;
    int fd; /* -1 for syslog */
    int facility;
    gboolean torn; /* the last line has no newline */
};

/* An earlier process may have left half a line. What cannot be read is taken to be whole. */
static gboolean
ends_within_a_line(const char *path)
{
    struct stat status;
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return FALSE;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        pread(fd, &last, 1, status.st_size - 1) != 1)
        last = '\n';
    (void)close(fd);
    return last != '\n';
}

/* O_NONBLOCK: a pipe that nobody reads is an error at once, not a writer that hangs. */
static int
open_file(const char *path, GError **error)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                  EVENT_FILE_MODE);
    if (fd < 0)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "the event log \"%s\" cannot be opened: %s", path, g_strerror(errno));
    return fd;
}

static int
duplicate_stdout(GError **error)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "events cannot go to standard output: %s", g_strerror(errno));
    return fd;
}

static SinkKind
kind_of(const char *events)
{
    if (strcmp(events, "stdout") == 0)
        return SINK_STDOUT;
    return strcmp(events, "syslog") == 0 ? SINK_SYSLOG : SINK_FILE;
}

EventSink *
event_sink_open(const PolicySettings *settings, GError **error)
{
    const char *events = settings->log.events;
    g_assert(events != NULL);
    SinkKind kind = kind_of(events);
    int fd = -1;
    if (kind == SINK_FILE && (fd = open_file(events, error)) < 0)
        return NULL;
    if (kind == SINK_STDOUT && (fd = duplicate_stdout(error)) < 0)
        return NULL;
    EventSink *sink = g_new0(EventSink, 1);
    sink->kind = kind;
    sink->name = g_strdup(events);
    sink->fd = fd;
    if (kind == SINK_SYSLOG)
        sink->facility = log_facility_number(settings->log.syslog);
    sink->torn = kind == SINK_FILE && ends_within_a_line(events);
    return sink;
}

void
event_sink_close(EventSink *sink)
{
    if (sink->fd >= 0)
        (void)close(sink->fd);
    g_free(sink->name);
    g_free(sink);
}

gboolean
event_sink_reopen(EventSink *sink, GError **error)
{
    if (sink->kind != SINK_FILE)
        return TRUE;
    int fd = open_file(sink->name, error);
    if (fd < 0)
        return FALSE;
    (void)close(sink->fd);
    sink->fd = fd;
    sink->torn = ends_within_a_line(sink->name);
    return TRUE;
}

static ssize_t
write_once(int fd, const char *octets, gsize size)
{
    ssize_t written;
    do
        written = write(fd, octets, size);
    while (written < 0 && errno == EINTR);
    return written;
}

/* After a torn line the newline that closes it goes out in the same write() as the line. */
static ssize_t
write_behind_torn_line(int fd, const char *line, gsize size)
{
    g_autofree char *both = g_malloc(size + 1);
    both[0] = '\n';
    memcpy(both + 1, line, size);
    return write_once(fd, both, size + 1);
}

static gboolean
write_to_fd(EventSink *sink, const char *line, gsize size, int *error_number)
{
    gsize wanted = sink->torn ? size + 1 : size;
    ssize_t written = sink->torn ? write_behind_torn_line(sink->fd, line, size)
                                 : write_once(sink->fd, line, size);
    if (written == (ssize_t)wanted) {
        sink->torn = FALSE;
        return TRUE;
    }
    *error_number = written < 0 ? errno : ENOSPC;
    if (written > 0)
        sink->torn = TRUE;
    return FALSE;
}

/* syslog(3) tells nobody that there is no syslog; 0: there is one. */
static int
syslog_error(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};
    int error_number = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        error_number = errno;
    (void)close(fd);
    return error_number;
}

static gboolean
write_to_syslog(const EventSink *sink, const char *line, gsize size, int *error_number)
{
    *error_number = syslog_error();
    if (*error_number == EPROTOTYPE) /* one that listens as a stream is there too */
        *error_number = 0;
    if (*error_number != 0)
        return FALSE;
    syslog(sink->facility | LOG_INFO, "%.*s", (int)size - 1, line);
    return TRUE;
}

gboolean
event_sink_write(EventSink *sink, const char *line, gsize size, int *error_number)
{
    g_assert(size > 0 && line[size - 1] == '\n');
    if (sink->kind != SINK_SYSLOG)
        return write_to_fd(sink, line, size, error_number);
    return write_to_syslog(sink, line, size, error_number);
}

const char *
event_sink_name(const EventSink *sink)
{
    return sink->name;
}
