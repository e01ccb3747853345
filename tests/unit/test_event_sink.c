/*
 * record/event_sink: each line whole or told to be missing, in a file, on standard output and to a
 * syslog of the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "record/event.h"
#include "record/event_sink.h"

typedef struct {
    char *folder, *path, *rotated;
    PolicySettings settings;
} Fixture;

static int
setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("test_event_sink.XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "events.jsonl", NULL);
    fixture->rotated = g_build_filename(fixture->folder, "events.jsonl.1", NULL);
    fixture->settings.log.events = fixture->path;
    fixture->settings.log.syslog = (char *)"mail";
    *state = fixture;
    return fixture->folder == NULL;
}

static int
teardown(void **state)
{
    Fixture *fixture = *state;
    (void)g_remove(fixture->path);
    (void)g_remove(fixture->rotated);
    (void)g_rmdir(fixture->folder);
    g_free(fixture->rotated);
    g_free(fixture->path);
    g_free(fixture->folder);
    g_free(fixture);
    return 0;
}

static EventSink *
open_sink(const PolicySettings *settings)
{
    g_autoptr(GError) error = NULL;
    EventSink *sink = event_sink_open(settings, &error);
    assert_null(error);
    assert_non_null(sink);
    return sink;
}

/* 0, or what event_sink_write() says is wrong. */
static int
put(EventSink *sink, const char *line)
{
    int error_number = 0;
    gboolean written = event_sink_write(sink, line, strlen(line), &error_number);
    assert_int_equal(written, error_number == 0);
    return error_number;
}

static void
holds(const char *path, const char *wanted)
{
    g_autofree char *content = NULL;
    assert_true(g_file_get_contents(path, &content, NULL, NULL));
    assert_string_equal(content, wanted);
}

/* ---- a file ---------------------------------------------------------------------------------- */

static void
appends_to_a_file(void **state)
{
    Fixture *fixture = *state;
    struct stat status;
    mode_t mask = umask(0);
    EventSink *sink = open_sink(&fixture->settings);
    (void)umask(mask);
    assert_string_equal(event_sink_name(sink), fixture->path);
    assert_int_equal(put(sink, "one\n"), 0);
    /* Another writer's line is not overwritten. */
    int other = open(fixture->path, O_WRONLY | O_APPEND);
    assert_int_equal(write(other, "other\n", 6), 6);
    (void)close(other);
    assert_int_equal(put(sink, "two\n"), 0);
    event_sink_close(sink);
    holds(fixture->path, "one\nother\ntwo\n");
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

static void
goes_on_behind_what_is_there(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"", "line\n"},
        {"whole\n", "whole\nline\n"},
        {"whole\ntor", "whole\ntor\nline\n"},
        {"t", "t\nline\n"},
    };
    Fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(g_file_set_contents(fixture->path, cases[i].before, -1, NULL));
        EventSink *sink = open_sink(&fixture->settings);
        assert_int_equal(put(sink, "line\n"), 0);
        event_sink_close(sink);
        holds(fixture->path, cases[i].after);
    }
}

static void
says_what_cannot_be_opened(void **state)
{
    Fixture *fixture = *state;
    static const struct {
        const char *path, *why;
    } cases[] = {
        {"/nonexistent/events.jsonl", "No such file or directory"},
        {"/", "Is a directory"},
        {"PIPE", "No such device or address"}, /* at once: nobody waits for a reader */
    };
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const char *path = strcmp(cases[i].path, "PIPE") == 0 ? fixture->path : cases[i].path;
        PolicySettings settings = {.log = {.events = (char *)path}};
        g_autofree char *wanted =
            g_strdup_printf("the event log \"%s\" cannot be opened: %s", path, cases[i].why);
        assert_null(event_sink_open(&settings, &error));
        assert_string_equal(error->message, wanted);
    }
}

