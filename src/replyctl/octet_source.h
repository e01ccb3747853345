/*
 * octet_source: a file or standard input as a stream of octets, unpacked where it is gzip'd.
 *
 * Several gzip members in a row are one file, as with gunzip. Never more than a block is held. What
 * expands to more than OCTET_SOURCE_RATIO times its size, beyond the first OCTET_SOURCE_FREE
 * octets, is an error: no mail and no log does. Threads: one owner.
 */
#pragma once

#include <glib.h>

#define OCTET_SOURCE_RATIO 500
#define OCTET_SOURCE_FREE  (64 * 1024 * 1024)

typedef struct OctetSource OctetSource;

/* "-" is standard input. NULL and an error without the name: "Permission denied". */
OctetSource *octet_source_open(const char *path, GError **error);
void octet_source_free(OctetSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OctetSource, octet_source_free)

/* Up to `size` octets, as many as there are now; waits for the first. 0: the end; -1 and an error.
 * `source` is an OctetSource: the type is that of MboxRead. */
gssize octet_source_read(gpointer source, char *buffer, gsize size, GError **error);

/* The first octets, at most `size` (up to OCTET_SOURCE_PEEK), which will be read again. Fewer: the
 * file is shorter, or reading it failed, which the next read will tell. Before the first read. */
#define OCTET_SOURCE_PEEK 16384
const char *octet_source_peek(OctetSource *source, gsize size, gsize *length);

/* Octets of the file itself that have been read. */
guint64 octet_source_position(const OctetSource *source);
