/*
 * event_files: an event log and what logrotate has made of it, and the events in them.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* log.events of a policy (NULL: the installed one); NULL, said on stderr for that command, if it is
 * no file. The caller frees it. */
char *event_files_log(const char *command, const char *policy_path);

/*
 * The log and its rotated files (NAME.1, NAME.2.gz, NAME-20261121.gz), the newest first: an array
 * of char *, which the caller unrefs. Without any of them, or where the folder cannot be read: NULL
 * and an error.
 */
GPtrArray *event_files_find(const char *path, GError **error);

/*
 * What helps where a log may not be read: " (use sudo, or be a member of the group adm)", by what
 * the file or its folder lets a group do. "" where it may, or is not there. The caller frees it.
 */
char *event_files_hint(const char *path);

/* Called for each event; FALSE: no more. */
typedef gboolean (*EventFunction)(json_t *event, gpointer data);

/* Reads one file, gzip'd or not. FALSE and an error if it cannot be read. `again`: broken lines
 * have been warned of. */
gboolean event_files_read(const char *path, gboolean again, EventFunction function, gpointer data,
                          GError **error);
