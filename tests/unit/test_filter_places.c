/*
 * Tests of filter_places, with name servers that answer, refuse, or do not answer.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "test_support.h"

#include "base/clock.h"
#include "filters/filter_chain.h"
#include "filters/filter_places.h"

#define NAME    "inet:8891@filter.example"
#define WAIT_US (20 * G_USEC_PER_SEC)

/* What takes the place of name servers (the linker's --wrap). */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    gboolean silent;
    const char *address; /* NULL: there is no such name */
    guint asked;
} servers = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);

int
__wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                   struct addrinfo **found)
{
    if ((hints->ai_flags & AI_NUMERICHOST) != 0)
        return __real_getaddrinfo(host, port, hints, found);
    pthread_mutex_lock(&servers.lock);
    servers.asked++;
    pthread_cond_broadcast(&servers.change);
    while (servers.silent)
        pthread_cond_wait(&servers.change, &servers.lock);
    const char *address = servers.address;
    pthread_mutex_unlock(&servers.lock);
    return address != NULL ? __real_getaddrinfo(address, port, hints, found) : EAI_NONAME;
}

static void
set_servers(gboolean silent, const char *address)
{
    pthread_mutex_lock(&servers.lock);
    servers.silent = silent;
    servers.address = address;
    pthread_cond_broadcast(&servers.change);
    pthread_mutex_unlock(&servers.lock);
}

static guint
times_asked(void)
{
    pthread_mutex_lock(&servers.lock);
    guint asked = servers.asked;
    pthread_mutex_unlock(&servers.lock);
    return asked;
}

static void
wait_until_asked(guint times)
{
    pthread_mutex_lock(&servers.lock);
    while (servers.asked < times)
        pthread_cond_wait(&servers.change, &servers.lock);
    pthread_mutex_unlock(&servers.lock);
}

/* "127.0.0.1 8891", "/path", "sought", or why not. */
static char *
get(FilterPlaces *places, gint64 later_us)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(FilterPlace));
    g_autofree char *why = NULL;
    FilterPlacesState state =
        filter_places_get(places, clock_monotonic_us() + later_us, found, &why);
    assert_true((why != NULL) == (state == FILTER_PLACES_NONE));
    assert_true((found->len > 0) == (state == FILTER_PLACES_KNOWN));
    if (state != FILTER_PLACES_KNOWN)
        return g_strdup(why != NULL ? why : "sought");
    const FilterPlace *place = &g_array_index(found, FilterPlace, 0);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (place->address.ss_family == AF_UNIX)
        return g_strdup((const char *)&place->address + sizeof(sa_family_t));
    assert_int_equal(getnameinfo((const struct sockaddr *)&place->address, place->length, host,
                                 sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    return g_strdup_printf("%s %s", host, port);
}

static void
assert_gets(FilterPlaces *places, gint64 later_us, const char *expected)
{
    g_autofree char *got = get(places, later_us);
    assert_string_equal(got, expected);
}

/* Until something else is said. */
static void
assert_gets_after(FilterPlaces *places, const char *before, const char *expected)
{
    gint64 until_us = clock_monotonic_us() + WAIT_US;
    g_autofree char *got = get(places, 0);
    while (strcmp(got, before) == 0 && clock_monotonic_us() < until_us) {
        g_usleep(1000);
        g_free(got);
        got = get(places, 0);
    }
    assert_string_equal(got, expected);
}

static void
addresses_need_no_name_server(void **state)
{
    static const struct {
        const char *socket, *expected;
    } cases[] = {
        {"unix:/run/filter.sock", "/run/filter.sock"},
        {"local:/run/filter.sock", "/run/filter.sock"},
        {"inet:8891@127.0.0.1", "127.0.0.1 8891"},
        {"inet6:8891@::1", "::1 8891"},
        {"inet6:8891@[::1]", "::1 8891"},
        {"inet:8891", "no host is named"},
        {"fd:3", "no kind of socket that can be asked"},
        {"unix:/123456789012345678901234567890123456789012345678901234567890"
         "123456789012345678901234567890123456789012345678901234567890",
         "the path is too long"},
    };
    (void)state;
    guint before = times_asked();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FilterPlaces) places = filter_places_new(cases[i].socket);
        assert_gets(places, 0, cases[i].expected);
        assert_gets(places, 2 * FILTER_PLACES_FRESH_US, cases[i].expected);
    }
    assert_int_equal(times_asked(), before);
}

