/*
 * event_reader: reads a log of events, line by line.
 *
 * A line that is no event (torn by a full disk, too long, not JSON, of a version that we do not
 * know) is skipped, counted, and told to whoever asks for it. Memory is bounded by the longest line
 * that an event can have, whatever the file holds. Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct EventReader EventReader;

/* `why` is half a sentence ("is longer than an event can be"). */
typedef void (*EventReaderBroken)(const char *name, guint64 line, const char *why, gpointer data);

/* "-" is standard input. NULL and an error if it cannot be opened. */
EventReader *event_reader_open(const char *path, GError **error);

/* Up to `size` octets of any other source; 0: the end; -1 and an error. */
typedef gssize (*EventReaderRead)(gpointer source, char *buffer, gsize size, GError **error);

/* `source` is the caller's, and outlives the reader. */
EventReader *event_reader_new(const char *name, EventReaderRead read, gpointer source);
void event_reader_free(EventReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventReader, event_reader_free)

/* Is called for each line that is skipped; unset: one warning is logged for the first of them. */
void event_reader_on_broken(EventReader *reader, EventReaderBroken broken, gpointer data);

/* The next event, an object with "v" 1; the caller decrefs it. NULL: the end, or an error (of
 * reading) if `error` was set. */
json_t *event_reader_next(EventReader *reader, GError **error);

/* One line without its newline, for those who have lines; as above, but for NULL with `why`. */
json_t *event_parse(const char *line, gsize size, const char **why);

/* So far: the number of the last line read, and of lines skipped. Empty lines are not broken. */
guint64 event_reader_line(const EventReader *reader);
guint64 event_reader_broken(const EventReader *reader);
