/*
 * server/listener: sockets, what may be in their way, their names and links.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "base/error.h"
#include "server/listener.h"

typedef struct {
    char *folder, *path, *link, *socket;
    SocketSettings settings;
} Place;

static int
make_place(void **state)
{
    Place *place = g_new0(Place, 1);
    place->folder = g_dir_make_tmp("listener-XXXXXX", NULL);
    assert_non_null(place->folder);
    place->path = g_build_filename(place->folder, "it.sock", NULL);
    place->link = g_build_filename(place->folder, "link.sock", NULL);
    place->socket = g_strconcat("unix:", place->path, NULL);
    place->settings = (SocketSettings){.socket = place->socket, .mode = 0660};
    *state = place;
    return 0;
}

static int
remove_place(void **state)
{
    Place *place = *state;
    g_unlink(place->path);
    g_unlink(place->link);
    int result = g_rmdir(place->folder); /* fails if anything else was left */
    g_free(place->folder);
    g_free(place->path);
    g_free(place->link);
    g_free(place->socket);
    g_free(place);
    return result;
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static gboolean
answers(const char *path)
{
    int fd = connect_to(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static guint
mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    return status.st_mode & 07777;
}

static void
expect_error(const SocketSettings *settings, int code, const char *said)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Listener) listener = listener_open(settings, &error);
    assert_null(listener);
    assert_true(g_error_matches(error, REPLYMILTER_ERROR, code));
    if (strstr(error->message, said) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error->message, said);
}

static void
listens_with_its_mode(void **state)
{
    static const guint modes[] = {0660, 0600, 0666, 0620, 0777};
    Place *place = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        mode_t before = umask(077);
        place->settings.mode = modes[i];
        Listener *listener = listener_open(&place->settings, NULL);
        assert_int_equal(umask(before), 077);
        assert_non_null(listener);
        assert_int_equal(mode_of(place->path), modes[i]);
        assert_true(answers(place->path));
        assert_true(fcntl(listener_fd(listener), F_GETFD) & FD_CLOEXEC);
        assert_string_equal(listener_address(listener), place->socket);
        listener_close(listener);
        assert_int_equal(access(place->path, F_OK), -1);
    }
}

/* As after a crash: the name is there, nobody behind it. */
static void
leave_dead_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    close(fd);
}

static void
takes_the_place_of_a_dead_socket(void **state)
{
    Place *place = *state;
    leave_dead_socket(place->path);
    assert_false(answers(place->path));
    g_autoptr(Listener) listener = listener_open(&place->settings, NULL);
    assert_non_null(listener);
    assert_true(answers(place->path));
}

static void
leaves_what_is_not_a_dead_socket(void **state)
{
    Place *place = *state;
    {
        g_autoptr(Listener) living = listener_open(&place->settings, NULL);
        assert_non_null(living);
        expect_error(&place->settings, REPLYMILTER_ERROR_IO, "another process listens on");
        assert_true(answers(place->path));
    }
    assert_true(g_file_set_contents(place->path, "precious", -1, NULL));
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "not a socket");
    assert_int_equal(access(place->path, F_OK), 0);
    g_unlink(place->path);

    assert_int_equal(symlink("/nowhere", place->path), 0);
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "not a socket");
    g_unlink(place->path);

    assert_int_equal(mkdir(place->path, 0700), 0);
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "not a socket");
    g_rmdir(place->path);
}

static void
removes_only_its_own_name(void **state)
{
    Place *place = *state;
    Listener *first = listener_open(&place->settings, NULL);
    g_unlink(place->path);
    Listener *second = listener_open(&place->settings, NULL);
    assert_non_null(second);
    listener_close(first);
    assert_true(answers(place->path));
    listener_close(second);
    assert_int_equal(access(place->path, F_OK), -1);
}

static void
says_what_no_socket_is(void **state)
{
    static const struct {
        const char *socket, *said;
    } cases[] = {
        {"", "begins with none of unix:"},
        {"/run/x.sock", "begins with none of unix:"},
        {"tcp:25", "begins with none of unix:"},
        {"unix:run/x.sock", "absolute path"},
        {"unix:", "absolute path"},
        {"inet:", "port number"},
        {"inet:smtp@localhost", "port number"},
        {"inet:65536", "port number"},
        {"inet:-1", "port number"},
        {"inet:+25", "port number"},
        {"inet:127.0.0.1:2700", "port number, as in inet:2700@127.0.0.1"},
        {"inet:2700@", "no host behind the @"},
        {"fd:", "descriptor's number"},
        {"fd:x", "descriptor's number"},
        {"fd:-1", "descriptor's number"},
        {"fd:99999999999", "descriptor's number"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i].socket);
        SocketSettings settings = {.socket = text, .mode = 0660};
        expect_error(&settings, REPLYMILTER_ERROR_CONFIG, cases[i].said);
    }
}

