/*
 * surroundings: is there on this host what a good policy takes for granted?
 *
 * The policy is not at fault, so loading does not ask; `replymilter -n` and `replyctl check` do,
 * and a reload that changes what only a restart can. The service manager may well make what is
 * missing. Threads: any.
 */
#pragma once

#include "policy/policy.h"

/* Adds a PolicyProblem * for each folder that the daemon would need and that is not there. */
void surroundings_check(const Policy *policy, GPtrArray *warnings);
