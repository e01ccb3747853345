/*
 * listener: a listening socket and the names it goes by in the file system.
 *
 * Nobody can connect to a bound socket before listen(). So the name is made with its mode (by the
 * umask: a chmod() would follow a link), gets its group, and only then is listened on: there is no
 * moment at which somebody else could have come in.
 */
#include "server/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "policy/socket_name.h"

struct Listener {
    int fd;
    char *address;
    char *path; /* NULL: no name of ours in the file system */
    dev_t device;
    ino_t inode;
    char *link; /* NULL: none of ours */
};

static void fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
fail(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, message);
}

static gboolean
fail_config(GError **error, const char *socket, const char *why)
{
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG, "socket \"%s\": %s", socket,
                why);
    return FALSE;
}

static Listener *
listener_new(int fd, const char *address)
{
    Listener *listener = g_new0(Listener, 1);
    listener->fd = fd;
    listener->address = g_strdup(address);
    return listener;
}

/* ---- unix: and local: ------------------------------------------------------------------------ */

static gboolean
unix_address(const char *socket, const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (*path != '/')
        return fail_config(error, socket, "needs an absolute path");
    if (strlen(path) >= sizeof address->sun_path)
        return fail_config(error, socket, "the path is too long for a socket (107 octets)");
    memcpy(address->sun_path, path, strlen(path) + 1);
    return TRUE;
}

/* Does anybody answer behind this name? ECONNREFUSED is what a socket says whose owner is gone. */
static gboolean
is_abandoned(const struct sockaddr_un *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return FALSE;
    int result = connect(probe, (const struct sockaddr *)address, sizeof *address);
    gboolean abandoned = result < 0 && errno == ECONNREFUSED;
    close(probe);
    return abandoned;
}

/* Removes a dead socket; whatever else has the name is an error. */
static gboolean
make_way(const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) < 0) {
        if (errno == ENOENT)
            return TRUE;
        fail(error, "cannot look at %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (!S_ISSOCK(status.st_mode)) {
        fail(error, "%s is in the way: not a socket, so it is left alone", path);
        return FALSE;
    }
    if (!is_abandoned(address)) {
        fail(error, "another process listens on %s", path);
        return FALSE;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        fail(error, "cannot remove the old socket %s: %s", path, g_strerror(errno));
        return FALSE;
    }
    return TRUE;
}

static gboolean
bind_name(int fd, const struct sockaddr_un *address, guint mode, GError **error)
{
    mode_t before = umask((mode_t)~mode & 0777);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
    int reason = errno;
    umask(before);
    if (result == 0)
        return TRUE;
    g_autofree char *folder = g_path_get_dirname(address->sun_path);
    if (reason == ENOENT)
        fail(error, "cannot make the socket %s: there is no folder %s", address->sun_path, folder);
    else
        fail(error, "cannot make the socket %s: %s", address->sun_path, g_strerror(reason));
    return FALSE;
}

static gboolean
group_number(const char *name, gid_t *gid, GError **error)
{
    char buffer[16384];
    struct group entry, *found = NULL;

    int reason = getgrnam_r(name, &entry, buffer, sizeof buffer, &found);
    if (found == NULL) {
        fail(error, "group \"%s\" for a socket: %s", name,
             reason != 0 ? g_strerror(reason) : "there is no such group");
        return FALSE;
    }
    *gid = found->gr_gid;
    return TRUE;
}

static gboolean
set_group(const char *path, const char *group, GError **error)
{
    gid_t gid;

    if (!group_number(group, &gid, error))
        return FALSE;
    if (lchown(path, (uid_t)-1, gid) == 0)
        return TRUE;
    fail(error, "cannot give %s to the group %s: %s", path, group, g_strerror(errno));
    return FALSE;
}

