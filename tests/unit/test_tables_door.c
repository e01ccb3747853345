/*
 * server/tables_door: the tables over a real socket, with a real policy.
 *
 * What the answers say is the business of engine/; here it is that each table is asked, that every
 * client gets its own answers in order, and what happens to those who do not play by the rules.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/table_answer.h"
#include "server/listener.h"
#include "server/tables_door.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

#define UNKNOWN_USER                                                                               \
    "550 5.1.1 <nobody@example.org>: Recipient address rejected: User unknown in local "           \
    "recipient table"
#define REFUSED_DELIVERY "5.1.1 host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown"
#define NOT_FOUND        "NOTFOUND "

enum { PATIENCE_S = 30 };

/* ---- a daemon's worth of parts, and a client ----------------------------------------------------
 */

typedef struct {
    char *folder, *socket, *path, *events;
    Classifier *classifier;
    Listener *listener;
    DoorContext context;
    TablesDoor *door;
} Server;

static Classifier *shared_classifier;

static Policy *
load_policy(const Server *server, const char *text)
{
    g_autofree char *file = g_build_filename(server->folder, "replymilter.conf", NULL);
    g_autofree char *whole = g_strdup_printf(
        "log = { events = \"%s\"; rate = 1000000; };\nsite = { hostname = \"mx.example.org\"; "
        "reference = false; };\n"
        "replies = { rules = ( { name = \"gone\"; when = { category = \"user-unknown\"; };\n"
        "  then = { mode = \"replace\"; code = 550; status = \"5.1.1\"; text = \"%s\"; }; } ); "
        "};\n",
        server->events, text);
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    assert_true(g_file_set_contents(file, whole, -1, NULL));
    g_chmod(file, 0644);
    Policy *policy = policy_load(file, shared_classifier, problems, NULL);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *said = policy_problem_format(problems->pdata[i]);
        print_message("%s\n", said);
    }
    assert_non_null(policy);
    g_unlink(file);
    return policy;
}

static void
start(Server *server, const TablesLimits *limits)
{
    g_autoptr(GError) error = NULL;
    SocketSettings settings = {.socket = server->socket, .mode = 0600};
    server->listener = listener_open(&settings, &error);
    assert_non_null(server->listener);
    server->door =
        tables_door_start_with(listener_fd(server->listener), &server->context, limits, &error);
    assert_non_null(server->door);
}

static int
make_server(void **state)
{
    Server *server = g_new0(Server, 1);
    server->folder = g_dir_make_tmp("tables-XXXXXX", NULL);
    server->path = g_build_filename(server->folder, "t.sock", NULL);
    server->events = g_build_filename(server->folder, "events.jsonl", NULL);
    server->socket = g_strconcat("unix:", server->path, NULL);
    Policy *policy = load_policy(server, "No mailbox %{recipient} here.");
    server->context.events = event_log_open(policy_settings(policy), NULL);
    server->context.joins = joins_new();
    server->context.policies = policy_holder_new(policy);
    assert_non_null(server->context.events);
    *state = server;
    return 0;
}

static int
make_and_start(void **state)
{
    make_server(state);
    start(*state, NULL);
    return 0;
}

static void
close_events(Server *server)
{
    if (server->context.events != NULL)
        event_log_close(server->context.events, PATIENCE_S * G_USEC_PER_SEC);
    server->context.events = NULL;
}

static int
end_server(void **state)
{
    Server *server = *state;
    tables_door_stop(server->door);
    close_events(server);
    listener_close(server->listener);
    joins_free(server->context.joins);
    policy_holder_free(server->context.policies);
    g_unlink(server->events);
    int result = g_rmdir(server->folder);
    g_free(server->folder);
    g_free(server->path);
    g_free(server->events);
    g_free(server->socket);
    g_free(server);
    return result;
}

