/*
 * event_reader: reads a log of events, line by line.
 */
#include "record/event_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "record/event.h"

struct EventReader {
    char *name;
    EventReaderRead read;
    gpointer source;
    int fd; /* of event_reader_open() */
    gboolean at_end;
    guint64 line, broken;
    EventReaderBroken on_broken;
    gpointer data;
    gsize start, end; /* what is read and not yet taken */
    char buffer[2 * EVENT_LINE_MAX];
};

static void
warn_once(const char *name, guint64 line, const char *why, gpointer data)
{
    const EventReader *reader = data;
    if (reader->broken == 1)
        log_warning("%s:%" G_GUINT64_FORMAT ": this line %s; it and others like it are skipped",
                    name, line, why);
}

static gssize
read_descriptor(gpointer source, char *buffer, gsize size, GError **error)
{
    const EventReader *reader = source;
    ssize_t got;
    do
        got = read(reader->fd, buffer, size);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "%s: %s", reader->name,
                    g_strerror(errno));
    return got;
}

EventReader *
event_reader_new(const char *name, EventReaderRead read, gpointer source)
{
    EventReader *reader = g_new0(EventReader, 1);
    reader->name = g_strdup(name);
    reader->fd = STDIN_FILENO;
    reader->read = read;
    reader->source = source;
    event_reader_on_broken(reader, warn_once, reader);
    return reader;
}

EventReader *
event_reader_open(const char *path, GError **error)
{
    gboolean is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    EventReader *reader =
        event_reader_new(is_stdin ? "standard input" : path, read_descriptor, NULL);
    reader->source = reader;
    reader->fd = fd;
    return reader;
}

void
event_reader_free(EventReader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd != STDIN_FILENO)
        (void)close(reader->fd);
    g_free(reader->name);
    g_free(reader);
}

void
event_reader_on_broken(EventReader *reader, EventReaderBroken broken, gpointer data)
{
    reader->on_broken = broken;
    reader->data = data;
}

static void
skip_broken(EventReader *reader, const char *why)
{
    reader->broken++;
    reader->on_broken(reader->name, reader->line, why, reader->data);
}

/* Makes room and reads on. FALSE and an error if the system refuses. */
static gboolean
fill(EventReader *reader, GError **error)
{
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
    gssize got = reader->read(reader->source, reader->buffer + reader->end,
                              sizeof(reader->buffer) - reader->end, error);
    if (got < 0)
        return FALSE;
    reader->end += (gsize)got;
    reader->at_end = got == 0;
    return TRUE;
}

/* The next line in the buffer, without its newline. Of a line that is too long only the size is
 * right, its octets have been thrown away. FALSE: the end, or an error. */
static gboolean
next_line(EventReader *reader, const char **line, gsize *size, GError **error)
{
    const char *newline = NULL;
    gsize seen = 0, thrown_away = 0;
    for (;;) {
        const char *from = reader->buffer + reader->start;
        gsize there = reader->end - reader->start;
        newline = memchr(from + seen, '\n', there - seen);
        if (newline != NULL || reader->at_end)
            break;
        seen = there;
        if (there > EVENT_LINE_MAX) {
            thrown_away += there - 1;
            reader->start = reader->end - 1;
            seen = 1;
        }
        if (!fill(reader, error))
            return FALSE;
    }
    *line = reader->buffer + reader->start;
    gsize there = reader->end - reader->start;
    if (newline == NULL && there == 0)
        return FALSE;
    gsize length = newline != NULL ? (gsize)(newline - *line) : there;
    *size = length + thrown_away;
    reader->start += newline != NULL ? length + 1 : length;
    reader->line++;
    return TRUE;
}

json_t *
event_parse(const char *line, gsize size, const char **why)
{
    json_error_t fault;
    if (size > EVENT_LINE_MAX) {
        *why = "is longer than an event can be";
        return NULL;
    }
    json_t *event = json_loadb(line, size, JSON_REJECT_DUPLICATES, &fault);
    if (event == NULL) {
        *why = "is not JSON";
        return NULL;
    }
    const json_t *version = json_object_get(event, "v");
    if (json_is_integer(version) && json_integer_value(version) == EVENT_VERSION)
        return event;
    *why = json_is_integer(version) ? "is of a version that is not known" : "is no event";
    json_decref(event);
    return NULL;
}

json_t *
event_reader_next(EventReader *reader, GError **error)
{
    const char *line, *why = NULL;
    gsize size;
    while (next_line(reader, &line, &size, error)) {
        if (size == 0)
            continue;
        json_t *event = event_parse(line, size, &why);
        if (event != NULL)
            return event;
        skip_broken(reader, why);
    }
    return NULL;
}

guint64
event_reader_line(const EventReader *reader)
{
    return reader->line;
}

guint64
event_reader_broken(const EventReader *reader)
{
    return reader->broken;
}
