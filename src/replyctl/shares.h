/*
 * shares: names, and how much of a whole each has.
 *
 * Names are borrowed. Threads: one owner; shares_print() on the main thread.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *name;
    guint64 count;
} Share;

/* An array of Share, to be freed with g_array_unref(). */
GArray *shares_new(void);

/* Adds to what the name has; a name that has nothing does not stand there. */
void shares_add(GArray *shares, const char *name, guint64 count);

guint64 shares_sum(const GArray *shares);

/* A table for people, the most first, under its heading: the first `most` (0: all), and the others
 * together. Nothing if there is nothing. */
void shares_print(const char *heading, GArray *shares, guint most);
