/*
 * reload: a policy file -> the policy in force.
 *
 * Main thread only.
 */
#pragma once

#include "server/door_context.h"

/* Loads and logs everything that is wrong, or hardly meant. NULL: it was wrong. */
Policy *reload_load(const char *path, Classifier *classifier);

/*
 * Loads the policy anew and puts it in force, or keeps the old one; the event log is opened again
 * in either case, so that a rotation needs no good policy. `started` is the policy whose sockets
 * are open: what only a restart changes is told apart from that one. FALSE: the old one was kept.
 */
gboolean reload_apply(const char *path, const Policy *started, const DoorContext *context);

/* For -n: logs what is not there on this host, without which the daemon could not start. */
void reload_look_around(const Policy *policy);
