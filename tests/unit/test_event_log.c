/*
 * record/event_log: lines reach the file whole, nobody waits too long, losses are counted and told.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <jansson.h>

#include "test_support.h"

#include "base/clock.h"
#include "record/event_log.h"
#include "record/event_reader.h"

#define PATIENCE_US (20 * G_USEC_PER_SEC)

typedef struct {
    char *folder, *path;
    PolicySettings settings;
} Fixture;

static int
setup(void **state)
{
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("test_event_log.XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "events.jsonl", NULL);
    fixture->settings.log.events = fixture->path;
    fixture->settings.log.syslog = (char *)"mail";
    *state = fixture;
    return fixture->folder == NULL;
}

static int
teardown(void **state)
{
    Fixture *fixture = *state;
    const char *name;
    GDir *folder = g_dir_open(fixture->folder, 0, NULL);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        (void)g_remove(path);
    }
    g_dir_close(folder);
    (void)g_rmdir(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->folder);
    g_free(fixture);
    return 0;
}

static EventLog *
open_log(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    EventLog *log = event_log_open(&fixture->settings, &error);
    assert_null(error);
    assert_non_null(log);
    return log;
}

static char *
numbered_line(int number)
{
    return g_strdup_printf("{\"v\":1,\"n\":%d}", number);
}

static char *
content_of(const char *path)
{
    char *content = NULL;
    assert_true(g_file_get_contents(path, &content, NULL, NULL));
    return content;
}

static void
stay_silent(const char *name, guint64 line, const char *why, gpointer data)
{
    (void)name, (void)line, (void)why, (void)data;
}

/* What a reader finds. */
typedef struct {
    guint lines, broken;
    guint64 suppressed[3]; /* rate, queue, sink */
} Found;

static void
add_suppressed(Found *found, const json_t *event)
{
    static const char *const reasons[] = {"rate", "queue", "sink"};
    const char *reason = json_string_value(json_object_get(event, "reason"));
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (g_strcmp0(reason, reasons[i]) == 0)
            found->suppressed[i] += (guint64)json_integer_value(json_object_get(event, "count"));
}

static Found
read_log(const char *path)
{
    Found found = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(EventReader) reader = event_reader_open(path, &error);
    assert_non_null(reader);
    event_reader_on_broken(reader, stay_silent, NULL);
    json_t *event;
    while ((event = event_reader_next(reader, &error)) != NULL) {
        if (json_object_get(event, "n") != NULL)
            found.lines++;
        else
            add_suppressed(&found, event);
        json_decref(event);
    }
    assert_null(error);
    found.broken = (guint)event_reader_broken(reader);
    return found;
}

static void
writes_one_line_each(void **state)
{
    Fixture *fixture = *state;
    struct stat status;
    mode_t mask = umask(0);
    EventLog *log = open_log(fixture);
    (void)umask(mask);
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    g_autofree char *first = content_of(fixture->path);
    assert_string_equal(first, "{\"v\":1,\"n\":1}\n");
    assert_true(event_log_put(log, numbered_line(2), 0));
    event_log_close(log, PATIENCE_US);
    g_autofree char *both = content_of(fixture->path);
    assert_string_equal(both, "{\"v\":1,\"n\":1}\n{\"v\":1,\"n\":2}\n");
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

/* No program that the process starts may inherit the file. */
static void
closes_on_exec(void **state)
{
    Fixture *fixture = *state;
    EventLog *log = open_log(fixture);
    int seen = 0;
    struct stat wanted, status;
    assert_int_equal(stat(fixture->path, &wanted), 0);
    for (int fd = 3; fd < 256; fd++)
        if (fstat(fd, &status) == 0 && status.st_ino == wanted.st_ino &&
            status.st_dev == wanted.st_dev) {
            assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            assert_true(fcntl(fd, F_GETFL) & O_APPEND);
            seen++;
        }
    assert_int_equal(seen, 1);
    event_log_close(log, PATIENCE_US);
}

static void
drains_at_close(void **state)
{
    Fixture *fixture = *state;
    EventLog *log = open_log(fixture);
    for (int i = 0; i < 2000; i++)
        assert_true(event_log_put(log, numbered_line(i), 0));
    event_log_close(log, PATIENCE_US);
    Found found = read_log(fixture->path);
    assert_int_equal(found.lines, 2000);
    assert_int_equal(found.broken, 0);
}

static void
says_what_cannot_be_opened(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"/nonexistent/folder/events.jsonl"}};
    g_autoptr(GError) error = NULL;
    (void)state;
    assert_null(event_log_open(&settings, &error));
    assert_non_null(strstr(error->message, "/nonexistent/folder/events.jsonl"));
}

