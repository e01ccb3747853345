/*
 * policy_file: the policy that a command was given, with its faults told.
 */
#pragma once

#include "policy/policy.h"

/* At most one word is left? FALSE: wrong usage, said. */
gboolean policy_file_is_one(int argc, char **argv);

/* The file named by argv[1], else the installed one. It reads no texts of replies. NULL: every
 * fault is on standard error. */
Policy *policy_file_load(int argc, char **argv, gboolean warn);

/* The same for a path, with a classifier; NULL for that: no reply will be classified. */
Policy *policy_file_load_path(const char *path, Classifier *classifier, gboolean warn);

/* Warns of what is not there on this host, without which the daemon could not start. */
void policy_file_look_around(const Policy *policy);