static int
make_client(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

static void
connect_to(int fd, const Server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, server->path, sizeof address.sun_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
}

static int
connect_client(const Server *server)
{
    int fd = make_client();
    connect_to(fd, server);
    return fd;
}

static gboolean
send_all(int fd, const char *octets, gsize length)
{
    while (length > 0) {
        ssize_t sent = send(fd, octets, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return FALSE;
        octets += sent;
        length -= (gsize)sent;
    }
    return TRUE;
}

static gboolean
send_request(int fd, const char *table, const char *key)
{
    g_autoptr(GString) wire = g_string_new(NULL);
    socketmap_request_append(wire, table, key);
    return send_all(fd, wire->str, wire->len);
}

/* The next answer's payload, octet by octet so that nothing behind it is taken. NULL: hung up. */
static char *
read_answer(int fd)
{
    g_autoptr(GString) wire = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    Netstring found;
    char octet;
    for (;;) {
        NetstringState state =
            netstring_decode(wire->str, wire->len, SOCKETMAP_ANSWER_MAX, &found, &error);
        assert_int_not_equal(state, NETSTRING_BROKEN);
        if (state == NETSTRING_WHOLE)
            return g_strndup(found.payload, found.length);
        ssize_t got = recv(fd, &octet, 1, 0);
        assert_false(got < 0 && errno == EAGAIN); /* nobody has to wait so long */
        if (got <= 0)
            return NULL;
        g_string_append_c(wire, octet);
    }
}

static char *
ask(int fd, const char *table, const char *key)
{
    return send_request(fd, table, key) ? read_answer(fd) : NULL;
}

static void
expect_answer(int fd, const char *table, const char *key, const char *wanted)
{
    g_autofree char *answer = ask(fd, table, key);
    if (answer == NULL || strcmp(answer, wanted) != 0)
        fail_msg("%s %s: \"%s\", not \"%s\"", table, key, answer, wanted);
}

static void
expect_served(int fd)
{
    expect_answer(fd, "delivery", "2.0.0 250 2.0.0 stored", NOT_FOUND);
}

static void
expect_hung_up(int fd)
{
    char octet;
    ssize_t got = recv(fd, &octet, 1, 0);
    assert_true(got == 0 || (got < 0 && errno != EAGAIN));
    close(fd);
}

static void
wait_for_connections(const Server *server, guint wanted)
{
    for (gint64 until = clock_monotonic_us() + PATIENCE_S * G_USEC_PER_SEC;
         tables_door_counts(server->door).connections != wanted;) {
        assert_true(clock_monotonic_us() < until);
        g_usleep(1000);
    }
}

/* ---- the answers ----------------------------------------------------------------------------- */

static void
answers_out_of_each_table(void **state)
{
    static const struct {
        const char *table, *key, *begins, *holds;
    } cases[] = {
        {"reject", UNKNOWN_USER, "OK 550 5.1.1 ", "No mailbox nobody@example.org here."},
        {"footer", UNKNOWN_USER, "OK ", "mailbox"},
        {"delivery", "5.1.1 host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown",
         "OK 5.1.1 ", "User unknown"},
        {"reject", "250 2.1.5 Ok", NOT_FOUND, ""},
        {"delivery", "2.0.0 250 2.0.0 stored", NOT_FOUND, ""},
        {"footer", "", NOT_FOUND, ""},
        {"footer", "\x01\xff\r\n", NOT_FOUND, ""},
        {"milter", UNKNOWN_USER, "PERM unknown map \"milter\" (known: ", "footer"},
        {"filter", UNKNOWN_USER, "PERM unknown map \"filter\"", ""},
        {"command", UNKNOWN_USER, "PERM unknown map \"command\"", ""},
        {"Footer", UNKNOWN_USER, "PERM unknown map \"Footer\"", ""},
        {"f\r\n\x1b", "x", "PERM unknown map \"f  ?\"", ""},
    };
    Server *server = *state;
    int fd = connect_client(server);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = ask(fd, cases[i].table, cases[i].key);
        assert_non_null(answer);
        if (!g_str_has_prefix(answer, cases[i].begins) || strstr(answer, cases[i].holds) == NULL)
            fail_msg("%s %s: \"%s\"", cases[i].table, cases[i].key, answer);
    }
    close(fd);
}

static void
answers_for_a_dns_list(void **state)
{
    Server *server = *state;
    int fd = connect_client(server);
    g_autofree char *answer = ask(fd, "rbl", "zen.example.net=127.0.0.[2..11]");
    assert_non_null(answer);
    if (strcmp(answer, NOT_FOUND) != 0)
        assert_true(g_str_has_prefix(answer, "OK 5") || g_str_has_prefix(answer, "OK 4") ||
                    g_str_has_prefix(answer, "OK $rbl_code"));
    close(fd);
}

static void
refuses_requests_that_are_none(void **state)
{
    static const struct {
        const char *wire;
        gsize length;
    } cases[] = {{"6:footer,", 9}, {"0:,", 3}, {"4: key,", 7}, {"10:footer a\0b,", 14}};
    Server *server = *state;
    int fd = connect_client(server);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(send_all(fd, cases[i].wire, cases[i].length));
        g_autofree char *answer = read_answer(fd);
        assert_non_null(answer);
        assert_true(g_str_has_prefix(answer, "PERM not of the socketmap protocol: "));
        assert_true(g_str_is_ascii(answer));
    }
    expect_served(fd);
    close(fd);
}

