/*
 * forged_headers: which headers of a mail speak in our name, though we have not said that.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *name; /* constant */
    guint index;      /* among those of that name, from 1 */
} ForgedHeader;

/* More of them stay in the mail, below our own. */
#define FORGED_HEADERS_MAX 1000

typedef struct ForgedHeaders ForgedHeaders;

ForgedHeaders *forged_headers_new(const char *hostname);
void forged_headers_free(ForgedHeaders *forged);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ForgedHeaders, forged_headers_free)

/* The next header of the mail. */
void forged_headers_look(ForgedHeaders *forged, const char *name, const char *value);

guint forged_headers_count(const ForgedHeaders *forged);
const ForgedHeader *forged_headers_get(const ForgedHeaders *forged, guint index);

/* Were there more than are remembered? */
gboolean forged_headers_too_many(const ForgedHeaders *forged);
