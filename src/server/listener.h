/*
 * listener: a listening socket and the names it goes by in the file system.
 *
 * Opens what a `socket` setting names, with its mode, its group and its symbolic link, before
 * privileges are dropped, and takes the names away at the end if they are still its own. What is in
 * the way is only removed if it is a socket that nobody listens on, or, for the link, a symbolic
 * link. A Listener belongs to one thread; listener_open() changes the process's umask for a moment,
 * so that it is called before other threads make files.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct Listener Listener;

/*
 * Opens settings->socket: "unix:/path", "local:/path", "inet:PORT[@HOST]", "inet6:PORT[@HOST]" or
 * "fd:N". Without a host it is the loopback address. Mode, group and link are those of the
 * settings; an inherited "fd:N" has them from whoever opened it, and all three are left alone.
 * NULL and an error that says what is in the way (REPLYMILTER_ERROR_CONFIG for a text that names no
 * socket, else REPLYMILTER_ERROR_IO).
 */
Listener *listener_open(const SocketSettings *settings, GError **error);

/* Takes over an inherited listening stream socket. NULL and an error if it is none. */
Listener *listener_adopt(int fd, GError **error);

/*
 * The descriptor that the service manager handed over by that name (FileDescriptorName=), checked
 * to be a listening stream socket. -1 without an error: there is none of that name.
 */
int listener_inherited(const char *name, GError **error);

/* Belongs to the listener (a library that closes what it is given gets a dup() of it). Blocking,
 * close-on-exec. */
int listener_fd(const Listener *listener);

/* "unix:/run/x.sock", "inet:2700@127.0.0.1": for a log line; belongs to the listener. */
const char *listener_address(const Listener *listener);

/*
 * Closes the socket and removes its name and its link if both are still what listener_open() made.
 * Names that cannot be removed any more (privileges are gone) stay, and the next start takes them
 * over. NULL is let be.
 */
void listener_close(Listener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listener, listener_close)
