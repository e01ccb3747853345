/*
 * filter_link: the socket to one filter.
 *
 * Connects without blocking, sends what has been put together in one buffer, reads whole packets,
 * each within a time. What a peer sends while we send is read meanwhile, so that two full buffers
 * never wait for each other; without having been asked it can send only little. A link that has
 * failed stays so. Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <poll.h>

#include "filters/filter_places.h"
#include "filters/filter_state.h"
#include "wire/milter_packet.h"

typedef struct FilterLink FilterLink;

/* Begins to connect, to one place after the other. Never NULL: what fails shows when it goes on. */
FilterLink *filter_link_open(FilterPlaces *places);

/* Sends what is in the buffer as far as the socket takes it at once. NULL is fine. */
void filter_link_close(FilterLink *link);

/* What is to be sent, to be appended to. */
GString *filter_link_out(FilterLink *link);

/* For several links at once: what to poll for, and when to go on though nothing happens (0: not at
 * all). */
struct pollfd filter_link_poll(const FilterLink *link, gint64 *until_us);
/* Connects on, sends, reads, as far as it can at once. FALSE: it has failed. */
gboolean filter_link_go_on(FilterLink *link, short polled);
/* It has not come so far in time: it has failed. Returns FALSE. */
gboolean filter_link_give_up(FilterLink *link);

/* The next packet that is there, MILTER_PACKET_MORE if none is whole; borrowed until the next call
 * for this link. MILTER_PACKET_BROKEN: the link has failed. */
MilterPacketState filter_link_packet(FilterLink *link, MilterPacket *packet);

/* Sends all of the buffer; clock_monotonic_us() is then before `deadline_us`, or it has failed. */
gboolean filter_link_send(FilterLink *link, gint64 deadline_us);

/* Waits for a packet. FALSE: it has failed. */
gboolean filter_link_receive(FilterLink *link, gint64 deadline_us, MilterPacket *packet);

/* Reads what is there, without waiting. FALSE: it has failed; that the peer has closed is one. */
gboolean filter_link_peek(FilterLink *link);
/* Octets that were read and not yet taken as packets. */
gsize filter_link_pending(const FilterLink *link);

/* Why it has failed. */
FilterTrouble filter_link_trouble(const FilterLink *link);
const char *filter_link_failure(const FilterLink *link);

/* Makes it fail, for the caller's own reasons; the first one stays. Returns FALSE. */
gboolean filter_link_fail(FilterLink *link, FilterTrouble trouble, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
