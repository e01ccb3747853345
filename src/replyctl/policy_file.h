/*
 * policy_file: the policy that a command was given, with its faults told.
 */
#pragma once

#include "policy/policy.h"

/* The file named by argv[1], else the installed one. NULL: every fault is on standard error. */
Policy *policy_file_load(int argc, char **argv);

/* The same for a path. */
Policy *policy_file_load_path(const char *path);
