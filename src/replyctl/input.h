/*
 * input: what a command is given to read.
 */
#pragma once

#include <glib.h>

/* The command's words joined with spaces; for a lone "-", standard input (bounded). NULL and an
 * error if that cannot be read or is too long. The caller frees it. */
GString *input_words_or_stdin(int argc, char **argv, GError **error);
