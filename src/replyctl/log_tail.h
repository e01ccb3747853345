/*
 * log_tail: the lines of a log file as it grows, through rotation.
 *
 * A file is known by its first octets, so that it is found again after a restart under the name
 * that it was rotated to (NAME.1, NAME-20261121), and is not taken for another one that has got its
 * inode. When a new file is there and has something in it, the old one is read to its end first; a
 * file that was emptied (copytruncate) is read from its start, after the rest of its copy if that
 * is found. Rotated files that are gzip'd are not read. Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct LogTail LogTail;

/* One line, without its newline, at most LOG_TAIL_LINE octets of it. */
#define LOG_TAIL_LINE 65536
typedef void (*LogTailFunction)(const char *line, gsize length, gpointer data);

typedef enum {
    LOG_TAIL_MORE,  /* there is more to read now */
    LOG_TAIL_END,   /* all has been read that is there */
    LOG_TAIL_FAULT, /* the file cannot be opened or read; it may come back */
} LogTailState;

/* `path` need not be there yet. `from_start` FALSE: what is in it now is passed over. */
LogTail *log_tail_new(const char *path, gboolean from_start);
void log_tail_free(LogTail *tail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogTail, log_tail_free)

/* Reads some lines. An error is set for LOG_TAIL_FAULT, once while it lasts. */
LogTailState log_tail_read(LogTail *tail, LogTailFunction function, gpointer data, GError **error);

/* Where it stands, behind the last line that was given out; and back to there, before the first
 * read. FALSE: that is no such place, or the file that is meant is gone (`lost`), so that lines
 * are missing. */
json_t *log_tail_to_json(const LogTail *tail);
gboolean log_tail_from_json(LogTail *tail, const json_t *place, gboolean *lost);
