/*
 * A log of events as a disk, an editor or a stranger may have left it.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/event_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
count(const char *name, guint64 line, const char *why, gpointer data)
{
    guint64 *broken = data;
    g_assert(name != NULL && why != NULL && line > 0);
    ++*broken;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32];
    guint64 events = 0, broken = 0;
    json_t *event;
    g_autoptr(GError) error = NULL;
    int fd = memfd_create("events", MFD_CLOEXEC);
    g_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    g_autoptr(EventReader) reader = event_reader_open(path, &error);
    g_assert(reader != NULL);
    event_reader_on_broken(reader, count, &broken);
    while ((event = event_reader_next(reader, &error)) != NULL) {
        g_assert(json_is_object(event));
        json_decref(event);
        events++;
    }
    g_assert(error == NULL);
    g_assert(broken == event_reader_broken(reader));
    g_assert(events + broken <= event_reader_line(reader));
    (void)close(fd);
    return 0;
}
