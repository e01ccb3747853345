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

/* SMFIF_* flags to ask for, out of those that the MTA offers. */
unsigned long milter_needs_actions(const PolicyNeeds *needs, unsigned long offered);
