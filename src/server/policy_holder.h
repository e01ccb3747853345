/*
 * policy_holder: the policy that is in force now, for whoever asks, and what became of the attempts
 * to put another in force.
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

/* A reload has failed: `problems` says why, a text each, ends with NULL and is taken over. */
void policy_holder_note_failure(PolicyHolder *holder, char **problems);

typedef struct {
    gint64 loaded_us; /* clock_now_us() when the policy in force was put there */
    guint64 loads;    /* how many have been, the first included */
    guint64 failures; /* reloads that have failed */
    gint64 failed_us; /* when the last one did; 0: none */
    char **problems;  /* why; ends with NULL; NULL: none has failed */
} PolicyHistory;

/* What has happened so far. The caller clears it. */
PolicyHistory policy_holder_history(PolicyHolder *holder);
void policy_history_clear(PolicyHistory *history);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PolicyHistory, policy_history_clear)
