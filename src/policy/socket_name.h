/*
 * socket_name: what sockets are called in a policy: "unix:/path", "local:/path", "inet:PORT@HOST",
 * "inet6:PORT@HOST", "fd:N".
 *
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* May one be listened on by that name? FALSE and an error without place. Without "@HOST" it is
 * every address of the host. */
gboolean socket_name_check(const char *name, GError **error);

/* May one be connected to by that name? There the host is needed, and "fd:N" is no name. */
gboolean socket_name_check_peer(const char *name, GError **error);

/* The path of a local socket, which belongs to `name`; NULL if it is another one, or NULL. */
const char *socket_name_path(const char *name);

/* Does what connects to `peer` reach what listens on `own` (NULL: nothing)? As far as the names
 * tell: links and names of this host in the DNS are not followed. */
gboolean socket_name_reaches(const char *peer, const char *own);
