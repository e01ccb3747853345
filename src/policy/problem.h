/*
 * problem: what is wrong with a policy, as policy_load() hands it out.
 *
 * Threads: one owner.
 */
#pragma once

#include <stdarg.h>

#include "policy/policy.h"

PolicyProblem *problem_new(const char *file, guint line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
PolicyProblem *problem_new_valist(const char *file, guint line, const char *format,
                                  va_list arguments) G_GNUC_PRINTF(3, 0);