static void
forgets_without_a_sink(void **state)
{
    PolicySettings settings = {0};
    g_autoptr(GError) error = NULL;
    EventLog *log = event_log_open(&settings, &error);
    (void)state;
    assert_non_null(log);
    assert_false(event_log_wants(log, FALSE));
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    event_log_reopen(log, &settings);
    assert_int_equal(event_log_counts(log).written, 0);
    event_log_close(log, PATIENCE_US);
}

static void
counts_what_a_full_disk_refuses(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"/dev/full"}};
    g_autoptr(GError) error = NULL;
    EventLog *log = event_log_open(&settings, &error);
    (void)state;
    assert_non_null(log);
    for (int i = 0; i < 3; i++)
        assert_false(event_log_put(log, numbered_line(i), PATIENCE_US));
    EventLogCounts counts = event_log_counts(log);
    assert_int_equal(counts.failed, 3);
    assert_int_equal(counts.written, 0);
    event_log_close(log, PATIENCE_US);
}

static void
limit_file_size(rlim_t octets)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = MIN(octets, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk with room for a line and a half, and then with room again. */
static void
goes_on_after_a_torn_line(void **state)
{
    Fixture *fixture = *state;
    EventLog *log = open_log(fixture);
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(20);
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    assert_false(event_log_put(log, numbered_line(2), PATIENCE_US));
    assert_false(event_log_put(log, numbered_line(3), PATIENCE_US));
    limit_file_size(RLIM_INFINITY);
    assert_true(event_log_put(log, numbered_line(4), PATIENCE_US));
    assert_true(event_log_put(log, numbered_line(5), PATIENCE_US));
    assert_int_equal(event_log_counts(log).failed, 2);
    assert_int_equal(event_log_counts(log).written, 3);
    event_log_close(log, PATIENCE_US);
    g_autofree char *content = content_of(fixture->path);
    assert_true(g_str_has_prefix(
        content, "{\"v\":1,\"n\":1}\n{\"v\":1\n{\"v\":1,\"n\":4}\n{\"v\":1,\"n\":5}\n"));
    Found found = read_log(fixture->path);
    assert_int_equal(found.lines, 3);
    assert_int_equal(found.broken, 1);
    assert_int_equal(found.suppressed[2], 2);
}

static void
closes_off_a_line_of_an_earlier_process(void **state)
{
    Fixture *fixture = *state;
    assert_true(g_file_set_contents(fixture->path, "{\"v\":1,\"n\"", -1, NULL));
    EventLog *log = open_log(fixture);
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    event_log_close(log, PATIENCE_US);
    g_autofree char *content = content_of(fixture->path);
    assert_string_equal(content, "{\"v\":1,\"n\"\n{\"v\":1,\"n\":1}\n");
}

static void
wait_for_file(const char *path)
{
    for (int i = 0; i < 2000 && !g_file_test(path, G_FILE_TEST_EXISTS); i++)
        g_usleep(10000);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
follows_rotation(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *rotated = g_strconcat(fixture->path, ".1", NULL);
    EventLog *log = open_log(fixture);
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    assert_int_equal(g_rename(fixture->path, rotated), 0);
    assert_true(event_log_put(log, numbered_line(2), PATIENCE_US));
    assert_int_equal(read_log(rotated).lines, 2);
    event_log_reopen(log, &fixture->settings);
    wait_for_file(fixture->path); /* also when no event comes */
    assert_true(event_log_put(log, numbered_line(3), PATIENCE_US));
    event_log_close(log, PATIENCE_US);
    assert_int_equal(read_log(rotated).lines, 2);
    assert_int_equal(read_log(fixture->path).lines, 1);
}

static void
keeps_the_old_file_where_a_new_one_cannot_be(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *rotated = g_strconcat(fixture->path, ".1", NULL);
    EventLog *log = open_log(fixture);
    assert_int_equal(g_rename(fixture->path, rotated), 0);
    assert_int_equal(g_mkdir(fixture->path, 0700), 0);
    event_log_reopen(log, &fixture->settings);
    assert_true(event_log_put(log, numbered_line(1), PATIENCE_US));
    event_log_close(log, PATIENCE_US);
    assert_int_equal(read_log(rotated).lines, 1);
    assert_int_equal(g_rmdir(fixture->path), 0);
}

/* Whatever the clock does: what is not written is told, and counted. */
static void
limits_the_rate(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.log.rate = 5;
    EventLog *log = open_log(fixture);
    for (int i = 0; i < 100; i++)
        assert_true(event_log_put(log, numbered_line(i), 0));
    guint unwanted = 0;
    for (int i = 0; i < 100; i++)
        unwanted += !event_log_wants(log, FALSE);
    EventLogCounts counts = event_log_counts(log);
    assert_true(counts.limited >= unwanted);
    assert_true(unwanted > 0);
    event_log_close(log, PATIENCE_US);
    Found found = read_log(fixture->path);
    assert_true(found.lines >= 5 && found.lines < 100);
    assert_int_equal(found.lines + found.suppressed[0], 100 + unwanted);
}

static void
tells_of_the_excess_without_another_event(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.log.rate = 1;
    EventLog *log = open_log(fixture);
    for (int i = 0; i < 10; i++)
        assert_true(event_log_put(log, numbered_line(i), 0));
    Found found = {0};
    for (int i = 0; i < 500 && found.suppressed[0] == 0; i++) {
        g_usleep(20000);
        found = read_log(fixture->path);
    }
    assert_int_equal(found.lines + found.suppressed[0], 10);
    event_log_close(log, PATIENCE_US);
}

static void
takes_a_new_rate(void **state)
{
    Fixture *fixture = *state;
    fixture->settings.log.rate = 1;
    EventLog *log = open_log(fixture);
    assert_true(event_log_put(log, numbered_line(0), 0));
    fixture->settings.log.rate = 0;
    event_log_reopen(log, &fixture->settings);
    for (int i = 1; i < 50; i++)
        assert_true(event_log_put(log, numbered_line(i), 0));
    assert_int_equal(event_log_counts(log).limited, 0);
    event_log_close(log, PATIENCE_US);
    assert_int_equal(read_log(fixture->path).lines, 50);
}

/* Standard output as a pipe that nobody reads. */
typedef struct {
    int read_end, saved;
} StuckOutput;

static StuckOutput
stick_output(void)
{
    int ends[2];
    StuckOutput stuck = {.saved = dup(STDOUT_FILENO)};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    (void)close(ends[1]);
    stuck.read_end = ends[0];
    return stuck;
}

static void
give_output_back(const StuckOutput *stuck)
{
    assert_int_equal(dup2(stuck->saved, STDOUT_FILENO), STDOUT_FILENO);
    (void)close(stuck->saved);
}

/* Until the log has let go of the pipe. */
static gsize
drain(const StuckOutput *stuck)
{
    char octets[65536];
    gsize total = 0;
    ssize_t got;
    while ((got = read(stuck->read_end, octets, sizeof(octets))) > 0)
        total += (gsize)got;
    (void)close(stuck->read_end);
    return total;
}

static void
nobody_waits_for_a_sink_that_hangs(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"stdout"}};
    g_autoptr(GError) error = NULL;
    (void)state;
    StuckOutput stuck = stick_output();
    EventLog *log = event_log_open(&settings, &error);
    give_output_back(&stuck);
    assert_non_null(log);
    g_autofree char *long_line = g_strnfill(10000, 'x');
    guint kept = 0;
    for (int i = 0; i < 20000; i++)
        kept += (guint)event_log_put(log, g_strdup(long_line), 0);
    assert_true(kept >= EVENT_LOG_QUEUE_OCTETS / 10001);
    assert_true(kept < EVENT_LOG_QUEUE_OCTETS / 10001 + 100);
    assert_int_equal(event_log_counts(log).dropped, 20000 - kept);
    gint64 start_us = clock_monotonic_us();
    event_log_close(log, 50000);
    assert_true(clock_monotonic_us() - start_us < 10 * G_USEC_PER_SEC);
    /* The writer ends by itself once it can. */
    assert_true(drain(&stuck) >= (gsize)kept * 10001);
    g_usleep(50000);
}

