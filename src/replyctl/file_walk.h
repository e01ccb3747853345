/*
 * file_walk: the files that a path means: itself, a Maildir's mails, a folder's files.
 *
 * Folders are walked in the order of their names' octets, to any depth. Of a Maildir only cur/ and
 * new/ are read, and its folders; of other folders no hidden files. In folders, symbolic links to
 * folders are not followed, and what is neither file nor folder (a socket, a pipe) is left out;
 * named by itself it is read. Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    /* FALSE ends the walk. `size` in octets, 0 where it says nothing. */
    gboolean (*found)(const char *path, guint64 size, gpointer data);
    /* `why`: "Permission denied". */
    void (*fault)(const char *path, const char *why, gpointer data);
    gpointer data;
} FileWalk;

/* "-" is found as it is. FALSE if `found` ended it. */
gboolean file_walk(const char *path, const FileWalk *walk);
