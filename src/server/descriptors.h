/*
 * descriptors: room for the connections that the policy allows (RLIMIT_NOFILE).
 *
 * Main thread, at start.
 */
#pragma once

#include <glib.h>

/* Raises the soft limit as far as is needed and the hard limit lets it; warns where that is not
 * enough for `connections` at once. */
void descriptors_make_room(guint connections);