static void
records_what_it_says(void **state)
{
    Server *server = *state;
    g_autofree char *lines = NULL;
    int fd = connect_client(server);
    g_autofree char *footer = ask(fd, "footer", UNKNOWN_USER);
    g_autofree char *rejected = ask(fd, "reject", UNKNOWN_USER);
    assert_non_null(footer);
    assert_non_null(rejected);
    expect_served(fd);
    close(fd);
    g_clear_pointer(&server->door, tables_door_stop);
    close_events(server);
    assert_true(g_file_get_contents(server->events, &lines, NULL, NULL));
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    assert_int_equal(g_strv_length(each), 3); /* and the nothing behind the last newline */
    assert_non_null(strstr(each[0], "\"footer\""));
    assert_non_null(strstr(each[1], "\"reject\""));
    assert_string_equal(each[2], "");
}

/* ---- how it is asked ------------------------------------------------------------------------- */

static void
takes_requests_octet_by_octet(void **state)
{
    Server *server = *state;
    g_autoptr(GString) wire = g_string_new(NULL);
    int fd = connect_client(server);
    socketmap_request_append(wire, "reject", "250 2.1.5 Ok");
    for (gsize i = 0; i < wire->len; i++) {
        struct pollfd early = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&early, 1, i == wire->len - 1 ? 20 : 0), 0);
        assert_true(send_all(fd, wire->str + i, 1));
    }
    g_autofree char *answer = read_answer(fd);
    assert_string_equal(answer, NOT_FOUND);
    close(fd);
}

static void
answers_pipelined_requests_in_order(void **state)
{
    enum { REQUESTS = 2000 };
    Server *server = *state;
    g_autoptr(GString) wire = g_string_new(NULL);
    int fd = connect_client(server);
    for (int i = 0; i < REQUESTS; i++) {
        g_autofree char *table = g_strdup_printf("table%d", i);
        socketmap_request_append(wire, table, "key");
    }
    assert_true(send_all(fd, wire->str, wire->len));
    for (int i = 0; i < REQUESTS; i++) {
        g_autofree char *wanted = g_strdup_printf(
            "PERM unknown map \"table%d\" (known: reject, footer, delivery, rbl, sendmail)", i);
        g_autofree char *answer = read_answer(fd);
        assert_string_equal(answer, wanted);
    }
    assert_int_equal(tables_door_counts(server->door).lookups, REQUESTS);
    assert_int_equal(tables_door_counts(server->door).found, 0);
    close(fd);
}

static void
answers_after_a_half_close(void **state)
{
    Server *server = *state;
    int fd = connect_client(server);
    assert_true(send_request(fd, "reject", "250 2.1.5 Ok"));
    assert_true(send_all(fd, "100:half a request", 18));
    shutdown(fd, SHUT_WR);
    g_autofree char *answer = read_answer(fd);
    assert_string_equal(answer, NOT_FOUND);
    expect_hung_up(fd);
}

static void
takes_keys_up_to_its_limit(void **state)
{
    static const struct {
        gsize length;
        gboolean taken;
    } cases[] = {
        {4000, TRUE},
        {5000, TRUE},
        {TABLE_KEY_MAX, TRUE},
        {TABLE_KEY_MAX + 1, TRUE},
        {TABLE_KEY_MAX + 1000, FALSE},
    };
    Server *server = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *key = g_strnfill(cases[i].length, 'x');
        int fd = connect_client(server);
        if (!cases[i].taken) {
            send_request(fd, "delivery", key);
            expect_hung_up(fd);
            continue;
        }
        memcpy(key, "2.0.0 ", 6);
        expect_answer(fd, "delivery", key, NOT_FOUND);
        expect_served(fd);
        close(fd);
    }
    assert_int_equal(tables_door_counts(server->door).broken, 1);
}

static void
ends_only_the_connection_that_is_broken(void **state)
{
    static const char *const broken[] = {
        "GET / HTTP/1.1\r\n\r\n", "01:x,",          ":,", "-1:x,", "3:a b;",
        "99999999999:",           "footer 550 x\n",
    };
    Server *server = *state;
    int good = connect_client(server);
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        int bad = connect_client(server);
        expect_served(bad);
        assert_true(send_all(bad, broken[i], strlen(broken[i])));
        expect_hung_up(bad);
        expect_served(good);
    }
    assert_int_equal(tables_door_counts(server->door).broken, G_N_ELEMENTS(broken));
    close(good);
    wait_for_connections(server, 0);
}

