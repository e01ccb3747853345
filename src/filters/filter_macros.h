/*
 * filter_macros: the macros of the MTA that one filter is told.
 *
 * Each list goes before its command, as MTAs send it: what the filter has asked for at this stage,
 * or what an MTA sends by itself to one that has asked for nothing. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "filters/filter_host.h"
#include "wire/milter_negotiation.h"

/* Set `host` and `negotiated`, which must outlive it. */
typedef struct {
    const FilterHost *host;
    const MilterNegotiation *negotiated; /* what holds with this filter */
    guint told; /* bits 1 << MilterStage, since the connection or the message began */
} FilterMacros;

/*
 * Appends what comes before this command: the macros of its stage, and of the stages before it that
 * the MTA did not tell us about by themselves. One that has none now is told so: else it would keep
 * those of the message before. A list that is longer than a filter takes is left out.
 */
void filter_macros_append(FilterMacros *macros, MilterCommandCode code, GString *out);