static void
limit_file_size(rlim_t octets)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = MIN(octets, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
closes_off_a_line_that_was_cut_short(void **state)
{
    Fixture *fixture = *state;
    EventSink *sink = open_sink(&fixture->settings);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(8);
    assert_int_equal(put(sink, "first\n"), 0);
    assert_int_equal(put(sink, "second\n"), ENOSPC);
    assert_int_equal(put(sink, "third\n"), EFBIG);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(put(sink, "fourth\n"), 0);
    assert_int_equal(put(sink, "fifth\n"), 0);
    event_sink_close(sink);
    holds(fixture->path, "first\nse\nfourth\nfifth\n");
}

/* Room for the newline that closes the torn line, and for no more. */
static void
closes_off_a_torn_line_once_more_where_need_be(void **state)
{
    Fixture *fixture = *state;
    assert_true(g_file_set_contents(fixture->path, "torn", -1, NULL));
    EventSink *sink = open_sink(&fixture->settings);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(7);
    assert_int_equal(put(sink, "second\n"), ENOSPC);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(put(sink, "third\n"), 0);
    event_sink_close(sink);
    holds(fixture->path, "torn\nse\nthird\n");
}

static void
says_why_a_line_is_not_there(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"/dev/full"}};
    EventSink *sink = open_sink(&settings);
    (void)state;
    assert_int_equal(put(sink, "line\n"), ENOSPC);
    assert_int_equal(put(sink, "line\n"), ENOSPC);
    event_sink_close(sink);
}

/* ---- rotation -------------------------------------------------------------------------------- */

static gboolean
reopen(EventSink *sink)
{
    g_autoptr(GError) error = NULL;
    gboolean reopened = event_sink_reopen(sink, &error);
    assert_int_equal(reopened, error == NULL);
    return reopened;
}

static void
follows_rotation(void **state)
{
    Fixture *fixture = *state;
    EventSink *sink = open_sink(&fixture->settings);
    assert_int_equal(put(sink, "one\n"), 0);
    assert_int_equal(g_rename(fixture->path, fixture->rotated), 0);
    assert_int_equal(put(sink, "two\n"), 0);
    assert_true(reopen(sink));
    assert_int_equal(put(sink, "three\n"), 0);
    assert_true(reopen(sink));
    assert_int_equal(put(sink, "four\n"), 0);
    event_sink_close(sink);
    holds(fixture->rotated, "one\ntwo\n");
    holds(fixture->path, "three\nfour\n");
}

/* The torn line stays in the old file. */
static void
begins_a_new_file_without_an_empty_line(void **state)
{
    Fixture *fixture = *state;
    assert_true(g_file_set_contents(fixture->path, "torn", -1, NULL));
    EventSink *sink = open_sink(&fixture->settings);
    assert_int_equal(g_rename(fixture->path, fixture->rotated), 0);
    assert_true(reopen(sink));
    assert_int_equal(put(sink, "line\n"), 0);
    event_sink_close(sink);
    holds(fixture->rotated, "torn");
    holds(fixture->path, "line\n");
}

/* What another process has left there in the meantime. */
static void
closes_off_a_torn_line_of_the_new_file(void **state)
{
    Fixture *fixture = *state;
    EventSink *sink = open_sink(&fixture->settings);
    assert_int_equal(g_rename(fixture->path, fixture->rotated), 0);
    assert_true(g_file_set_contents(fixture->path, "torn", -1, NULL));
    assert_true(reopen(sink));
    assert_int_equal(put(sink, "line\n"), 0);
    event_sink_close(sink);
    holds(fixture->path, "torn\nline\n");
}

static void
goes_on_with_the_old_file_where_a_new_one_cannot_be(void **state)
{
    Fixture *fixture = *state;
    EventSink *sink = open_sink(&fixture->settings);
    g_autoptr(GError) error = NULL;
    g_autofree char *wanted =
        g_strdup_printf("the event log \"%s\" cannot be opened: Is a directory", fixture->path);
    assert_int_equal(put(sink, "one\n"), 0);
    assert_int_equal(g_rename(fixture->path, fixture->rotated), 0);
    assert_int_equal(g_mkdir(fixture->path, 0700), 0);
    assert_false(event_sink_reopen(sink, &error));
    assert_string_equal(error->message, wanted);
    assert_int_equal(put(sink, "two\n"), 0);
    event_sink_close(sink);
    holds(fixture->rotated, "one\ntwo\n");
}

