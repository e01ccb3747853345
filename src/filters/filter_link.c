/*
 * filter_link: the socket to one filter.
 */
#include "filters/filter_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    READ_SIZE = 4 * 1024,       /* answers are short */
    READ_LONG_SIZE = 64 * 1024, /* what is left of a long one */
    UNASKED_MAX = 64 * 1024,    /* octets that may come while we send */
    KEPT_BUFFER = 256 * 1024,   /* a larger one is not kept once it is empty */
    RETRY_US = 5 * 1000,        /* the queue of a socket in the file system is full, or a name is
                                 * being looked up */
};

struct FilterLink {
    FilterPlaces *source;
    GArray *places; /* of FilterPlace, still to be tried */
    int fd;
    gboolean connected;
    gint64 retry_us; /* 0: the kernel tells when it goes on */
    GString *out;
    gsize sent; /* of out */
    GString *in;
    gsize taken; /* of in */
    gboolean failed;
    FilterTrouble trouble;
    char *failure;
};

gboolean
filter_link_fail(FilterLink *link, FilterTrouble trouble, const char *format, ...)
{
    if (link->failed)
        return FALSE;
    va_list arguments;
    va_start(arguments, format);
    link->failed = TRUE;
    link->trouble = trouble;
    link->failure = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return FALSE;
}

FilterTrouble
filter_link_trouble(const FilterLink *link)
{
    return link->trouble;
}

const char *
filter_link_failure(const FilterLink *link)
{
    return link->failure;
}

GString *
filter_link_out(FilterLink *link)
{
    return link->out;
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void
drop_socket(FilterLink *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

static gboolean
make_socket(FilterLink *link, const FilterPlace *place)
{
    int family = place->address.ss_family;
    link->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        return filter_link_fail(link, FILTER_TROUBLE_CONNECT, "no socket: %s", g_strerror(errno));
    if (family != AF_UNIX)
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return TRUE;
}

static gboolean try_place(FilterLink *link);

/* The place that was tried does not do. */
static gboolean
try_next(FilterLink *link, int reason)
{
    drop_socket(link);
    g_array_remove_index(link->places, 0);
    if (link->places->len > 0)
        return try_place(link);
    filter_places_doubt(link->source);
    return filter_link_fail(link, FILTER_TROUBLE_CONNECT, "cannot connect: %s", g_strerror(reason));
}

static gboolean
try_place(FilterLink *link)
{
    const FilterPlace *place = &g_array_index(link->places, FilterPlace, 0);
    link->retry_us = 0;
    if (link->fd < 0 && !make_socket(link, place))
        return FALSE;
    if (connect(link->fd, (const struct sockaddr *)&place->address, place->length) == 0) {
        link->connected = TRUE;
        return TRUE;
    }
    if (errno == EAGAIN)
        link->retry_us = clock_monotonic_us() + RETRY_US;
    else if (errno != EINPROGRESS && errno != EINTR)
        return try_next(link, errno);
    return TRUE;
}

static gboolean
find_places(FilterLink *link)
{
    g_autofree char *why = NULL;
    gint64 now_us = clock_monotonic_us();
    switch (filter_places_get(link->source, now_us, link->places, &why)) {
    case FILTER_PLACES_KNOWN:
        return try_place(link);
    case FILTER_PLACES_SOUGHT:
        link->retry_us = now_us + RETRY_US;
        return TRUE;
    case FILTER_PLACES_NONE:
        return filter_link_fail(link, FILTER_TROUBLE_CONNECT, "its host is not found: %s", why);
    }
    g_assert_not_reached();
}

static gboolean
retry(FilterLink *link)
{
    if (clock_monotonic_us() < link->retry_us)
        return TRUE;
    return link->places->len > 0 ? try_place(link) : find_places(link);
}

static gboolean
connect_on(FilterLink *link, short polled)
{
    int reason = 0;
    socklen_t size = sizeof(reason);
    if (link->retry_us != 0)
        return retry(link);
    if (polled == 0)
        return TRUE;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &reason, &size) < 0)
        reason = errno;
    if (reason != 0)
        return try_next(link, reason);
    link->connected = TRUE;
    return TRUE;
}

FilterLink *
filter_link_open(FilterPlaces *places)
{
    FilterLink *link = g_new0(FilterLink, 1);
    link->source = filter_places_ref(places);
    link->places = g_array_new(FALSE, FALSE, sizeof(FilterPlace));
    link->fd = -1;
    link->out = g_string_new(NULL);
    link->in = g_string_new(NULL);
    find_places(link);
    return link;
}

gboolean
filter_link_give_up(FilterLink *link)
{
    if (link->connected)
        return filter_link_fail(link, FILTER_TROUBLE_TIMEOUT, "no answer in time");
    if (link->places->len == 0)
        return filter_link_fail(link, FILTER_TROUBLE_CONNECT, "its host is not found in time");
    filter_places_doubt(link->source);
    return filter_link_fail(link, FILTER_TROUBLE_CONNECT, "cannot connect in time");
}

/* ---- octets ---------------------------------------------------------------------------------- */

static gboolean
fail_broken(FilterLink *link, int reason)
{
    return filter_link_fail(link, FILTER_TROUBLE_CLOSED, "the connection broke: %s",
                            g_strerror(reason));
}

static gboolean
is_for_later(int reason)
{
    return reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR;
}

