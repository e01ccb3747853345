/*
 * checked_file: reads a small regular file, and refuses what it should not be.
 *
 * Never blocks on a FIFO or a device, never reads more than the limit. Threads: any.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
    gsize limit;      /* octets */
    mode_t forbidden; /* permission bits that the file may not have: S_IWOTH, S_IROTH */
} FileDemands;

/*
 * The content. NULL and an error that says what is wrong with the file but does not name it:
 * "cannot be opened: No such file or directory", "is a directory".
 */
GBytes *checked_file_read(const char *path, FileDemands demands, GError **error);

/* As text: an error too if it holds a NUL. A NUL stands behind it; the caller frees
 * it. */
char *checked_file_read_text(const char *path, FileDemands demands, gsize *length, GError **error);