static void
waits_no_longer_than_said(void **state)
{
    PolicySettings settings = {.log = {.events = (char *)"stdout"}};
    g_autoptr(GError) error = NULL;
    (void)state;
    StuckOutput stuck = stick_output();
    EventLog *log = event_log_open(&settings, &error);
    give_output_back(&stuck);
    g_autofree char *long_line = g_strnfill(200000, 'x');
    gint64 start_us = clock_monotonic_us();
    assert_false(event_log_put(log, g_strdup(long_line), 50000));
    assert_false(event_log_put(log, g_strdup(long_line), 50000));
    gint64 took_us = clock_monotonic_us() - start_us;
    assert_true(took_us >= 100000 && took_us < 5 * G_USEC_PER_SEC);
    event_log_close(log, 0);
    assert_true(drain(&stuck) >= 2 * 200001);
    g_usleep(50000);
}

typedef struct {
    EventLog *log;
    const PolicySettings *settings;
    int number;
    atomic_int *written;
} Work;

static void *
put_many(void *data)
{
    Work *work = data;
    for (int i = 0; i < 300; i++) {
        gint64 wait_us = i % 3 == 0 ? PATIENCE_US : 0;
        if (event_log_put(work->log, numbered_line(work->number * 1000 + i), wait_us))
            atomic_fetch_add(work->written, 1);
        if (i % 100 == 0)
            event_log_reopen(work->log, work->settings);
        (void)event_log_counts(work->log);
    }
    return NULL;
}