/* ---- standard output ------------------------------------------------------------------------- */

/* A pipe as standard output while the sink is opened; the end to read from. */
static int
open_on_pipe(EventSink **sink)
{
    PolicySettings settings = {.log = {.events = (char *)"stdout"}};
    int ends[2], kept = dup(STDOUT_FILENO);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    (void)close(ends[1]);
    *sink = open_sink(&settings);
    assert_int_equal(dup2(kept, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(kept);
    return ends[0];
}

/* What is in the pipe. The caller frees it. */
static char *
take(int fd)
{
    char octets[4096];
    ssize_t got;
    GString *taken = g_string_new(NULL);
    while ((got = read(fd, octets, sizeof(octets))) > 0)
        g_string_append_len(taken, octets, got);
    return g_string_free(taken, FALSE);
}

static void
writes_to_standard_output(void **state)
{
    EventSink *sink;
    (void)state;
    int fd = open_on_pipe(&sink);
    assert_string_equal(event_sink_name(sink), "stdout");
    assert_int_equal(put(sink, "one\n"), 0);
    assert_true(reopen(sink));
    assert_int_equal(put(sink, "two\n"), 0);
    event_sink_close(sink);
    g_autofree char *said = take(fd);
    assert_string_equal(said, "one\ntwo\n");
    char octet; /* the sink has let go of it */
    assert_int_equal(read(fd, &octet, 1), 0);
    (void)close(fd);
}

static void
leaves_standard_output_open(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"stdout"}};
    (void)state;
    event_sink_close(open_sink(&settings));
    assert_int_not_equal(fcntl(STDOUT_FILENO, F_GETFD), -1);
}

/* Of a line that does not fit in, the pipe takes a part; of the next one nothing. */
static void
loses_no_more_than_what_a_full_pipe_refuses(void **state)
{
    EventSink *sink;
    (void)state;
    int fd = open_on_pipe(&sink);
    g_autofree char *much = g_strnfill((gsize)fcntl(fd, F_GETPIPE_SZ) + 4096, 'x');
    much[strlen(much) - 1] = '\n';
    assert_int_equal(put(sink, much), ENOSPC);
    assert_int_equal(put(sink, "two\n"), EAGAIN);
    g_free(take(fd));
    assert_int_equal(put(sink, "three\n"), 0);
    assert_int_equal(put(sink, "four\n"), 0);
    g_autofree char *said = take(fd);
    assert_string_equal(said, "\nthree\nfour\n");
    /* Where it is full behind a whole line there is nothing to close off. */
    much[PIPE_BUF - 1] = '\n';
    much[PIPE_BUF] = '\0';
    while (put(sink, much) == 0)
        continue;
    g_free(take(fd));
    assert_int_equal(put(sink, "five\n"), 0);
    g_autofree char *rest = take(fd);
    assert_string_equal(rest, "five\n");
    event_sink_close(sink);
    (void)close(fd);
}

static void
outlives_the_reader_of_standard_output(void **state)
{
    EventSink *sink;
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = open_on_pipe(&sink);
    (void)close(fd);
    assert_int_equal(put(sink, "line\n"), EPIPE);
    event_sink_close(sink);
}

/* ---- syslog ---------------------------------------------------------------------------------- */

