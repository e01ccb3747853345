/*
 * recorder: a decision -> its event, joined with the other doors' view of it, on the log.
 *
 * Threads: any, each with its own decision.
 */
#pragma once

#include "engine/decision.h"
#include "engine/facts.h"
#include "record/event.h"
#include "server/chance.h"
#include "server/door_context.h"

/* How long the milter door lets an answer wait for its event. */
#define RECORDER_MILTER_WAIT_US (50 * 1000)

/*
 * Counts the decision and the site rule that decided, and writes one event; wait_us as for
 * event_log_put() (0 from the tables). Whatever goes wrong is counted and warned of by the log, and
 * never the mail's business.
 */
void recorder_put(const DoorContext *context, const Policy *policy, const Facts *facts,
                  const Decision *decision, gint64 now_us, Chance *chance, gint64 wait_us);

/* Likewise one event for a filter that has failed; the facts are those of filter_reply_enter(). */
void recorder_put_filter_failure(const DoorContext *context, const Policy *policy,
                                 const Facts *facts, const EventFilterFailure *failure,
                                 gint64 now_us, Chance *chance, gint64 wait_us);
