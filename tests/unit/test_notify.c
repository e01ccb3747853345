/*
 * server/notify: the datagrams that systemd gets.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "server/notify.h"

/* systemd's end. */
typedef struct {
    char *folder;
    struct sockaddr_un address;
    int fd;
} Manager;

static int
setup(void **state)
{
    Manager *manager = g_new0(Manager, 1);
    manager->folder = g_dir_make_tmp("test_notify.XXXXXX", NULL);
    manager->address.sun_family = AF_UNIX;
    g_snprintf(manager->address.sun_path, sizeof(manager->address.sun_path), "%s/notify",
               manager->folder);
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *state = manager;
    g_setenv("NOTIFY_SOCKET", manager->address.sun_path, TRUE);
    return bind(manager->fd, (const struct sockaddr *)&manager->address, sizeof(manager->address));
}

static int
teardown(void **state)
{
    Manager *manager = *state;
    g_unsetenv("NOTIFY_SOCKET");
    (void)close(manager->fd);
    (void)g_unlink(manager->address.sun_path);
    (void)g_rmdir(manager->folder);
    g_free(manager->folder);
    g_free(manager);
    return 0;
}

/* The next datagram, or NULL: none is there. The caller frees it. */
static char *
told(const Manager *manager)
{
    char octets[4096];
    ssize_t got = recv(manager->fd, octets, sizeof(octets), 0);
    return got < 0 ? NULL : g_strndup(octets, (gsize)got);
}

static gint64
monotonic_us(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* One datagram with this text, and no other. */
static void
is_told(const Manager *manager, const char *wanted)
{
    g_autofree char *got = told(manager);
    g_autofree char *more = told(manager);
    assert_non_null(got);
    assert_string_equal(got, wanted);
    assert_null(more);
}

static void
tells_that_it_is_ready(void **state)
{
    notify_ready("/etc/100%s.conf");
    is_told(*state, "READY=1\nSTATUS=Serving the policy of /etc/100%s.conf");
}

/* Type=notify-reload compares the time with that of its SIGHUP. */
static void
tells_when_it_began_to_reload(void **state)
{
    static const char start[] = "RELOADING=1\nMONOTONIC_USEC=";
    gint64 before = monotonic_us();
    notify_reloading();
    gint64 after = monotonic_us();
    char *end;
    g_autofree char *got = told(*state);
    assert_non_null(got);
    assert_true(g_str_has_prefix(got, start));
    gint64 at = g_ascii_strtoll(got + strlen(start), &end, 10);
    assert_string_equal(end, "\nWATCHDOG=1");
    assert_true(at >= before && at <= after);
    assert_null(told(*state));
}

static void
tells_that_it_stops(void **state)
{
    notify_stopping();
    is_told(*state, "STOPPING=1\nSTATUS=Letting the messages under way end");
}

/* The first sign of life at once, the next when a quarter of the time has gone. */
static void
tells_that_it_lives(void **state)
{
    g_setenv("WATCHDOG_USEC", "200000", TRUE);
    g_autofree char *pid = g_strdup_printf("%ld", (long)getpid());
    g_setenv("WATCHDOG_PID", pid, TRUE);
    notify_alive();
    is_told(*state, "WATCHDOG=1");
    notify_alive();
    assert_null(told(*state));
    g_usleep(55000);
    notify_alive();
    is_told(*state, "WATCHDOG=1");
    g_usleep(55000);
    g_setenv("WATCHDOG_PID", "1", TRUE); /* somebody else is meant */
    notify_alive();
    assert_null(told(*state));
    g_unsetenv("WATCHDOG_PID");
    g_unsetenv("WATCHDOG_USEC");
    notify_alive();
    assert_null(told(*state));
}

static void
knows_the_journal(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    guint64 device = status.st_dev, inode = status.st_ino;
    const struct {
        char *stream;
        gboolean journal;
    } cases[] = {
        {g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, device, inode), TRUE},
        {g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, device, inode + 1), FALSE},
        {g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, device + 1, inode), FALSE},
        {g_strdup_printf("%" G_GUINT64_FORMAT, device), FALSE},
        {g_strdup(""), FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_setenv("JOURNAL_STREAM", cases[i].stream, TRUE);
        assert_int_equal(notify_journal_reads_stderr(), cases[i].journal);
        g_free(cases[i].stream);
    }
    g_unsetenv("JOURNAL_STREAM");
    assert_false(notify_journal_reads_stderr());
}

static void
tells_nobody_without_systemd(void **state)
{
    g_unsetenv("NOTIFY_SOCKET");
    notify_ready("/etc/replymilter.conf");
    notify_reloading();
    notify_stopping();
    assert_null(told(*state));
    /* A manager that is gone does no harm. */
    g_setenv("NOTIFY_SOCKET", "/nonexistent/notify", TRUE);
    notify_ready("/etc/replymilter.conf");
    assert_null(told(*state));
}

#define WITH_MANAGER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MANAGER(tells_that_it_is_ready), WITH_MANAGER(tells_when_it_began_to_reload),
        WITH_MANAGER(tells_that_it_stops),    WITH_MANAGER(tells_that_it_lives),
        cmocka_unit_test(knows_the_journal),  WITH_MANAGER(tells_nobody_without_systemd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