/* However many ask, one look-up is under way, and what was found stays while there is no answer. */
static void
silence_holds_nobody(void **state)
{
    (void)state;
    guint before = times_asked();
    g_autoptr(FilterPlaces) places = filter_places_new(NAME);
    set_servers(TRUE, "192.0.2.1");
    assert_gets(places, 0, "sought");
    assert_gets(places, FILTER_PLACES_FRESH_US, "sought");
    wait_until_asked(before + 1);
    set_servers(FALSE, "192.0.2.1");
    assert_gets_after(places, "sought", "192.0.2.1 8891");
    assert_gets(places, FILTER_PLACES_FRESH_US / 2, "192.0.2.1 8891");
    assert_int_equal(times_asked(), before + 1);

    set_servers(TRUE, "192.0.2.2");
    assert_gets(places, FILTER_PLACES_FRESH_US, "192.0.2.1 8891");
    assert_gets(places, 3 * FILTER_PLACES_FRESH_US, "192.0.2.1 8891");
    wait_until_asked(before + 2);
    set_servers(FALSE, "192.0.2.2");
    assert_gets_after(places, "192.0.2.1 8891", "192.0.2.2 8891");
    assert_int_equal(times_asked(), before + 2);
}

static void
a_name_that_is_not_there(void **state)
{
    const char *none = gai_strerror(EAI_NONAME);
    (void)state;
    guint before = times_asked();
    g_autoptr(FilterPlaces) places = filter_places_new(NAME);
    set_servers(FALSE, NULL);
    assert_gets(places, 0, "sought");
    assert_gets_after(places, "sought", none);
    assert_gets(places, FILTER_PLACES_PAUSE_US / 2, none);
    assert_int_equal(times_asked(), before + 1);
    set_servers(FALSE, "192.0.2.1");
    assert_gets(places, FILTER_PLACES_PAUSE_US, "sought");
    assert_gets_after(places, "sought", "192.0.2.1 8891");

    /* It goes away again: what it had been stays. */
    set_servers(FALSE, NULL);
    assert_gets(places, FILTER_PLACES_FRESH_US, "192.0.2.1 8891");
    wait_until_asked(before + 3);
    assert_gets(places, 0, "192.0.2.1 8891");
}

static void
who_is_not_there_is_looked_for(void **state)
{
    (void)state;
    guint before = times_asked();
    g_autoptr(FilterPlaces) places = filter_places_new(NAME);
    set_servers(FALSE, "192.0.2.1");
    assert_gets(places, 0, "sought");
    assert_gets_after(places, "sought", "192.0.2.1 8891");
    filter_places_doubt(places);
    set_servers(FALSE, "192.0.2.2");
    assert_gets(places, FILTER_PLACES_PAUSE_US / 2, "192.0.2.1 8891");
    assert_int_equal(times_asked(), before + 1);
    assert_gets(places, FILTER_PLACES_PAUSE_US, "192.0.2.1 8891");
    assert_gets_after(places, "192.0.2.1 8891", "192.0.2.2 8891");
}

/* A connection waits no longer than it is told to, and what it waited for may end without it. */
static void
a_chain_does_not_wait_for_name_servers(void **state)
{
    static const PolicyFilter filter = {.name = (char *)"far",
                                        .socket = (char *)NAME,
                                        .timeout_us = WAIT_US,
                                        .connect_timeout_us = 50 * G_TIME_SPAN_MILLISECOND};
    static const PolicyFilter *const filters[] = {&filter};
    static const FilterHost host = {0};
    (void)state;
    guint before = times_asked();
    set_servers(TRUE, NULL);
    FilterStates *states = filter_states_new();
    FilterChain *chain = filter_chain_new(filters, 1, states, &host);
    gint64 begun_us = clock_monotonic_us();
    filter_chain_begin(chain, MILTER_ACTIONS_V6, MILTER_STEPS_V6);
    assert_in_range(clock_monotonic_us() - begun_us, filter.connect_timeout_us, WAIT_US / 2);
    FilterStanding standing = filter_chain_standing(chain, 0);
    assert_string_equal(standing.failure,
                        NAME ": at the negotiation: its host is not found in time");
    filter_chain_free(chain);
    filter_states_free(states);
    wait_until_asked(before + 1);
    set_servers(FALSE, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_need_no_name_server),
        cmocka_unit_test(silence_holds_nobody),
        cmocka_unit_test(a_name_that_is_not_there),
        cmocka_unit_test(who_is_not_there_is_looked_for),
        cmocka_unit_test(a_chain_does_not_wait_for_name_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
