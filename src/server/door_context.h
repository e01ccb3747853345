/*
 * door_context: what every door of the daemon is given.
 *
 * Borrowed by the doors, owned by main(); everything behind it may be used from any thread.
 */
#pragma once

#include "filters/filter_state.h"
#include "record/event_log.h"
#include "record/joins.h"
#include "server/metrics.h"
#include "server/policy_holder.h"

typedef struct {
    PolicyHolder *policies;
    EventLog *events;
    Joins *joins;
    FilterStates *filters; /* may be NULL where no policy ever has filters */
    Metrics *metrics;      /* NULL: nobody wants to know */
} DoorContext;