static gboolean
send_some(FilterLink *link)
{
    while (link->sent < link->out->len) {
        ssize_t done = send(link->fd, link->out->str + link->sent, link->out->len - link->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0)
            return is_for_later(errno) || fail_broken(link, errno);
        link->sent += (gsize)done;
    }
    g_string_truncate(link->out, 0);
    link->sent = 0;
    return TRUE;
}

/* What was taken of it goes. */
static void
tidy_input(FilterLink *link)
{
    if (link->taken == 0)
        return;
    if (link->taken == link->in->len && link->in->allocated_len > KEPT_BUFFER) {
        g_string_free(link->in, TRUE);
        link->in = g_string_new(NULL);
    } else {
        g_string_erase(link->in, 0, (gssize)link->taken);
    }
    link->taken = 0;
}

static gboolean
read_some(FilterLink *link)
{
    tidy_input(link);
    gsize had = link->in->len;
    gsize size = had < READ_SIZE ? READ_SIZE : READ_LONG_SIZE;
    g_string_set_size(link->in, had + size);
    ssize_t got = recv(link->fd, link->in->str + had, size, MSG_DONTWAIT);
    int reason = errno;
    g_string_set_size(link->in, had + (gsize)MAX(got, 0));
    if (got > 0 || (got < 0 && is_for_later(reason)))
        return TRUE;
    if (got < 0)
        return fail_broken(link, reason);
    return filter_link_fail(link, FILTER_TROUBLE_CLOSED,
                            had > 0 ? "it closed the connection in the middle of an answer"
                                    : "it closed the connection");
}

gsize
filter_link_pending(const FilterLink *link)
{
    return link->in->len - link->taken;
}

/* ---- several at once ------------------------------------------------------------------------- */

static short
wanted_events(const FilterLink *link)
{
    if (!link->connected)
        return POLLOUT;
    return link->sent < link->out->len ? POLLIN | POLLOUT : POLLIN;
}

struct pollfd
filter_link_poll(const FilterLink *link, gint64 *until_us)
{
    *until_us = link->retry_us;
    /* One that is to be tried again would be reported at once, again and again. */
    return (struct pollfd){.fd = link->retry_us != 0 ? -1 : link->fd,
                           .events = wanted_events(link)};
}

gboolean
filter_link_go_on(FilterLink *link, short polled)
{
    if (link->failed)
        return FALSE;
    if (!link->connected && !connect_on(link, polled))
        return FALSE;
    if (!link->connected)
        return TRUE;
    if (!send_some(link))
        return FALSE;
    return (polled & (POLLIN | POLLHUP | POLLERR)) == 0 || read_some(link);
}

MilterPacketState
filter_link_packet(FilterLink *link, MilterPacket *packet)
{
    g_autoptr(GError) error = NULL;
    MilterPacketState state =
        milter_packet_decode(link->in->str + link->taken, link->in->len - link->taken,
                             MILTER_ANSWER_MAX, packet, &error);
    if (state == MILTER_PACKET_BROKEN)
        filter_link_fail(link, FILTER_TROUBLE_PROTOCOL, "%s", error->message);
    else if (state == MILTER_PACKET_WHOLE)
        link->taken += packet->size;
    return state;
}

/* ---- one, waiting ---------------------------------------------------------------------------- */

static gboolean
wait_for(FilterLink *link, gint64 deadline_us)
{
    struct pollfd polled = {.fd = link->fd, .events = wanted_events(link)};
    for (;;) {
        gint64 left_us = deadline_us - clock_monotonic_us();
        if (left_us <= 0)
            return filter_link_fail(link, FILTER_TROUBLE_TIMEOUT, "no answer in time");
        int ready = poll(&polled, 1, (int)MIN((left_us + 999) / 1000, G_MAXINT));
        if (ready > 0)
            return filter_link_go_on(link, polled.revents);
        if (ready < 0 && errno != EINTR)
            return fail_broken(link, errno);
    }
}

gboolean
filter_link_send(FilterLink *link, gint64 deadline_us)
{
    if (link->failed || !send_some(link))
        return FALSE;
    while (link->out->len > 0) {
        if (!wait_for(link, deadline_us))
            return FALSE;
        if (filter_link_pending(link) > UNASKED_MAX)
            return filter_link_fail(link, FILTER_TROUBLE_PROTOCOL,
                                    "it speaks without having been asked");
    }
    return TRUE;
}

gboolean
filter_link_receive(FilterLink *link, gint64 deadline_us, MilterPacket *packet)
{
    for (;;) {
        MilterPacketState state =
            link->failed ? MILTER_PACKET_BROKEN : filter_link_packet(link, packet);
        if (state != MILTER_PACKET_MORE)
            return state == MILTER_PACKET_WHOLE;
        if (!wait_for(link, deadline_us))
            return FALSE;
    }
}

gboolean
filter_link_peek(FilterLink *link)
{
    return !link->failed && read_some(link);
}

void
filter_link_close(FilterLink *link)
{
    if (link == NULL)
        return;
    if (link->connected && !link->failed)
        send_some(link);
    drop_socket(link);
    g_array_unref(link->places);
    filter_places_unref(link->source);
    g_string_free(link->out, TRUE);
    g_string_free(link->in, TRUE);
    g_free(link->failure);
    g_free(link);
}
