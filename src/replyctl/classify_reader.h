/*
 * classify_reader: what `replyctl classify` is given to read, as jobs on a ring.
 *
 * Runs in a thread of its own, so that reading, classifying and printing overlap. Small mails are
 * put together, large files never held: a mail up to what is read of one, of an mbox one mail at a
 * time, of lines a block. Threads: as said at each function.
 */
#pragma once

#include "mail/mime_view.h"
#include "replyctl/work_ring.h"

typedef struct ClassifyReader ClassifyReader;

/* `paths` ends with NULL and is borrowed; `lines`: each is a file of replies, one a line. */
ClassifyReader *classify_reader_new(const char *const *paths, gboolean lines,
                                    const MimeLimits *limits, WorkRing *ring);

/* Starts the thread. FALSE and an error if that cannot be. */
gboolean classify_reader_start(ClassifyReader *reader, GError **error);

/* Octets of files that have been read so far. Any thread. */
guint64 classify_reader_octets(ClassifyReader *reader);

/* Waits for the thread, which ends soon after the ring has been stopped. */
void classify_reader_free(ClassifyReader *reader);

/* What there is to read in all, in octets of files; 0: not known. Before the start. */
guint64 classify_reader_total(const char *const *paths);
