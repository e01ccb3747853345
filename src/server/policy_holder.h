/*
 * policy_holder: the policy that is in force now, for whoever asks.
 *
 * A reload puts a whole new snapshot in; what began with the old one keeps it until it is done.
 * Threads: any, but for policy_holder_free().
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct PolicyHolder PolicyHolder;

/* Takes over the caller's reference. */
PolicyHolder *policy_holder_new(Policy *policy);
void policy_holder_free(PolicyHolder *holder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PolicyHolder, policy_holder_free)

/* A new reference to the policy in force; never NULL. */
Policy *policy_holder_get(PolicyHolder *holder);

/* Puts `policy` in force; takes over the caller's reference and lets the old policy go. */
void policy_holder_set(PolicyHolder *holder, Policy *policy);
