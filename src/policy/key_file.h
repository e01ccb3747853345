/*
 * key_file: what file:PATH in a condition names: one key a line, and perhaps a value behind it.
 *
 * Lines that are empty or begin with '#' do not count. Keys ignore ASCII case. In a file for
 * clients a key may be an address block, and the narrowest block that holds the client decides. In
 * one for senders or recipients "@example.org" stands for all addresses of that domain that have
 * no line of their own, and "<>" for the null sender. At most 10 MiB.
 *
 * Immutable after load; threads: any.
 */
#pragma once

#include <glib.h>

#include "policy/fact.h"

typedef struct KeyFile KeyFile;

#define KEY_FILE_MAX_OCTETS (10 * 1024 * 1024)

/* NULL and an error that names the file, and the line where there is one. */
KeyFile *key_file_load(const char *path, Fact fact, GError **error);
void key_file_free(KeyFile *file);

/* The value behind the key, "" where there is none, or NULL: no such key. Belongs to the file. */
const char *key_file_find(const KeyFile *file, const char *key);

/* Does any key have a value? */
gboolean key_file_has_values(const KeyFile *file);
