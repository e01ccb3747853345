/*
 * socket_name: what sockets are called in a policy: "unix:/path", "local:/path", "inet:PORT@HOST",
 * "inet6:PORT@HOST", "fd:N".
 *
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    SOCKET_KIND_NONE,       /* it begins as none of them */
    SOCKET_KIND_LOCAL,      /* "unix:", "local:" */
    SOCKET_KIND_INET,       /* "inet:" */
    SOCKET_KIND_INET6,      /* "inet6:" */
    SOCKET_KIND_DESCRIPTOR, /* "fd:" */
} SocketKind;

/* A name taken apart: each as it is written there, possibly "", and NULL where its kind has none.
 * All belong to the name. */
typedef struct {
    SocketKind kind;
    const char *path;       /* LOCAL */
    const char *descriptor; /* DESCRIPTOR */
    const char *port;       /* INET, INET6: of that length */
    gsize port_length;
    const char *host; /* INET, INET6: what stands behind the first "@"; NULL: there is no "@" */
} SocketName;

/* Takes apart and judges nothing but the kind: for what may stand there see the checks. */
SocketName socket_name_parse(const char *name);

/* The port of an INET or INET6. The caller frees it. */
char *socket_name_port(const SocketName *parsed);

/* The host, without the brackets of "[::1]"; NULL: none is named. The caller frees it. */
char *socket_name_host(const SocketName *parsed);

/* Where to connect to what listens on an INET or INET6: the host as it is written, or the loopback
 * address if none is named. Static, or the name's. */
const char *socket_name_near(const SocketName *parsed);

/* May one be listened on by that name? FALSE and an error without place. Without "@HOST" it is
 * every address of the host. */
gboolean socket_name_check(const char *name, GError **error);

/* May one be connected to by that name? There the host is needed, and "fd:N" is no name. */
gboolean socket_name_check_peer(const char *name, GError **error);

/* The path of a local socket, which belongs to `name`; NULL if it is another one, or NULL. */
const char *socket_name_path(const char *name);

/*
 * The name of what listens at an address in the form that the web has, "127.0.0.1:9125" or
 * "[::1]:9125": "inet:9125@127.0.0.1". NULL and an error without place if it is none; names of
 * hosts are none. The caller frees it.
 */
char *socket_name_of_address(const char *address, GError **error);

/* Does what connects to `peer` reach what listens on `own` (NULL: nothing)? As far as the names
 * tell: links and names of this host in the DNS are not followed. */
gboolean socket_name_reaches(const char *peer, const char *own);
