/*
 * socket_name: what sockets are called in a policy.
 */
#include "policy/socket_name.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"

/* Behind the kind: the path, the port, or the descriptor. */
static SocketKind
kind_of(const char *name, const char **rest)
{
    static const struct {
        const char *prefix;
        SocketKind kind;
    } kinds[] = {{"unix:", SOCKET_KIND_LOCAL},
                 {"local:", SOCKET_KIND_LOCAL},
                 {"inet:", SOCKET_KIND_INET},
                 {"inet6:", SOCKET_KIND_INET6},
                 {"fd:", SOCKET_KIND_DESCRIPTOR}};
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(name, kinds[i].prefix)) {
            *rest = name + strlen(kinds[i].prefix);
            return kinds[i].kind;
        }
    }
    return SOCKET_KIND_NONE;
}

SocketName
socket_name_parse(const char *name)
{
    const char *rest = NULL;
    SocketName parsed = {.kind = kind_of(name, &rest)};
    if (parsed.kind == SOCKET_KIND_LOCAL) {
        parsed.path = rest;
    } else if (parsed.kind == SOCKET_KIND_DESCRIPTOR) {
        parsed.descriptor = rest;
    } else if (parsed.kind != SOCKET_KIND_NONE) {
        parsed.port = rest;
        parsed.port_length = strcspn(rest, "@");
        parsed.host = rest[parsed.port_length] == '@' ? rest + parsed.port_length + 1 : NULL;
    }
    return parsed;
}

char *
socket_name_port(const SocketName *parsed)
{
    return g_strndup(parsed->port, parsed->port_length);
}

char *
socket_name_host(const SocketName *parsed)
{
    const char *host = parsed->host;
    gsize length = host != NULL ? strlen(host) : 0;
    gboolean in_brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
    return in_brackets ? g_strndup(host + 1, length - 2) : g_strdup(host);
}

const char *
socket_name_near(const SocketName *parsed)
{
    if (parsed->host != NULL)
        return parsed->host;
    return parsed->kind == SOCKET_KIND_INET6 ? "::1" : "127.0.0.1";
}

static gboolean
check_port(const char *text, const SocketName *parsed, GError **error)
{
    g_autofree char *digits = socket_name_port(parsed);
    guint64 number;
    if (!g_ascii_string_to_unsigned(digits, 10, 1, 65535, &number, NULL))
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\": \"%s\" is no port: a number from 1 to 65535, then \"@HOST\"",
                          text, digits);
    return parsed->host == NULL || parsed->host[0] != '\0' ||
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
check_common(const char *name, const SocketName *parsed, GError **error)
{
    return parsed->kind == SOCKET_KIND_LOCAL ? check_unix_path(name, parsed->path, error)
                                             : check_port(name, parsed, error);
}

gboolean
socket_name_check(const char *name, GError **error)
{
    SocketName parsed = socket_name_parse(name);
    guint64 number;
    if (parsed.kind == SOCKET_KIND_DESCRIPTOR)
        return g_ascii_string_to_unsigned(parsed.descriptor, 10, 3, 65535, &number, NULL) ||
               error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\": the descriptor is a number from 3 on", name);
    if (parsed.kind != SOCKET_KIND_NONE)
        return check_common(name, &parsed, error);
    return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no socket: write it as \"unix:/path\", \"inet:PORT@HOST\", "
                      "\"inet6:PORT@HOST\" or \"fd:3\"",
                      name);
}

gboolean
socket_name_check_peer(const char *name, GError **error)
{
    SocketName parsed = socket_name_parse(name);
    if (parsed.kind == SOCKET_KIND_NONE || parsed.kind == SOCKET_KIND_DESCRIPTOR)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" is no socket to connect to: write it as \"unix:/path\", "
                          "\"inet:PORT@HOST\" or \"inet6:PORT@HOST\"",
                          name);
    if (!check_common(name, &parsed, error))
        return FALSE;
    return parsed.kind == SOCKET_KIND_LOCAL || parsed.host != NULL ||
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
    return name != NULL ? socket_name_parse(name).path : NULL;
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

/* Those of the internet. Without a host it is every address. */
static gboolean
port_reaches(const SocketName *peer, const SocketName *own)
{
    if (g_ascii_strtoull(peer->port, NULL, 10) != g_ascii_strtoull(own->port, NULL, 10))
        return FALSE;
    const char *host = peer->host != NULL ? peer->host : "";
    const char *own_host = own->host != NULL ? own->host : "";
    return g_ascii_strcasecmp(host, own_host) == 0 || (is_here(host) && is_everywhere(own_host)) ||
           (is_everywhere(host) && is_here(own_host));
}

gboolean
socket_name_reaches(const char *peer, const char *own)
{
    if (own == NULL)
        return FALSE;
    SocketName there = socket_name_parse(peer), here = socket_name_parse(own);
    if (there.path != NULL && here.path != NULL)
        return strcmp(there.path, here.path) == 0;
    return there.port != NULL && here.port != NULL && port_reaches(&there, &here);
}
