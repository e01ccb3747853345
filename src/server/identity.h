/*
 * identity: who the process is: its user, and the file that holds its number.
 *
 * Main thread, before others are started.
 */
#pragma once

#include <glib.h>

/* Becomes the user with its groups, for good. FALSE and an error: then nothing should go on. */
gboolean identity_become(const char *user, GError **error);

gboolean identity_write_pid_file(const char *path, GError **error);
