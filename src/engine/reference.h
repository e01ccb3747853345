/*
 * reference: the short id that a rewritten reply and its event share.
 *
 * Eight letters and digits that cannot be taken for each other, so that it can be read out on the
 * telephone; random, so that it tells nobody how many there are. The line that carries it is also
 * the mark by which the next door knows a reply as one of ours. Threads: any.
 */
#pragma once

#include <glib.h>

#define REFERENCE_LENGTH 8
#define REFERENCE_LABEL  "Reference: "

/* From the lower 40 bits, five for each letter, so that each is equally likely. The caller frees
 * it. */
char *reference_new(guint64 random);

/* "Reference: KX7M2QRT". The caller frees it. */
char *reference_line(const char *reference);

/* Does a line consist of such a text, or end with it behind a space? */
gboolean reference_ends(const char *line);
