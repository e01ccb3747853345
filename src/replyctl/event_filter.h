/*
 * event_filter: conditions on the members of an event, as typed: MEMBER=PATTERN.
 *
 * MEMBER is a name of doc/events.md, "client.addr" and the like for what is inside another; PATTERN
 * is a text with * and ?, case ignored. All conditions are needed; a "!" before the "=" turns one
 * round. Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct EventFilter EventFilter;

/* `conditions` ends with NULL. NULL and an error for a word that is no condition, or a member that
 * no event has (with the nearest that one has). */
EventFilter *event_filter_new(const char *const *conditions, GError **error);
void event_filter_free(EventFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventFilter, event_filter_free)

gboolean event_filter_matches(const EventFilter *filter, const json_t *event);