static void
serves_several_threads(void **state)
{
    Fixture *fixture = *state;
    pthread_t threads[8];
    Work work[G_N_ELEMENTS(threads)];
    atomic_int written = 0;
    EventLog *log = open_log(fixture);
    for (int i = 0; i < (int)G_N_ELEMENTS(threads); i++) {
        work[i] =
            (Work){.log = log, .settings = &fixture->settings, .number = i, .written = &written};
        assert_int_equal(pthread_create(&threads[i], NULL, put_many, &work[i]), 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    event_log_close(log, PATIENCE_US);
    Found found = read_log(fixture->path);
    assert_int_equal(found.lines, 2400);
    assert_int_equal(found.broken, 0);
    assert_int_equal(atomic_load(&written), 2400);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(writes_one_line_each),
        WITH_FOLDER(closes_on_exec),
        WITH_FOLDER(drains_at_close),
        cmocka_unit_test(says_what_cannot_be_opened),
        cmocka_unit_test(forgets_without_a_sink),
        cmocka_unit_test(counts_what_a_full_disk_refuses),
        WITH_FOLDER(goes_on_after_a_torn_line),
        WITH_FOLDER(closes_off_a_line_of_an_earlier_process),
        WITH_FOLDER(follows_rotation),
        WITH_FOLDER(keeps_the_old_file_where_a_new_one_cannot_be),
        WITH_FOLDER(limits_the_rate),
        WITH_FOLDER(tells_of_the_excess_without_another_event),
        WITH_FOLDER(takes_a_new_rate),
        cmocka_unit_test(nobody_waits_for_a_sink_that_hangs),
        cmocka_unit_test(waits_no_longer_than_said),
        WITH_FOLDER(serves_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