static void
answers_what_came_before_the_broken_one(void **state)
{
    Server *server = *state;
    g_autoptr(GString) wire = g_string_new(NULL);
    int fd = connect_client(server);
    socketmap_request_append(wire, "reject", "250 2.1.5 Ok");
    g_string_append(wire, "garbage");
    assert_true(send_all(fd, wire->str, wire->len));
    g_autofree char *answer = read_answer(fd);
    assert_string_equal(answer, NOT_FOUND);
    expect_hung_up(fd);
}

/* ---- many, and slow -------------------------------------------------------------------------- */

static void
serves_hundreds_at_once(void **state)
{
    enum { CLIENTS = 300 };
    static int fds[CLIENTS];
    Server *server = *state;
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = connect_client(server);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CLIENTS; i++)
            assert_true(send_request(fds[i], i % 2 ? "reject" : "delivery", "2.0.0 fine"));
        for (int i = 0; i < CLIENTS; i++) {
            g_autofree char *answer = read_answer(fds[i]);
            assert_string_equal(answer, NOT_FOUND);
        }
    }
    wait_for_connections(server, CLIENTS);
    assert_int_equal(tables_door_counts(server->door).displaced, 0);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    wait_for_connections(server, 0);
}

static void
makes_room_for_new_clients(void **state)
{
    enum { LIMIT = 8, CLIENTS = 20 };
    const TablesLimits limits = {.threads = 2, .connections = LIMIT};
    int fds[CLIENTS];
    Server *server = *state;
    start(server, &limits);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_client(server);
        expect_served(fds[i]);
    }
    for (int i = CLIENTS - LIMIT; i < CLIENTS; i++)
        expect_served(fds[i]);
    for (int i = 0; i < CLIENTS - LIMIT; i++)
        expect_hung_up(fds[i]);
    assert_int_equal(tables_door_counts(server->door).displaced, CLIENTS - LIMIT);
    assert_int_equal(tables_door_counts(server->door).connections, LIMIT);
    for (int i = CLIENTS - LIMIT; i < CLIENTS; i++)
        close(fds[i]);
}

/* Leaves no descriptor free below the limit; returns the limit as it was. */
static rlim_t
use_up_descriptors(GArray *used)
{
    struct rlimit limit;
    int highest = make_client(), fd;
    do {
        fd = dup(highest);
        assert_true(fd >= 0);
        g_array_append_val(used, fd);
    } while (fd < highest);
    g_array_append_val(used, highest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)fd + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void
hangs_up_when_no_descriptor_is_left(void **state)
{
    Server *server = *state;
    g_autoptr(GArray) used = g_array_new(FALSE, FALSE, sizeof(int));
    struct rlimit limit;
    int good = connect_client(server), refused[3];
    expect_served(good);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        refused[i] = make_client();
    rlim_t before = use_up_descriptors(used);
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        connect_to(refused[i], server);
        char octet;
        ssize_t got = recv(refused[i], &octet, 1, 0);
        assert_true(got == 0 || (got < 0 && errno != EAGAIN)); /* at once, not after 100 s */
    }
    expect_served(good);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (guint i = 0; i < used->len; i++)
        close(g_array_index(used, int, i));
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        close(refused[i]);
    int later = connect_client(server);
    expect_served(later);
    close(later);
    close(good);
}

