/*
 * filter_places: the addresses at which a filter may be reached.
 *
 * A host's name is looked up on a thread of its own, never by who needs it: name servers that do
 * not answer hold nobody up for longer than he cares to wait. What was found stays until something
 * else is found; it is looked up anew after a while, and when nobody could be reached there.
 * Threads: any (a pthread mutex inside). Counted, since a look-up may outlive who wanted it.
 */
#pragma once

#include <glib.h>
#include <sys/socket.h>

typedef struct {
    struct sockaddr_storage address;
    socklen_t length;
} FilterPlace;

typedef struct FilterPlaces FilterPlaces;

/* How long what was found is good, and how often at most a name is looked up. */
#define FILTER_PLACES_FRESH_US (60 * G_TIME_SPAN_SECOND)
#define FILTER_PLACES_PAUSE_US (2 * G_TIME_SPAN_SECOND)

/* "unix:/path", "local:/path", "inet:PORT@HOST", "inet6:PORT@HOST". Asks no name server. */
FilterPlaces *filter_places_new(const char *socket);
FilterPlaces *filter_places_ref(FilterPlaces *places);
void filter_places_unref(FilterPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FilterPlaces, filter_places_unref)

typedef enum {
    FILTER_PLACES_KNOWN,
    FILTER_PLACES_SOUGHT, /* nothing yet: ask again */
    FILTER_PLACES_NONE,   /* nothing, and it is not being looked for now */
} FilterPlacesState;

/*
 * Waits for nothing. KNOWN: appends them to `into`, of FilterPlace. NONE: `why` gets the reason,
 * for the caller to free. `now_us`: clock_monotonic_us().
 */
FilterPlacesState filter_places_get(FilterPlaces *places, gint64 now_us, GArray *into, char **why);

/* Nobody could be reached there: the name is looked up anew when they are next asked for. */
void filter_places_doubt(FilterPlaces *places);
