/*
 * server/control_door, control_requests, daemon_status: what the running daemon is asked, by whom,
 * and what becomes of clients that do not play by the rules.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <jansson.h>

#include "test_support.h"

#include "base/clock.h"
#include "base/log.h"
#include "captured_log.h"
#include "policy_fixture.h"
#include "server/control_door.h"
#include "server/control_requests.h"
#include "server/daemon_status.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

enum { PATIENCE_S = 20 };

typedef struct {
    char *folder, *socket, *path;
    Listener *listener;
    DoorContext context;
    DaemonView view;
    ControlDoor *door;
} Server;

static int
make_server(void **state)
{
    Server *server = g_new0(Server, 1);
    server->folder = g_dir_make_tmp("control-XXXXXX", NULL);
    server->path = g_build_filename(server->folder, "c", NULL);
    server->socket = g_strconcat("unix:", server->path, NULL);
    SocketSettings settings = {.socket = server->socket, .mode = 0600};
    server->listener = listener_open(&settings, NULL);
    assert_non_null(server->listener);
    Policy *policy = policy_from("limits = { sessions = 77; memory = \"2M\"; };\n"
                                 "filters = ( { name = \"a.b-c\"; socket = \"unix:/gone\"; } );\n");
    server->context.events = event_log_open(policy_settings(policy), NULL);
    server->context.policies = policy_holder_new(policy);
    server->context.filters = filter_states_new();
    server->view = (DaemonView){.context = &server->context,
                                .milter_listener = server->listener,
                                .control_listener = server->listener,
                                .policy_file = "/etc/\"odd\"\n.conf",
                                .started_us = G_USEC_PER_SEC};
    *state = server;
    return 0;
}

static int
end_server(void **state)
{
    Server *server = *state;
    control_door_stop(server->door);
    listener_close(server->listener);
    event_log_close(server->context.events, G_USEC_PER_SEC);
    filter_states_free(server->context.filters);
    policy_holder_free(server->context.policies);
    int result = g_rmdir(server->folder);
    g_free(server->folder);
    g_free(server->path);
    g_free(server->socket);
    g_free(server);
    log_trace_set("none", NULL);
    log_level_set("info", NULL);
    return result;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The payload of what a request with that payload is answered with. */
static char *
answer_to(const Server *server, gboolean may_change, const char *payload, gsize length)
{
    const ControlPeer peer = {.uid = 4711, .may_change = may_change};
    g_autoptr(GString) out = g_string_new(NULL);
    Netstring found;
    control_answer(&server->view, &peer, payload, length, out);
    assert_int_equal(netstring_decode(out->str, out->len, 1 << 20, &found, NULL), NETSTRING_WHOLE);
    assert_int_equal(found.size, out->len);
    return g_strndup(found.payload, found.length);
}

static void
answers_requests(void **state)
{
    static const struct {
        const char *asked;
        gboolean may_change;
        const char *answer;
    } cases[] = {
        /* In this order: each case finds what those before it have set. */
        {"trace ", FALSE, "OK none"},
        {"trace milter", FALSE, "PERM only root and the daemon's own user may change what it does"},
        {"trace ", FALSE, "OK none"},
        {"trace tables,milter", TRUE, "OK milter,tables"},
        {"trace nonsense", TRUE,
         "PERM unknown trace area \"nonsense\" (known: milter, tables, engine, policy, record, "
         "all, none)"},
        {"trace ", FALSE, "OK milter,tables"},
        {"trace milter, tables ,engine,policy,record", TRUE, "OK all"},
        {"trace none", TRUE, "OK none"},
        {"loglevel ", FALSE, "OK info"},
        {"loglevel error", FALSE,
         "PERM only root and the daemon's own user may change what it does"},
        {"loglevel error", TRUE, "OK error"},
        {"loglevel ERROR", TRUE,
         "PERM unknown log level \"ERROR\" (known: error, warning, notice, info)"},
        {"loglevel debug\r\nx", TRUE,
         "PERM unknown log level \"debug  x\" (known: error, warning, notice, info)"},
        {"loglevel info", TRUE, "OK info"},
        {"status all", TRUE, "PERM \"status\" takes no arguments"},
        {"Status ", TRUE, "PERM unknown request \"Status\""},
        {"reject 550 5.1.1 x", TRUE, "PERM unknown request \"reject\""},
        {"\x1b[31m\xff ", TRUE, "PERM unknown request \"?[31m?\""},
        {"status", TRUE, "PERM not of the socketmap protocol: no space in it: \"status\""},
        {"", TRUE, "PERM not of the socketmap protocol: no space in it: \"\""},
        {" x", TRUE, "PERM not of the socketmap protocol: nothing before the space: \" x\""},
    };
    const Server *server = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        captured_log_begin();
        g_autofree char *answer =
            answer_to(server, cases[i].may_change, cases[i].asked, strlen(cases[i].asked));
        g_free(captured_log_end());
        assert_string_equal(answer, cases[i].answer);
    }
    g_autofree char *nul = answer_to(server, TRUE, "status \0", 8);
    assert_string_equal(nul, "PERM not of the socketmap protocol: a NUL octet in it: \"status \"");
}