static void
drops_who_does_not_read(void **state)
{
    Server *server = *state;
    int good = connect_client(server), slow = connect_client(server);
    const struct timeval soon = {.tv_sec = 5};
    g_autofree char *name = g_strnfill(30, 'x');
    gboolean taken = TRUE;
    setsockopt(slow, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    for (int i = 0; taken && i < 200000; i++)
        taken = send_request(slow, name, "k");
    assert_false(taken);
    expect_served(good);
    assert_int_equal(tables_door_counts(server->door).slow, 1);
    close(slow);
    close(good);
}

/* ---- while something else goes on ------------------------------------------------------------ */

typedef struct {
    Server *server;
    const char *const *wanted; /* an answer holds one of these */
    atomic_bool *done;
    atomic_uint asked, wrong;
} Load;

static gboolean
is_wanted(const char *answer, const char *const *wanted)
{
    for (; *wanted != NULL; wanted++)
        if (strstr(answer, *wanted) != NULL)
            return TRUE;
    return FALSE;
}

/* Asks until it is told to stop or hung up on. */
static void *
ask_on(void *data)
{
    Load *load = data;
    int fd = connect_client(load->server);
    while (!atomic_load(load->done)) {
        g_autofree char *answer = ask(fd, "delivery", REFUSED_DELIVERY);
        if (answer == NULL)
            break;
        if (!is_wanted(answer, load->wanted))
            atomic_fetch_add(&load->wrong, 1);
        atomic_fetch_add(&load->asked, 1);
    }
    close(fd);
    return NULL;
}

enum { ASKERS = 4 };

static const char *const both_texts[] = {"First text.", "Second text.", NULL};

static void
wait_for_answers(Load *load, guint wanted)
{
    for (gint64 until = clock_monotonic_us() + PATIENCE_S * G_USEC_PER_SEC;
         atomic_load(&load->asked) < wanted;) {
        assert_true(clock_monotonic_us() < until);
        g_usleep(500);
    }
}

static void
follows_the_policy_under_load(void **state)
{
    enum { SWAPS = 60 };
    Server *server = *state;
    atomic_bool done = FALSE;
    Load load = {.server = server, .wanted = both_texts, .done = &done};
    pthread_t threads[ASKERS];
    policy_holder_set(server->context.policies, load_policy(server, "First text."));
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_on, &load), 0);
    int fd = connect_client(server);
    for (int i = 0; i < SWAPS; i++) {
        Policy *fresh = load_policy(server, i % 2 ? "First text." : "Second text.");
        policy_holder_set(server->context.policies, fresh);
        g_autofree char *answer = ask(fd, "delivery", REFUSED_DELIVERY);
        assert_non_null(answer);
        assert_non_null(strstr(answer, both_texts[i % 2 ? 0 : 1]));
    }
    wait_for_answers(&load, 100);
    atomic_store(&done, TRUE);
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(load.wrong, 0);
    close(fd);
}

static void
stops_while_it_is_busy(void **state)
{
    Server *server = *state;
    atomic_bool done = FALSE;
    Load load = {.server = server, .wanted = both_texts, .done = &done};
    pthread_t threads[ASKERS];
    policy_holder_set(server->context.policies, load_policy(server, "First text."));
    int quiet = connect_client(server), half = connect_client(server);
    expect_served(half);
    assert_true(send_all(half, "100:", 4));
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_on, &load), 0);
    wait_for_answers(&load, 50);
    gint64 began = clock_monotonic_us();
    g_clear_pointer(&server->door, tables_door_stop);
    gint64 took = clock_monotonic_us() - began;
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL); /* all have been hung up on */
    assert_int_equal(load.wrong, 0);
    assert_true(took >= TABLES_DOOR_STOP_US / 2); /* half a request was waited for */
    assert_true(took < PATIENCE_S * G_USEC_PER_SEC);
    expect_hung_up(half);
    expect_hung_up(quiet);
}

static void
stops_at_once_when_idle(void **state)
{
    Server *server = *state;
    int fd = connect_client(server);
    expect_served(fd);
    gint64 began = clock_monotonic_us();
    g_clear_pointer(&server->door, tables_door_stop);
    assert_true(clock_monotonic_us() - began < TABLES_DOOR_STOP_US);
    expect_hung_up(fd);
}

static int
make_classifier(void **state)
{
    (void)state;
    shared_classifier = classifier_new(NULL);
    return shared_classifier != NULL ? 0 : -1;
}

static int
free_classifier(void **state)
{
    (void)state;
    classifier_unref(shared_classifier);
    return 0;
}

#define STARTED(function) cmocka_unit_test_setup_teardown(function, make_and_start, end_server)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(answers_out_of_each_table),
        STARTED(answers_for_a_dns_list),
        STARTED(refuses_requests_that_are_none),
        STARTED(records_what_it_says),
        STARTED(takes_requests_octet_by_octet),
        STARTED(answers_pipelined_requests_in_order),
        STARTED(answers_after_a_half_close),
        STARTED(takes_keys_up_to_its_limit),
        STARTED(ends_only_the_connection_that_is_broken),
        STARTED(answers_what_came_before_the_broken_one),
        STARTED(serves_hundreds_at_once),
        cmocka_unit_test_setup_teardown(makes_room_for_new_clients, make_server, end_server),
        STARTED(hangs_up_when_no_descriptor_is_left),
        STARTED(drops_who_does_not_read),
        STARTED(follows_the_policy_under_load),
        STARTED(stops_while_it_is_busy),
        STARTED(stops_at_once_when_idle),
    };
    return cmocka_run_group_tests(tests, make_classifier, free_classifier);
}