static void
says_what_the_system_refuses(void **state)
{
    Place *place = *state;
    g_autofree char *no_folder = g_strdup_printf("unix:%s/none/it.sock", place->folder);
    SocketSettings settings = {.socket = no_folder, .mode = 0660};
    expect_error(&settings, REPLYMILTER_ERROR_IO, "there is no folder");

    g_autofree char *name = g_strnfill(120, 'x');
    g_autofree char *too_long = g_strconcat("unix:/", name, NULL);
    settings.socket = too_long;
    expect_error(&settings, REPLYMILTER_ERROR_CONFIG, "too long");

    g_autofree char *group = g_strdup("no-such-group-here");
    place->settings.group = group;
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "there is no such group");
    assert_int_equal(access(place->path, F_OK), -1);
}

static void
gives_it_to_a_group(void **state)
{
    Place *place = *state;
    struct group *own = getgrgid(getegid());
    struct stat status;
    if (own == NULL)
        skip();
    g_autofree char *group = g_strdup(own->gr_name);
    place->settings.group = group;
    g_autoptr(Listener) listener = listener_open(&place->settings, NULL);
    assert_non_null(listener);
    assert_int_equal(lstat(place->path, &status), 0);
    assert_int_equal(status.st_gid, getegid());
    assert_int_equal(mode_of(place->path), 0660);
}

static void
makes_the_link(void **state)
{
    Place *place = *state;
    place->settings.link = place->link;
    Listener *listener = listener_open(&place->settings, NULL);
    assert_non_null(listener);
    g_autofree char *target = g_file_read_link(place->link, NULL);
    assert_string_equal(target, place->path);
    assert_true(answers(place->link));
    listener_close(listener);
    g_autofree char *left = g_file_read_link(place->link, NULL);
    assert_null(left);
}

static void
replaces_an_old_link(void **state)
{
    static const char *const targets[] = {"/nowhere/at/all", NULL /* the right one */, "/"};
    Place *place = *state;
    place->settings.link = place->link;
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_unlink(place->link);
        assert_int_equal(symlink(targets[i] != NULL ? targets[i] : place->path, place->link), 0);
        g_autoptr(Listener) listener = listener_open(&place->settings, NULL);
        assert_non_null(listener);
        g_autofree char *target = g_file_read_link(place->link, NULL);
        assert_string_equal(target, place->path);
    }
}

static void
leaves_what_has_the_links_name(void **state)
{
    Place *place = *state;
    place->settings.link = place->link;
    assert_true(g_file_set_contents(place->link, "precious", -1, NULL));
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "something else of that name");
    assert_int_equal(access(place->path, F_OK), -1); /* nothing half done stays */
    g_unlink(place->link);

    g_autofree char *other = g_strconcat("unix:", place->link, NULL);
    SocketSettings settings = {.socket = other, .mode = 0600};
    g_autoptr(Listener) theirs = listener_open(&settings, NULL);
    assert_non_null(theirs);
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "a socket of that name");
    assert_true(answers(place->link));

    place->settings.link = place->path;
    expect_error(&place->settings, REPLYMILTER_ERROR_IO, "is the socket itself");
}

/* Somebody has turned the link elsewhere: it is not ours to remove any more. */
static void
leaves_a_link_that_was_turned(void **state)
{
    Place *place = *state;
    place->settings.link = place->link;
    Listener *listener = listener_open(&place->settings, NULL);
    g_unlink(place->link);
    assert_int_equal(symlink("/elsewhere", place->link), 0);
    listener_close(listener);
    g_autofree char *target = g_file_read_link(place->link, NULL);
    assert_string_equal(target, "/elsewhere");
}

