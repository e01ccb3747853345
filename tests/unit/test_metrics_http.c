/*
 * server/metrics_http and metrics_text: what is told over a real socket, and clients that want
 * something else.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test_support.h"

#include "base/clock.h"
#include "policy_fixture.h"
#include "server/listener.h"
#include "server/metrics_http.h"

enum { PATIENCE_S = 20 };

typedef struct {
    Listener *listener;
    guint16 port;
    DoorContext context;
    DaemonView view;
    MetricsHttp *http;
} Server;

static int
make_server(void **state)
{
    Server *server = g_new0(Server, 1);
    SocketSettings settings = {.socket = (char *)"inet:0@127.0.0.1"};
    Policy *policy = policy_from("filters = ( { name = \"dkim\"; socket = \"unix:/gone\"; } );\n"
                                 "classify = { rules = ( { name = \"ours\"; category = \"policy\";"
                                 " text = \"/odd/\"; } ); };\n"
                                 "limits = { sessions = 77; };\n");
    server->listener = listener_open(&settings, NULL);
    assert_non_null(server->listener);
    server->port = (guint16)g_ascii_strtoull(listener_address(server->listener) + 5, NULL, 10);
    server->context.events = event_log_open(policy_settings(policy), NULL);
    server->context.policies = policy_holder_new(policy);
    server->context.filters = filter_states_new();
    server->context.metrics = metrics_new();
    server->view = (DaemonView){.context = &server->context};
    server->http = metrics_http_start(listener_fd(server->listener), &server->view, NULL);
    assert_non_null(server->http);
    *state = server;
    return 0;
}

static int
end_server(void **state)
{
    Server *server = *state;
    metrics_http_stop(server->http);
    listener_close(server->listener);
    event_log_close(server->context.events, G_USEC_PER_SEC);
    filter_states_free(server->context.filters);
    policy_holder_free(server->context.policies);
    metrics_free(server->context.metrics);
    g_free(server);
    return 0;
}

static int
connect_client(const Server *server)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server->port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

/* Everything that comes until the other side hangs up. */
static char *
read_all(int fd)
{
    GString *come = g_string_new(NULL);
    char piece[4096];
    for (ssize_t got; (got = recv(fd, piece, sizeof(piece), 0)) > 0;)
        g_string_append_len(come, piece, got);
    close(fd);
    return g_string_free(come, FALSE);
}

static char *
ask(const Server *server, const char *request)
{
    int fd = connect_client(server);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return read_all(fd);
}

#define END " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void
test_get(void **state)
{
    static const char *const lines[] = {
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
        "\n# TYPE replymilter_refusals_total counter\n",
        "\nreplymilter_filter_given_up{filter=\"dkim\"} 0\n",
        "\nreplymilter_filter_answers_total{filter=\"dkim\",verdict=\"conn-fail\"} 0\n",
        "\nreplymilter_site_rule_hits_total{rule=\"ours\"} 0\n",
        "\nreplymilter_milter_sessions_limit 77\n",
        "\nreplymilter_policy_last_reload_successful 1\n",
        "\nreplymilter_tables_connections 0\n",
        "\nprocess_start_time_seconds ",
    };
    g_autofree char *answer = ask(*state, "GET /metrics" END);
    assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 OK\r\n"));
    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        if (strstr(answer, lines[i]) == NULL)
            fail_msg("%s is not in\n%s", lines[i], answer);
    assert_true(g_str_has_suffix(answer, "\n"));
}

/* The process is this one: it is younger than the test's machine, and has used time and memory. */
static void
test_process(void **state)
{
    g_autofree char *answer = ask(*state, "GET /metrics" END);
    const char *start = strstr(answer, "\nprocess_start_time_seconds ");
    assert_non_null(start);
    double age = (double)clock_now_us() / G_USEC_PER_SEC -
                 g_ascii_strtod(start + strlen("\nprocess_start_time_seconds "), NULL);
    assert_true(age > -1 && age < 600);
    assert_null(strstr(answer, "\nprocess_resident_memory_bytes 0\n"));
    assert_null(strstr(answer, "\nprocess_open_fds 0\n"));
}

