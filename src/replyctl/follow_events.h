/*
 * follow_events: news of a delivery -> its event, on the event log.
 *
 * The event is the daemon's own (record/event.h), by the same classifier, the same site rules and
 * with the same privacy. It is written at once and without a limit of rate: nobody waits for an
 * answer. A sink that refuses it is tried again until it takes it, so that nothing is lost. Main
 * thread.
 */
#pragma once

#include "policy/policy.h"
#include "replyctl/delivery_ledger.h"

typedef struct FollowEvents FollowEvents;

/* Events go to what the policy's log.events names; to standard output if it names nothing, if there
 * is no policy (NULL), or if `to_stdout`. NULL and an error if that cannot be opened. */
FollowEvents *follow_events_new(const Policy *policy, const Classifier *classifier,
                                gboolean to_stdout, GError **error);
void follow_events_free(FollowEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FollowEvents, follow_events_free)

/* `events` is a FollowEvents: the type is that of DeliveryNewsFunction. */
void follow_events_put(const DeliveryNews *news, gpointer events);

/* Asked between two tries to write: is there an end? */
void follow_events_on_wait(FollowEvents *events, gboolean (*is_over)(void));

/* Has an event been given up, since the end came while it could not be written? What was read from
 * then on must be read again. */
gboolean follow_events_lost(const FollowEvents *events);

/* The log file of the same name, as it is now. */
void follow_events_reopen(FollowEvents *events);