static void
listens_on_the_network(void **state)
{
    static const struct {
        const char *socket, *prefix, *suffix;
    } cases[] = {
        {"inet:0", "inet:", "@127.0.0.1"},
        {"inet:0@127.0.0.1", "inet:", "@127.0.0.1"},
        {"inet:0@localhost", "inet:", "@127.0.0.1"},
        {"inet:0@[127.0.0.1]", "inet:", "@127.0.0.1"},
        {"inet6:0", "inet6:", "@::1"},
        {"inet6:0@[::1]", "inet6:", "@::1"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup(cases[i].socket);
        g_autoptr(GError) error = NULL;
        SocketSettings settings = {.socket = text};
        g_autoptr(Listener) listener = listener_open(&settings, &error);
        if (listener == NULL && g_str_has_prefix(text, "inet6"))
            continue; /* a host without IPv6 */
        assert_non_null(listener);
        assert_true(g_str_has_prefix(listener_address(listener), cases[i].prefix));
        assert_true(g_str_has_suffix(listener_address(listener), cases[i].suffix));

        const char *at = strchr(listener_address(listener), '@');
        const char *port = listener_address(listener) + strlen(cases[i].prefix);
        g_autofree char *same =
            g_strdup_printf("%s%.*s%s", cases[i].prefix, (int)(at - port), port, at);
        SocketSettings taken = {.socket = same};
        expect_error(&taken, REPLYMILTER_ERROR_IO, "another process listens on");
    }
    g_autofree char *text = g_strdup("inet:0@host.invalid");
    SocketSettings settings = {.socket = text};
    expect_error(&settings, REPLYMILTER_ERROR_IO, "cannot find the host");
}

static void
takes_over_a_descriptor(void **state)
{
    Place *place = *state;
    g_autoptr(Listener) origin = listener_open(&place->settings, NULL);
    g_autofree char *text = g_strdup_printf("fd:%d", dup(listener_fd(origin)));
    SocketSettings settings = {.socket = text};
    Listener *listener = listener_open(&settings, NULL);
    assert_non_null(listener);
    assert_string_equal(listener_address(listener), place->socket);
    listener_close(listener);
    assert_int_equal(access(place->path, F_OK), 0); /* the name is not ours */

    g_autofree char *closed = g_strdup_printf("fd:%d", 900);
    settings.socket = closed;
    expect_error(&settings, REPLYMILTER_ERROR_IO, "not a listening stream socket");
    g_autofree char *connected = g_strdup_printf("fd:%d", connect_to(place->path));
    settings.socket = connected;
    expect_error(&settings, REPLYMILTER_ERROR_IO, "not a listening stream socket");
    close(atoi(connected + 3));
}

/* In a child, since descriptors are handed over from number 3 on. */
static void
child_with_handed_over(int listening)
{
    g_autoptr(GError) error = NULL;
    int file = open("/dev/null", O_RDONLY);
    int socket = fcntl(listening, F_DUPFD, 10);
    dup2(file, 3);
    dup2(socket, 4);
    g_autofree char *pid = g_strdup_printf("%ld", (long)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "file:tables", 1);
    gboolean good = listener_inherited("tables", &error) == 4 && error == NULL;
    good = good && listener_inherited("milter", &error) == -1 && error == NULL;
    good = good && listener_inherited("file", &error) == -1 && error != NULL;
    _exit(good ? 0 : 1);
}

static void
finds_what_was_handed_over(void **state)
{
    Place *place = *state;
    int status;
    g_autoptr(Listener) listener = listener_open(&place->settings, NULL);
    assert_int_equal(listener_inherited("tables", NULL), -1);
    pid_t child = fork();
    if (child == 0)
        child_with_handed_over(listener_fd(listener));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define WITH_PLACE(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(listens_with_its_mode),
        WITH_PLACE(takes_the_place_of_a_dead_socket),
        WITH_PLACE(leaves_what_is_not_a_dead_socket),
        WITH_PLACE(removes_only_its_own_name),
        cmocka_unit_test(says_what_no_socket_is),
        WITH_PLACE(says_what_the_system_refuses),
        WITH_PLACE(gives_it_to_a_group),
        WITH_PLACE(makes_the_link),
        WITH_PLACE(replaces_an_old_link),
        WITH_PLACE(leaves_what_has_the_links_name),
        WITH_PLACE(leaves_a_link_that_was_turned),
        cmocka_unit_test(listens_on_the_network),
        WITH_PLACE(takes_over_a_descriptor),
        WITH_PLACE(finds_what_was_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