/* /dev/log in a /dev of our own. */
static int
bind_syslog(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static gboolean
enter_own_dev(void)
{
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0;
}

static void
leave_own_dev(void)
{
    closelog();
    assert_int_equal(umount2("/dev", MNT_DETACH), 0);
}

/* The next message without its time and program: "<22>line". NULL: none. The caller frees it. */
static char *
message_of(int fd)
{
    char *octets = g_malloc0(2 * EVENT_LINE_MAX);
    ssize_t got = recv(fd, octets, 2 * EVENT_LINE_MAX - 1, 0);
    char *text = got > 0 ? strstr(octets, ": ") : NULL;
    char *priority_end = got > 0 ? strchr(octets, '>') : NULL;
    if (text == NULL || priority_end == NULL) {
        g_free(octets);
        return NULL;
    }
    priority_end[1] = '\0';
    char *message = g_strconcat(octets, text + 2, NULL);
    g_free(octets);
    return message;
}

static void
is_said(int fd, const char *wanted)
{
    g_autofree char *message = message_of(fd);
    assert_non_null(message);
    assert_string_equal(message, wanted);
}

static void
writes_to_syslog(void **state)
{
    static const struct {
        const char *facility, *line, *message;
    } cases[] = {
        {"mail", "{\"n\":1}\n", "<22>{\"n\":1}"},
        {"local3", "{\"n\":2}\n", "<158>{\"n\":2}"},
        {"daemon", "100% %s %n gr\xc3\xbc\xc3\x9f\n", "<30>100% %s %n gr\xc3\xbc\xc3\x9f"},
    };
    (void)state;
    if (!enter_own_dev())
        skip();
    int fd = bind_syslog();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        PolicySettings settings = {
            .log = {.events = (char *)"syslog", .syslog = (char *)cases[i].facility}};
        EventSink *sink = open_sink(&settings);
        assert_string_equal(event_sink_name(sink), "syslog");
        assert_int_equal(put(sink, cases[i].line), 0);
        assert_true(reopen(sink));
        event_sink_close(sink);
        is_said(fd, cases[i].message);
        assert_null(message_of(fd));
    }
    (void)close(fd);
    leave_own_dev();
}

static void
writes_the_longest_line_to_syslog(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"syslog", .syslog = (char *)"mail"}};
    g_autofree char *line = g_strnfill(EVENT_LINE_MAX + 1, 'x');
    (void)state;
    if (!enter_own_dev())
        skip();
    int fd = bind_syslog();
    EventSink *sink = open_sink(&settings);
    line[EVENT_LINE_MAX] = '\n';
    assert_int_equal(put(sink, line), 0);
    event_sink_close(sink);
    line[EVENT_LINE_MAX] = '\0';
    g_autofree char *wanted = g_strconcat("<22>", line, NULL);
    is_said(fd, wanted);
    (void)close(fd);
    leave_own_dev();
}

/* A syslog daemon that is started anew has a new socket of the same name. */
static void
finds_a_syslog_that_was_started_anew(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"syslog", .syslog = (char *)"mail"}};
    (void)state;
    if (!enter_own_dev())
        skip();
    int fd = bind_syslog();
    EventSink *sink = open_sink(&settings);
    assert_int_equal(put(sink, "one\n"), 0);
    is_said(fd, "<22>one");
    (void)close(fd);
    assert_int_equal(put(sink, "lost\n"), ECONNREFUSED);
    (void)g_unlink("/dev/log");
    assert_int_equal(put(sink, "lost\n"), ENOENT);
    fd = bind_syslog();
    assert_int_equal(put(sink, "two\n"), 0);
    is_said(fd, "<22>two");
    assert_null(message_of(fd));
    event_sink_close(sink);
    (void)close(fd);
    leave_own_dev();
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(appends_to_a_file),
        WITH_FOLDER(goes_on_behind_what_is_there),
        WITH_FOLDER(says_what_cannot_be_opened),
        WITH_FOLDER(closes_off_a_line_that_was_cut_short),
        WITH_FOLDER(closes_off_a_torn_line_once_more_where_need_be),
        cmocka_unit_test(says_why_a_line_is_not_there),
        WITH_FOLDER(follows_rotation),
        WITH_FOLDER(begins_a_new_file_without_an_empty_line),
        WITH_FOLDER(closes_off_a_torn_line_of_the_new_file),
        WITH_FOLDER(goes_on_with_the_old_file_where_a_new_one_cannot_be),
        cmocka_unit_test(writes_to_standard_output),
        cmocka_unit_test(leaves_standard_output_open),
        cmocka_unit_test(loses_no_more_than_what_a_full_pipe_refuses),
        cmocka_unit_test(outlives_the_reader_of_standard_output),
        cmocka_unit_test(writes_to_syslog),
        cmocka_unit_test(writes_the_longest_line_to_syslog),
        cmocka_unit_test(finds_a_syslog_that_was_started_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
