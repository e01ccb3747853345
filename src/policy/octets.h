/*
 * octets: amounts of data as people write them: "500", "64K", "10M", "2G" (powers of 1024).
 *
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* FALSE if `text` is no amount, or more than G_MAXINT64. */
gboolean octets_parse(const char *text, gint64 *octets);

/* The shortest exact form: "10M", "1025". The caller frees it. */
char *octets_format(gint64 octets);