/* The file behind a path, if it is what stat says: never somebody else's that came in its place. */
static void
unlink_own(const Listener *listener)
{
    struct stat status;

    if (lstat(listener->path, &status) < 0 || status.st_dev != listener->device ||
        status.st_ino != listener->inode)
        return;
    if (unlink(listener->path) < 0)
        log_info("socket %s stays behind: %s", listener->path, g_strerror(errno));
}

/* ---- the link -------------------------------------------------------------------------------- */

static gboolean
link_points_to(const char *link, const char *target)
{
    g_autofree char *found = g_file_read_link(link, NULL);
    return found != NULL && strcmp(found, target) == 0;
}

/* May a new link take this name? */
static gboolean
link_is_free(const char *link, GError **error)
{
    struct stat status;

    if (lstat(link, &status) < 0) {
        if (errno == ENOENT)
            return TRUE;
        fail(error, "cannot look at the link %s: %s", link, g_strerror(errno));
        return FALSE;
    }
    if (S_ISLNK(status.st_mode))
        return TRUE;
    fail(error, "cannot make the link %s: %s of that name is in the way", link,
         S_ISSOCK(status.st_mode) ? "a socket" : "something else");
    return FALSE;
}

/* Made under another name and renamed, so that the link's name is never without a socket. */
static gboolean
make_link(const char *link, const char *target, GError **error)
{
    if (strcmp(link, target) == 0) {
        fail(error, "the link %s is the socket itself", link);
        return FALSE;
    }
    if (!link_is_free(link, error))
        return FALSE;
    if (link_points_to(link, target))
        return TRUE;
    g_autofree char *fresh = g_strdup_printf("%s.new-%ld", link, (long)getpid());
    unlink(fresh);
    if (symlink(target, fresh) == 0 && rename(fresh, link) == 0)
        return TRUE;
    fail(error, "cannot make the link %s to %s: %s", link, target, g_strerror(errno));
    unlink(fresh);
    return FALSE;
}

static Listener *
open_unix(const SocketSettings *settings, const SocketName *name, GError **error)
{
    const char *path = name->path;
    struct sockaddr_un address;
    struct stat status;

    if (!unix_address(settings->socket, path, &address, error) || !make_way(&address, error))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail(error, "cannot make a socket: %s", g_strerror(errno));
        return NULL;
    }
    g_autoptr(Listener) listener = listener_new(fd, settings->socket);
    if (!bind_name(fd, &address, settings->mode, error))
        return NULL;
    if (lstat(path, &status) < 0) {
        fail(error, "the socket %s vanished while it was made", path);
        return NULL;
    }
    listener->path = g_strdup(path);
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    if (settings->group != NULL && !set_group(path, settings->group, error))
        return NULL;
    if (listen(fd, SOMAXCONN) < 0) {
        fail(error, "cannot listen on %s: %s", settings->socket, g_strerror(errno));
        return NULL;
    }
    if (settings->link != NULL) {
        if (!make_link(settings->link, path, error))
            return NULL;
        listener->link = g_strdup(settings->link);
    }
    return g_steal_pointer(&listener);
}

/* ---- inet: and inet6: ------------------------------------------------------------------------ */

static gboolean
is_port(const char *text)
{
    guint64 port;
    return g_ascii_string_to_unsigned(text, 10, 0, 65535, &port, NULL) && g_ascii_isdigit(*text);
}

static gboolean
check_inet(const char *socket, const char *port, const char *host, GError **error)
{
    if (!is_port(port))
        return fail_config(error, socket, "needs a port number, as in inet:2700@127.0.0.1");
    return host == NULL || *host != '\0' || fail_config(error, socket, "has no host behind the @");
}

