/*
 * socket_name: what sockets are called in a policy.
 */
#include "policy/socket_name.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"

typedef enum { KIND_NONE, KIND_LOCAL, KIND_INET, KIND_INET6, KIND_DESCRIPTOR } SocketKind;

/* The kind, and in `rest` what stands behind it. */
static SocketKind
kind_of(const char *name, const char **rest)
{
    static const struct {
        const char *prefix;
        SocketKind kind;
    } kinds[] = {{"unix:", KIND_LOCAL},
                 {"local:", KIND_LOCAL},
                 {"inet:", KIND_INET},
                 {"inet6:", KIND_INET6},
                 {"fd:", KIND_DESCRIPTOR}};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(name, kinds[i].prefix)) {
            *rest = name + strlen(kinds[i].prefix);
            return kinds[i].kind;
        }
    }
    *rest = name;
    return KIND_NONE;
}

static gboolean
check_port(const char *text, const char *port, GError **error)
{
    g_autofree char *digits = g_strndup(port, strcspn(port, "@"));
    const char *host = port + strlen(digits);
    guint64 number;
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 65535, &number, NULL))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\": \"%s\" is no port: a number from 1 to 65535, then \"@HOST\"",
                          text, digits);
    return host[0] == '\0' || host[1] != '\0' ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG, "\"%s\": the host behind \"@\" is missing",
                      text);
}

static gboolean
check_unix_path(const char *text, const char *path, GError **error)
{
    if (!g_path_is_absolute(path))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\": the path of the socket must begin with \"/\"", text);
    return strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path) ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\": the path of a socket has at most %zu octets", text,
                      sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
}

/* Those that can be both listened on and connected to. */
static gboolean
check_common(SocketKind kind, const char *name, const char *rest, GError **error)
{
    return kind == KIND_LOCAL ? check_unix_path(name, rest, error) : check_port(name, rest, error);
}

gboolean
socket_name_check(const char *name, GError **error)
{
    const char *rest;
    guint64 number;
    SocketKind kind = kind_of(name, &rest);
    if (kind == KIND_DESCRIPTOR)
        return g_ascii_string_to_unsigned(rest, 10, 3, 65535, &number, NULL) ||
               error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\": the descriptor is a number from 3 on", name);
    if (kind != KIND_NONE)
        return check_common(kind, name, rest, error);
    return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no socket: write it as \"unix:/path\", \"inet:PORT@HOST\", "
                      "\"inet6:PORT@HOST\" or \"fd:3\"",
                      name);
}

gboolean
socket_name_check_peer(const char *name, GError **error)
{
    const char *rest;
    SocketKind kind = kind_of(name, &rest);
    if (kind == KIND_NONE || kind == KIND_DESCRIPTOR)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no socket to connect to: write it as \"unix:/path\", "
                          "\"inet:PORT@HOST\" or \"inet6:PORT@HOST\"",
                          name);
    if (!check_common(kind, name, rest, error))
        return FALSE;
    return kind == KIND_LOCAL || strchr(rest, '@') != NULL ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" does not say on which host: write it as \"%s@127.0.0.1\"", name,
                      name);
}

/* Without the brackets that six has; NULL: it is no address of that family. The caller frees it. */
static char *
host_of_address(const char *address, gsize length, int family)
{
    struct in6_addr octets; /* the larger one */
    gsize bracket = family == AF_INET6 ? 1 : 0;
    if (length <= 2 * bracket || (bracket > 0 && (address[0] != '[' || address[length - 1] != ']')))
        return NULL;
    g_autofree char *host = g_strndup(address + bracket, length - 2 * bracket);
    return inet_pton(family, host, &octets) == 1 ? g_steal_pointer(&host) : NULL;
}

char *
socket_name_of_address(const char *address, GError **error)
{
    static const struct {
        int family;
        const char *kind;
    } families[] = {{AF_INET, "inet"}, {AF_INET6, "inet6"}};
    const char *colon = strrchr(address, ':');
    guint64 port;
    if (colon != NULL && g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
        for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
            g_autofree char *host =
                host_of_address(address, (gsize)(colon - address), families[i].family);
            if (host != NULL)
                return g_strdup_printf("%s:%u@%s", families[i].kind, (guint)port, host);
        }
    error_fail(error, REPLYMILTER_ERROR_CONFIG,
               "\"%s\" is no address and port: write it as \"127.0.0.1:9125\" or \"[::1]:9125\"",
               address);
    return NULL;
}

const char *
socket_name_path(const char *name)
{
    const char *rest = NULL;
    return name != NULL && kind_of(name, &rest) == KIND_LOCAL ? rest : NULL;
}

/* What stands behind "@", "" if there is nothing. */
static const char *
host_of(const char *port)
{
    const char *at = strchr(port, '@');
    return at != NULL ? at + 1 : "";
}

/* Is it an address of this host that every host has, or all of them? */
static gboolean
is_here(const char *host)
{
    static const char *const names[] = {
        "", "localhost", "0.0.0.0", "::", "[::]", "[::1]", "::1", NULL};
    return g_strv_contains(names, host) || g_str_has_prefix(host, "127.");
}

static gboolean
is_everywhere(const char *host)
{
    static const char *const names[] = {"", "0.0.0.0", "::", "[::]", NULL};
    return g_strv_contains(names, host);
}

gboolean
socket_name_reaches(const char *peer, const char *own)
{
    const char *there, *here;
    if (own == NULL)
        return FALSE;
    SocketKind kind = kind_of(peer, &there), own_kind = kind_of(own, &here);
    if (kind == KIND_LOCAL || own_kind == KIND_LOCAL)
        return kind == own_kind && strcmp(there, here) == 0;
    if (kind == KIND_DESCRIPTOR || own_kind == KIND_DESCRIPTOR ||
        g_ascii_strtoull(there, NULL, 10) != g_ascii_strtoull(here, NULL, 10))
        return FALSE;
    const char *host = host_of(there), *own_host = host_of(here);
    return g_ascii_strcasecmp(host, own_host) == 0 || (is_here(host) && is_everywhere(own_host)) ||
           (is_everywhere(host) && is_here(own_host));
}