static void
test_head(void **state)
{
    g_autofree char *answer = ask(*state, "HEAD /metrics" END);
    assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(answer, "Content-Length: "));
    assert_null(strstr(answer, "Content-Length: 0"));
    assert_true(g_str_has_suffix(answer, "\r\n\r\n"));
}

static void
test_others(void **state)
{
    static const struct {
        const char *request, *status;
    } cases[] = {
        {"GET /metrics?name=x" END, "200"},
        {"GET /" END, "404"},
        {"GET /metrics/" END, "404"},
        {"GET /../metrics" END, "404"},
        {"HEAD /x" END, "404"},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc", "405"},
        {"PUT /metrics" END, "405"},
        {"DELETE /metrics" END, "405"},
        {"OPTIONS /metrics" END, "405"},
        {"BREW /metrics" END, "405"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = ask(*state, cases[i].request);
        g_autofree char *first = g_strdup_printf("HTTP/1.1 %s ", cases[i].status);
        if (!g_str_has_prefix(answer, first))
            fail_msg("%s got\n%s", cases[i].request, answer);
        gboolean named = strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL;
        assert_int_equal(named, strcmp(cases[i].status, "405") == 0);
    }
}

/* Whatever they send, the next client is served. */
static void
test_rubbish(void **state)
{
    g_autofree char *much = g_strnfill(100000, 'x');
    g_autofree char *long_line = g_strconcat("GET /", much, END, NULL);
    g_autofree char *long_header =
        g_strconcat("GET /metrics HTTP/1.1\r\nX: ", much, "\r\n\r\n", NULL);
    const char *const rubbish[] = {"\r\n\r\n\r\n",
                                   "\x16\x03\x01\x02",
                                   "EHLO client\r\nMAIL FROM:<>\r\n",
                                   "GET\r\n\r\n",
                                   "GET /metrics HTTP/9.9\r\n\r\n",
                                   long_line,
                                   long_header};
    for (gsize i = 0; i < G_N_ELEMENTS(rubbish); i++) {
        int fd = connect_client(*state);
        send(fd, rubbish[i], strlen(rubbish[i]), MSG_NOSIGNAL);
        shutdown(fd, SHUT_WR);
        g_free(read_all(fd));
        g_autofree char *answer = ask(*state, "GET /metrics" END);
        assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 OK\r\n"));
    }
}

/* Who only hangs on is not waited for at the end, and those behind them are served when they go. */
static void
test_many(void **state)
{
    enum { MANY = 2 * METRICS_HTTP_CONNECTIONS };
    int hanging[MANY];
    for (guint i = 0; i < MANY; i++)
        hanging[i] = connect_client(*state);
    int late = connect_client(*state);
    send(late, "GET /metrics" END, strlen("GET /metrics" END), MSG_NOSIGNAL);
    for (guint i = 0; i < MANY - 1; i++)
        close(hanging[i]);
    g_autofree char *answer = read_all(late);
    assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 OK\r\n"));
    Server *server = *state;
    gint64 begun_us = clock_monotonic_us();
    g_clear_pointer(&server->http, metrics_http_stop);
    assert_true(clock_monotonic_us() - begun_us < 5 * G_USEC_PER_SEC);
    close(hanging[MANY - 1]);
}

/* The socket stays its owner's. */
static void
test_start_again(void **state)
{
    Server *server = *state;
    for (guint i = 0; i < 2; i++) {
        g_clear_pointer(&server->http, metrics_http_stop);
        server->http = metrics_http_start(listener_fd(server->listener), &server->view, NULL);
        assert_non_null(server->http);
        g_autofree char *answer = ask(server, "GET /metrics" END);
        assert_true(g_str_has_prefix(answer, "HTTP/1.1 200 OK\r\n"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_get, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_process, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_head, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_others, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_rubbish, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_many, make_server, end_server),
        cmocka_unit_test_setup_teardown(test_start_again, make_server, end_server),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