static struct addrinfo *
look_up(const char *socket, const SocketName *name, GError **error)
{
    const struct addrinfo hints = {
        .ai_family = name->kind == SOCKET_KIND_INET6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    g_autofree char *port = socket_name_port(name), *host = socket_name_host(name);
    struct addrinfo *found = NULL;

    if (!check_inet(socket, port, host, error))
        return NULL;
    int reason = getaddrinfo(host, port, &hints, &found);
    if (reason != 0) {
        fail(error, "socket \"%s\": cannot find the host: %s", socket,
             reason == EAI_SYSTEM ? g_strerror(errno) : gai_strerror(reason));
        return NULL;
    }
    return found;
}

static int
listen_at(const struct addrinfo *where)
{
    const int on = 1;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (where->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* "inet:2700@127.0.0.1": with the port that the kernel chose, where it was 0. */
static char *
bound_address(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";

    if (getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
        return g_strdup("?");
    if (bound.ss_family == AF_UNIX) {
        const char *path = ((struct sockaddr_un *)&bound)->sun_path;
        return g_strdup_printf("unix:%s", path);
    }
    getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    return g_strdup_printf("%s:%s@%s", bound.ss_family == AF_INET6 ? "inet6" : "inet", port, host);
}

static Listener *
open_inet(const SocketSettings *settings, const SocketName *name, GError **error)
{
    struct addrinfo *found = look_up(settings->socket, name, error);
    if (found == NULL)
        return NULL;
    int fd = listen_at(found);
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        if (reason == EADDRINUSE)
            fail(error, "another process listens on %s", settings->socket);
        else
            fail(error, "cannot listen on %s: %s", settings->socket, g_strerror(reason));
        return NULL;
    }
    g_autofree char *address = bound_address(fd);
    return listener_new(fd, address);
}

/* ---- handed over ----------------------------------------------------------------------------- */

static gboolean
is_listening_stream(int fd)
{
    return sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0;
}

Listener *
listener_adopt(int fd, GError **error)
{
    if (!is_listening_stream(fd)) {
        fail(error, "socket \"fd:%d\": that descriptor is not a listening stream socket", fd);
        return NULL;
    }
    int flags = fcntl(fd, F_GETFD);
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    g_autofree char *address = bound_address(fd);
    return listener_new(fd, address);
}

static Listener *
open_fd(const SocketSettings *settings, const SocketName *name, GError **error)
{
    const char *digits = name->descriptor;
    guint64 number;

    if (!g_ascii_isdigit(*digits) ||
        !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT, &number, NULL)) {
        fail_config(error, settings->socket, "needs a descriptor's number, as in fd:3");
        return NULL;
    }
    return listener_adopt((int)number, error);
}

int
listener_inherited(const char *name, GError **error)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(0, &names);
    int found = -1;

    for (int i = 0; i < count && found < 0; i++)
        if (strcmp(names[i], name) == 0)
            found = SD_LISTEN_FDS_START + i;
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    if (found >= 0 && !is_listening_stream(found)) {
        fail(error, "descriptor %d, handed over as \"%s\", is not a listening stream socket", found,
             name);
        return -1;
    }
    return found;
}

/* ---- all of them ----------------------------------------------------------------------------- */

Listener *
listener_open(const SocketSettings *settings, GError **error)
{
    SocketName name = socket_name_parse(settings->socket);
    switch (name.kind) {
    case SOCKET_KIND_LOCAL:
        return open_unix(settings, &name, error);
    case SOCKET_KIND_INET:
    case SOCKET_KIND_INET6:
        return open_inet(settings, &name, error);
    case SOCKET_KIND_DESCRIPTOR:
        return open_fd(settings, &name, error);
    case SOCKET_KIND_NONE:
        break;
    }
    fail_config(error, settings->socket, "begins with none of unix: local: inet: inet6: fd:");
    return NULL;
}

int
listener_fd(const Listener *listener)
{
    return listener->fd;
}

const char *
listener_address(const Listener *listener)
{
    return listener->address;
}

void
listener_close(Listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->link != NULL && link_points_to(listener->link, listener->path) &&
        unlink(listener->link) < 0)
        log_info("link %s stays behind: %s", listener->link, g_strerror(errno));
    if (listener->path != NULL)
        unlink_own(listener);
    close(listener->fd);
    g_free(listener->address);
    g_free(listener->path);
    g_free(listener->link);
    g_free(listener);
}
