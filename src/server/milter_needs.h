/*
 * milter_needs: what the policy's needs are in the milter protocol: steps, actions, macros.
 *
 * Pure functions; `replyctl check` prints the same needs from the policy. Threads: any.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

/* SMFIP_* flags to ask for, out of those that the MTA offers. */
unsigned long milter_needs_steps(const PolicyNeeds *needs, unsigned long offered);

/*
 * The same as libmilter can live with them, for what was joined with the needs of others. It knows
 * no way from DATA to a body, or to the end of the message, but by headers or their end: were the
 * end left out, a mail without any header would get no answer.
 */
unsigned long milter_needs_whole(unsigned long steps);

/* SMFIF_* flags to ask for, out of those that the MTA offers. */
unsigned long milter_needs_actions(const PolicyNeeds *needs, unsigned long offered);
