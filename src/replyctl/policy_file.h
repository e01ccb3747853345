/*
 * policy_file: the policy that a command was given, with its faults told.
 */
#pragma once

#include "policy/policy.h"

/* The file that an option has named (NULL: none) or the one word that is left, else the installed
 * one; borrowed. NULL: wrong usage, said. */
const char *policy_file_choose(int argc, char **argv, const char *named);

/* Without a classifier (NULL) no reply will be classified. NULL: every fault is on standard error.
 */
Policy *policy_file_load_path(const char *path, Classifier *classifier, gboolean warn);

/* Warns of what is not there on this host, without which the daemon could not start. */
void policy_file_look_around(const Policy *policy);
