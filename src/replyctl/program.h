/*
 * program: another program, run to its end.
 */
#pragma once

#include <glib.h>

/*
 * Runs `words` (the program, found by PATH, its arguments, NULL). FALSE and an error with what it
 * said on standard error if it cannot be run, or ends with a status greater than `most`. `output`
 * (what it said on standard output) is the caller's; NULL: it goes to ours.
 */
gboolean program_run(const char *const *words, int most, char **output, GError **error);
