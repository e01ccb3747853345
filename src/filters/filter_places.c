/*
 * filter_places: the addresses at which a filter may be reached.
 */
#include "filters/filter_places.h"

#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "policy/socket_name.h"

struct FilterPlaces {
    atomic_uint references;
    char *socket, *host, *port; /* host NULL: there is nothing to look up */
    int family;
    pthread_mutex_t lock; /* of all that follows */
    GArray *known;        /* of FilterPlace: the last that were found */
    char *failure;        /* of the last look-up; NULL: none */
    gboolean seeking;     /* a thread is at it */
    gboolean doubted;
    gint64 sought_us; /* when the last look-up ended; 0: never */
};

/* ---- names that are addresses ------------------------------------------------------------------
 */

static void
add_unix(FilterPlaces *places, const char *path)
{
    FilterPlace place = {.length = sizeof(struct sockaddr_un)};
    struct sockaddr_un named = {.sun_family = AF_UNIX};
    if (g_strlcpy(named.sun_path, path, sizeof(named.sun_path)) >= sizeof(named.sun_path)) {
        places->failure = g_strdup("the path is too long");
        return;
    }
    memcpy(&place.address, &named, sizeof(named));
    g_array_append_val(places->known, place);
}

static int
find_inet(const FilterPlaces *places, int flags, GArray *into)
{
    const struct addrinfo hints = {.ai_family = places->family,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *found;
    int answer = getaddrinfo(places->host, places->port, &hints, &found);
    if (answer != 0)
        return answer;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        FilterPlace place = {.length = one->ai_addrlen};
        memcpy(&place.address, one->ai_addr, one->ai_addrlen);
        g_array_append_val(into, place);
    }
    freeaddrinfo(found);
    return 0;
}

static void
add_inet(FilterPlaces *places, const SocketName *name)
{
    if (name->host == NULL) {
        places->failure = g_strdup("no host is named");
        return;
    }
    places->family = name->kind == SOCKET_KIND_INET6 ? AF_INET6 : AF_INET;
    places->port = socket_name_port(name);
    places->host = socket_name_host(name);
    if (find_inet(places, AI_NUMERICHOST, places->known) == 0)
        g_clear_pointer(&places->host, g_free);
}

FilterPlaces *
filter_places_new(const char *socket)
{
    FilterPlaces *places = g_new0(FilterPlaces, 1);
    SocketName name = socket_name_parse(socket);
    atomic_init(&places->references, 1);
    pthread_mutex_init(&places->lock, NULL);
    places->socket = g_strdup(socket);
    places->known = g_array_new(FALSE, FALSE, sizeof(FilterPlace));
    if (name.path != NULL)
        add_unix(places, name.path);
    else if (name.port != NULL)
        add_inet(places, &name);
    else
        places->failure = g_strdup("no kind of socket that can be asked");
    return places;
}

FilterPlaces *
filter_places_ref(FilterPlaces *places)
{
    atomic_fetch_add(&places->references, 1);
    return places;
}

void
filter_places_unref(FilterPlaces *places)
{
    if (places == NULL || atomic_fetch_sub(&places->references, 1) > 1)
        return;
    pthread_mutex_destroy(&places->lock);
    g_array_unref(places->known);
    g_free(places->failure);
    g_free(places->socket);
    g_free(places->host);
    g_free(places->port);
    g_free(places);
}

/* ---- looking up --------------------------------------------------------------------------------
 */

/* Said once, not at each try; a first look-up's failure is that of whoever needed it. */
static void
note_failure(FilterPlaces *places, const char *reason)
{
    if (places->failure == NULL && places->known->len > 0)
        log_warning("%s: the host is not found (%s): its last known addresses are used",
                    places->socket, reason);
    g_free(places->failure);
    places->failure = g_strdup(reason);
}

static void
note_found(FilterPlaces *places, GArray *found)
{
    g_clear_pointer(&places->failure, g_free);
    g_array_set_size(places->known, 0);
    g_array_append_vals(places->known, found->data, found->len);
}

static void *
seek(void *data)
{
    g_autoptr(FilterPlaces) places = data;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(FilterPlace));
    int answer = find_inet(places, 0, found);
    pthread_mutex_lock(&places->lock);
    if (answer == 0)
        note_found(places, found);
    else
        note_failure(places, gai_strerror(answer));
    places->seeking = FALSE;
    places->sought_us = clock_monotonic_us();
    pthread_mutex_unlock(&places->lock);
    return NULL;
}

static void
start_seeking(FilterPlaces *places, gint64 now_us)
{
    pthread_t thread;
    int reason = thread_start(&thread, seek, filter_places_ref(places));
    places->doubted = FALSE;
    places->seeking = reason == 0;
    if (reason == 0) {
        pthread_detach(thread);
        return;
    }
    filter_places_unref(places);
    places->sought_us = now_us;
    note_failure(places, g_strerror(reason));
}

static gboolean
is_due(const FilterPlaces *places, gint64 now_us)
{
    if (places->host == NULL || places->seeking)
        return FALSE;
    gboolean good = places->known->len > 0 && places->failure == NULL && !places->doubted;
    return places->sought_us == 0 ||
           now_us - places->sought_us >= (good ? FILTER_PLACES_FRESH_US : FILTER_PLACES_PAUSE_US);
}

FilterPlacesState
filter_places_get(FilterPlaces *places, gint64 now_us, GArray *into, char **why)
{
    FilterPlacesState state = FILTER_PLACES_KNOWN;
    pthread_mutex_lock(&places->lock);
    if (is_due(places, now_us))
        start_seeking(places, now_us);
    if (places->known->len > 0)
        g_array_append_vals(into, places->known->data, places->known->len);
    else if (places->seeking)
        state = FILTER_PLACES_SOUGHT;
    else
        state = FILTER_PLACES_NONE;
    *why = state == FILTER_PLACES_NONE ? g_strdup(places->failure) : NULL;
    pthread_mutex_unlock(&places->lock);
    return state;
}

void
filter_places_doubt(FilterPlaces *places)
{
    pthread_mutex_lock(&places->lock);
    places->doubted = TRUE;
    pthread_mutex_unlock(&places->lock);
}
