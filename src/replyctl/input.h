/*
 * input: what a command is given to read, bounded.
 */
#pragma once

#include <glib.h>

enum { INPUT_REPLY_MAX = 1024 * 1024, INPUT_MESSAGE_MAX = 64 * 1024 * 1024 };

/* A file, or for "-" standard input, of at most `most` octets; NUL octets become spaces. NULL and
 * an error if it cannot be read or is longer. The caller frees it. */
GString *input_file(const char *path, gsize most, GError **error);

/* The command's words joined with spaces; for a lone "-", standard input. NULL and an error if that
 * cannot be read or is too long. The caller frees it. */
GString *input_words_or_stdin(int argc, char **argv, GError **error);