static void
tells_metrics(void **state)
{
    g_autofree char *answer = answer_to(*state, FALSE, "metrics ", 8);
    assert_true(g_str_has_prefix(answer, "OK # HELP replymilter_build_info "));
    assert_non_null(strstr(answer, "\nreplymilter_milter_sessions_limit 77\n"));
    assert_non_null(strstr(answer, "\nreplymilter_filter_given_up{filter=\"a.b-c\"} 0\n"));
}

/* What is switched is said, and by whom; what is only asked is not. */
static void
logs_what_it_changes(void **state)
{
    const Server *server = *state;
    captured_log_begin();
    g_free(answer_to(server, TRUE, "trace engine", 12));
    g_free(answer_to(server, TRUE, "trace ", 6));
    g_free(answer_to(server, TRUE, "loglevel notice", 15));
    log_info("not written");
    log_trace(LOG_AREA_ENGINE, "written all the same");
    log_trace(LOG_AREA_RECORD, "not traced");
    g_free(answer_to(server, TRUE, "loglevel error", 14));
    log_warning("not written");
    log_error("written");
    g_autofree char *said = captured_log_end();
    assert_string_equal(said, "replymilter: traced from now on: engine (by user 4711)\n"
                              "replymilter: log level from now on: notice (by user 4711)\n"
                              "replymilter: trace: written all the same\n"
                              "replymilter: log level from now on: error (by user 4711)\n"
                              "replymilter: error: written\n");
}

/* ---- the status ------------------------------------------------------------------------------ */

static json_t *
status_of(const Server *server, gint64 now_us)
{
    g_autofree char *text = daemon_status_json(&server->view, now_us);
    assert_null(strchr(text, '\n'));
    json_t *status = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(status);
    return status;
}

/* The member at "policy.last_failure.mended", say. */
static const json_t *
member(const json_t *object, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    for (char **name = names; *name != NULL; name++)
        object = json_object_get(object, *name);
    return object;
}

static void
expect_text(const json_t *status, const char *path, const char *wanted)
{
    const char *text = json_string_value(member(status, path));
    if (g_strcmp0(text, wanted) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", path, text, wanted);
}

static void
expect_number(const json_t *status, const char *path, gint64 wanted)
{
    const json_t *number = member(status, path);
    if (!json_is_integer(number) || json_integer_value(number) != wanted)
        fail_msg("%s: %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT, path,
                 json_is_integer(number) ? (gint64)json_integer_value(number) : -1, wanted);
}

static void
tells_how_the_daemon_is(void **state)
{
    Server *server = *state;
    FilterState *filter = filter_states_get(server->context.filters, "unix:/gone");
    const char *const macros[16] = {NULL};
    filter_state_negotiated(filter, 0, 0, macros);
    filter_state_answered(filter, FILTER_PART_ENVELOPE, FILTER_VERDICT_REJECT, 1999999);
    json_t *status = status_of(server, 62 * G_USEC_PER_SEC);
    expect_number(status, "pid", getpid());
    expect_text(status, "state", "running");
    expect_text(status, "started", "1970-01-01T00:00:01.000000Z");
    expect_number(status, "uptime", 61);
    expect_text(status, "policy/file", "/etc/\"odd\"\n.conf");
    expect_number(status, "policy/loads", 1);
    expect_number(status, "policy/age", 0); /* the clock says that it is yet to be loaded */
    assert_null(member(status, "policy/last_failure"));
    expect_text(status, "doors/milter/socket", server->socket);
    expect_number(status, "doors/milter/sessions", 0);
    expect_number(status, "doors/milter/limit", 77);
    assert_null(member(status, "doors/tables"));
    expect_number(status, "memory/limit", 2 << 20);
    assert_true(json_is_null(member(status, "events/log")));
    expect_text(status, "filters/a.b-c/state", "up");
    expect_number(status, "filters/a.b-c/refusals", 1);
    expect_number(status, "filters/a.b-c/waited_ms", 1999);
    expect_text(status, "log/level", "info");
    expect_text(status, "log/trace", "none");
    json_decref(status);
    for (guint i = 0; i < FILTER_STATE_BREAKER_FAILURES; i++) {
        filter_state_failed(filter, FILTER_TROUBLE_TIMEOUT, 0, 0);
        status = status_of(server, 0);
        expect_text(status, "filters/a.b-c/state",
                    i + 1 < FILTER_STATE_BREAKER_FAILURES ? "failing" : "down");
        expect_number(status, "filters/a.b-c/failures/timeout", i + 1);
        json_decref(status);
    }
}

static void
tells_why_a_reload_failed(void **state)
{
    Server *server = *state;
    PolicyHolder *policies = server->context.policies;
    const char *const problems[] = {"x:1: wrong", "x:2: worse", NULL};
    policy_holder_note_failure(policies, g_strdupv((char **)problems));
    g_usleep(2); /* the next is later */
    json_t *status = status_of(server, clock_now_us());
    expect_number(status, "policy/failures", 1);
    assert_true(json_is_false(member(status, "policy/last_failure/mended")));
    const json_t *told = member(status, "policy/last_failure/problems");
    assert_int_equal(json_array_size(told), 2);
    assert_string_equal(json_string_value(json_array_get(told, 1)), "x:2: worse");
    json_decref(status);
    policy_holder_set(policies, policy_holder_get(policies));
    status = status_of(server, clock_now_us());
    expect_number(status, "policy/loads", 2);
    assert_true(json_is_true(member(status, "policy/last_failure/mended")));
    json_decref(status);
}

/* ---- the door -------------------------------------------------------------------------------- */

static void
start(Server *server, const ControlLimits *limits)
{
    server->door =
        control_door_start_with(listener_fd(server->listener), &server->view, limits, NULL);
    assert_non_null(server->door);
}

static int
connect_client(const Server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    g_strlcpy(address.sun_path, server->path, sizeof(address.sun_path));
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void
send_text(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void
expect_answer(int fd, const char *wanted)
{
    char come[200] = "";
    assert_in_range(strlen(wanted), 1, sizeof(come) - 1);
    assert_int_equal(recv(fd, come, strlen(wanted), MSG_WAITALL), strlen(wanted));
    assert_string_equal(come, wanted);
}

static void
expect_hung_up(int fd)
{
    char octet;
    assert_true(recv(fd, &octet, 1, 0) <= 0);
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&gone, 1, 0), 1); /* not merely out of patience */
    close(fd);
}

static void
serves_clients(void **state)
{
    Server *server = *state;
    start(server, NULL);
    int one = connect_client(server), other = connect_client(server);
    send_text(one, "6:trace ,9:loglevel ,6:tra");
    send_text(other, "6:trace ,");
    expect_answer(other, "7:OK none,");
    expect_answer(one, "7:OK none,7:OK info,");
    send_text(one, "ce ,");
    expect_answer(one, "7:OK none,");
    close(one);
    send_text(other, "15:loglevel notice,"); /* we are who the door runs as */
    expect_answer(other, "9:OK notice,");
    assert_int_equal(shutdown(other, SHUT_WR), 0);
    expect_hung_up(other);
}

/* Of garbage, floods and silence nobody else takes any harm. */
static void
bears_hostile_clients(void **state)
{
    static const char *const garbage[] = {
        "GET / HTTP/1.0\r\n\r\n", "4097:",     "99999999999999:x", "-1:,", "6:trace ;",
        "\xff\xff\xff\xff",       "06:trace ,"};
    static const ControlLimits limits = {3, 200 * 1000};
    Server *server = *state;
    start(server, &limits);
    for (size_t i = 0; i < G_N_ELEMENTS(garbage); i++) {
        int fd = connect_client(server);
        send_text(fd, garbage[i]);
        expect_hung_up(fd);
    }
    int hung[40];
    for (size_t i = 0; i < G_N_ELEMENTS(hung); i++) {
        hung[i] = connect_client(server);
        if (i % 2 == 0)
            send_text(hung[i], "9:logle");
    }
    int fd = connect_client(server);
    send_text(fd, "6:trace ,");
    expect_answer(fd, "7:OK none,");
    close(fd);
    for (size_t i = 0; i < G_N_ELEMENTS(hung); i++)
        expect_hung_up(hung[i]);
}

/* An octet now and then does not keep a request alive. */
static void
lets_slow_clients_go(void **state)
{
    static const ControlLimits limits = {3, 300 * 1000};
    Server *server = *state;
    start(server, &limits);
    int fd = connect_client(server);
    gint64 began_us = clock_monotonic_us();
    const char *octets = "4000:loglevel ";
    for (size_t i = 0; clock_monotonic_us() - began_us < PATIENCE_S * G_USEC_PER_SEC; i++) {
        if (send(fd, octets[i] != '\0' ? &octets[i] : "x", 1, MSG_NOSIGNAL) < 0)
            break;
        if (octets[i] == '\0')
            i--;
        g_usleep(20 * 1000);
    }
    assert_true(clock_monotonic_us() - began_us < PATIENCE_S * G_USEC_PER_SEC);
    close(fd);
}

/* Who asks and does not read is let go; the door answers others meanwhile. */
static void
bears_clients_that_do_not_read(void **state)
{
    static const ControlLimits limits = {3, 300 * 1000};
    Server *server = *state;
    start(server, &limits);
    int deaf = connect_client(server);
    for (guint i = 0; i < 100000; i++)
        if (send(deaf, "7:status ,", 10, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
    int fd = connect_client(server);
    send_text(fd, "6:trace ,");
    expect_answer(fd, "7:OK none,");
    close(fd);
    g_usleep(400 * 1000);
    assert_true(send(deaf, "7:status ,", 10, MSG_NOSIGNAL | MSG_DONTWAIT) < 0);
    close(deaf);
}

static void
stops_with_clients(void **state)
{
    Server *server = *state;
    start(server, NULL);
    int idle = connect_client(server), busy = connect_client(server);
    send_text(idle, "6:trace ,");
    expect_answer(idle, "7:OK none,");
    send_text(busy, "6:tr");
    g_clear_pointer(&server->door, control_door_stop);
    expect_hung_up(idle);
    expect_hung_up(busy);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_requests, make_server, end_server),
        cmocka_unit_test_setup_teardown(tells_metrics, make_server, end_server),
        cmocka_unit_test_setup_teardown(logs_what_it_changes, make_server, end_server),
        cmocka_unit_test_setup_teardown(tells_how_the_daemon_is, make_server, end_server),
        cmocka_unit_test_setup_teardown(tells_why_a_reload_failed, make_server, end_server),
        cmocka_unit_test_setup_teardown(serves_clients, make_server, end_server),
        cmocka_unit_test_setup_teardown(bears_hostile_clients, make_server, end_server),
        cmocka_unit_test_setup_teardown(lets_slow_clients_go, make_server, end_server),
        cmocka_unit_test_setup_teardown(bears_clients_that_do_not_read, make_server, end_server),
        cmocka_unit_test_setup_teardown(stops_with_clients, make_server, end_server),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
