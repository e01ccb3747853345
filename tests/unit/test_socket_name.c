/*
 * policy/socket_name: names taken apart, names judged, addresses in the form of the web.
 */
#include "test_support.h"

#include "policy/socket_name.h"

#define NO_SOCKET                                                                                  \
    " is no socket: write it as \"unix:/path\", \"inet:PORT@HOST\", \"inet6:PORT@HOST\" or "       \
    "\"fd:3\""
#define NO_PEER                                                                                    \
    " is no socket to connect to: write it as \"unix:/path\", \"inet:PORT@HOST\" or "              \
    "\"inet6:PORT@HOST\""
#define NO_PORT "\" is no port: a number from 1 to 65535, then \"@HOST\""

static void
assert_same(const char *got, const char *expected)
{
    if (expected == NULL)
        assert_null(got);
    else
        assert_string_equal(got, expected);
}

/* NULL where there is none. */
static void
test_parts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        SocketKind kind;
        const char *path, *descriptor, *port, *host, *bare; /* bare: the host without brackets */
    } cases[] = {
        {"unix:/run/x.sock", SOCKET_KIND_LOCAL, .path = "/run/x.sock"},
        {"local:/run/x.sock", SOCKET_KIND_LOCAL, .path = "/run/x.sock"},
        {"unix:/run/a:b@c", SOCKET_KIND_LOCAL, .path = "/run/a:b@c"},
        {"local:inet:25@x", SOCKET_KIND_LOCAL, .path = "inet:25@x"},
        {"unix:run/x.sock", SOCKET_KIND_LOCAL, .path = "run/x.sock"},
        {"unix:", SOCKET_KIND_LOCAL, .path = ""},
        {"inet:8891@127.0.0.1", SOCKET_KIND_INET, .port = "8891", .host = "127.0.0.1",
         .bare = "127.0.0.1"},
        {"inet:8891@mail.example", SOCKET_KIND_INET, .port = "8891", .host = "mail.example",
         .bare = "mail.example"},
        {"inet:8891@[127.0.0.1]", SOCKET_KIND_INET, .port = "8891", .host = "[127.0.0.1]",
         .bare = "127.0.0.1"},
        {"inet6:8891@::1", SOCKET_KIND_INET6, .port = "8891", .host = "::1", .bare = "::1"},
        {"inet6:8891@[::1]", SOCKET_KIND_INET6, .port = "8891", .host = "[::1]", .bare = "::1"},
        {"inet:8891", SOCKET_KIND_INET, .port = "8891"},
        {"inet6:0", SOCKET_KIND_INET6, .port = "0"},
        {"inet:8891@", SOCKET_KIND_INET, .port = "8891", .host = "", .bare = ""},
        {"inet:8891@@", SOCKET_KIND_INET, .port = "8891", .host = "@", .bare = "@"},
        {"inet:8891@a@b", SOCKET_KIND_INET, .port = "8891", .host = "a@b", .bare = "a@b"},
        {"inet:8891@[", SOCKET_KIND_INET, .port = "8891", .host = "[", .bare = "["},
        {"inet:8891@]", SOCKET_KIND_INET, .port = "8891", .host = "]", .bare = "]"},
        {"inet6:8891@[]", SOCKET_KIND_INET6, .port = "8891", .host = "[]", .bare = "[]"},
        {"inet6:8891@[::1", SOCKET_KIND_INET6, .port = "8891", .host = "[::1", .bare = "[::1"},
        {"inet6:8891@::1]", SOCKET_KIND_INET6, .port = "8891", .host = "::1]", .bare = "::1]"},
        {"inet:@mail.example", SOCKET_KIND_INET, .port = "", .host = "mail.example",
         .bare = "mail.example"},
        {"inet:", SOCKET_KIND_INET, .port = ""},
        {"inet:localhost:25", SOCKET_KIND_INET, .port = "localhost:25"},
        {"inet: 0025 @x", SOCKET_KIND_INET, .port = " 0025 ", .host = "x", .bare = "x"},
        {"fd:3", SOCKET_KIND_DESCRIPTOR, .descriptor = "3"},
        {"fd:", SOCKET_KIND_DESCRIPTOR, .descriptor = ""},
        {"fd:x@y", SOCKET_KIND_DESCRIPTOR, .descriptor = "x@y"},
        {"", SOCKET_KIND_NONE, .path = NULL},
        {":", SOCKET_KIND_NONE, .path = NULL},
        {"/run/x.sock", SOCKET_KIND_NONE, .path = NULL},
        {"unix", SOCKET_KIND_NONE, .path = NULL},
        {"UNIX:/run/x.sock", SOCKET_KIND_NONE, .path = NULL},
        {" unix:/run/x.sock", SOCKET_KIND_NONE, .path = NULL},
        {"inet4:25@x", SOCKET_KIND_NONE, .path = NULL},
        {"inet66:25@x", SOCKET_KIND_NONE, .path = NULL},
        {"8891@127.0.0.1", SOCKET_KIND_NONE, .path = NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SocketName parsed = socket_name_parse(cases[i].name);
        g_autofree char *port = parsed.port != NULL ? socket_name_port(&parsed) : NULL;
        g_autofree char *bare = socket_name_host(&parsed);
        assert_int_equal(parsed.kind, cases[i].kind);
        assert_same(parsed.path, cases[i].path);
        assert_same(parsed.descriptor, cases[i].descriptor);
        assert_same(parsed.host, cases[i].host);
        assert_same(port, cases[i].port);
        assert_same(bare, cases[i].bare);
        if (port != NULL && cases[i].host != NULL)
            assert_same(socket_name_near(&parsed), cases[i].host);
        assert_same(socket_name_path(cases[i].name), cases[i].path);
    }
    assert_null(socket_name_path(NULL));
    SocketName four = socket_name_parse("inet:25"), six = socket_name_parse("inet6:25");
    assert_same(socket_name_near(&four), "127.0.0.1");
    assert_same(socket_name_near(&six), "::1");
}

static void
assert_says(gboolean (*check)(const char *, GError **), const char *name, const char *expected)
{
    g_autoptr(GError) error = NULL;
    assert_int_equal(check(name, &error), expected == NULL);
    assert_same(error != NULL ? error->message : NULL, expected);
}

/* What is said of a name to listen on, and of one to connect to; NULL: it is good. */
static void
test_checks(void **state)
{
    (void)state;
    static const struct {
        const char *name, *own, *peer;
    } cases[] = {
        {"unix:/run/x.sock", NULL, NULL},
        {"local:/run/x.sock", NULL, NULL},
        {"inet:8891@127.0.0.1", NULL, NULL},
        {"inet6:8891@[::1]", NULL, NULL},
        {"inet:0025@x", NULL, NULL},
        {"inet:8891", NULL,
         "\"inet:8891\" does not say on which host: write it as \"inet:8891@127.0.0.1\""},
        {"fd:3", NULL, "\"fd:3\"" NO_PEER},
        {"fd:2", "\"fd:2\": the descriptor is a number from 3 on", "\"fd:2\"" NO_PEER},
        {"fd:", "\"fd:\": the descriptor is a number from 3 on", "\"fd:\"" NO_PEER},
        {"", "\"\"" NO_SOCKET, "\"\"" NO_PEER},
        {"/run/x", "\"/run/x\"" NO_SOCKET, "\"/run/x\"" NO_PEER},
        {"unix:x", "\"unix:x\": the path of the socket must begin with \"/\"",
         "\"unix:x\": the path of the socket must begin with \"/\""},
        {"inet:", "\"inet:\": \"" NO_PORT, "\"inet:\": \"" NO_PORT},
        {"inet:0@x", "\"inet:0@x\": \"0" NO_PORT, "\"inet:0@x\": \"0" NO_PORT},
        {"inet:65536", "\"inet:65536\": \"65536" NO_PORT, "\"inet:65536\": \"65536" NO_PORT},
        {"inet:+1@x", "\"inet:+1@x\": \"+1" NO_PORT, "\"inet:+1@x\": \"+1" NO_PORT},
        {"inet6:::1", "\"inet6:::1\": \"::1" NO_PORT, "\"inet6:::1\": \"::1" NO_PORT},
        {"inet:25@", "\"inet:25@\": the host behind \"@\" is missing",
         "\"inet:25@\": the host behind \"@\" is missing"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_says(socket_name_check, cases[i].name, cases[i].own);
        assert_says(socket_name_check_peer, cases[i].name, cases[i].peer);
    }
}

static void
test_reaches(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *own;
        gboolean reaches;
    } cases[] = {
        {"unix:/x", "local:/x", TRUE},
        {"unix:/x", "unix:/y", FALSE},
        {"unix:/x", "inet:25", FALSE},
        {"inet:25@127.0.0.1", "unix:/x", FALSE},
        {"inet:25@127.0.0.1", "fd:3", FALSE},
        {"inet:25@127.0.0.1", NULL, FALSE},
        {"inet:25@127.0.0.1", "inet:25", TRUE},
        {"inet:25@127.0.0.1", "inet:26", FALSE},
        {"inet:25@MAIL.example", "inet:0025@mail.EXAMPLE", TRUE},
        {"inet:25@mail.example", "inet:25@0.0.0.0", FALSE},
        {"inet6:25@[::1]", "inet6:25@::", TRUE},
        {"inet:25@0.0.0.0", "inet:25@localhost", TRUE},
        {"inet:25@127.0.0.2", "inet:25@127.0.0.1", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(socket_name_reaches(cases[i].peer, cases[i].own), cases[i].reaches);
}

static void
test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address, *name; /* NULL: it is none */
    } cases[] = {
        {"127.0.0.1:9125", "inet:9125@127.0.0.1"},
        {"0.0.0.0:1", "inet:1@0.0.0.0"},
        {"[::1]:9125", "inet6:9125@::1"},
        {"[2001:db8::1]:65535", "inet6:65535@2001:db8::1"},
        {"", NULL},
        {":", NULL},
        {":9125", NULL},
        {"9125", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:0", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:9125 ", NULL},
        {"127.0.0.1:+1", NULL},
        {"127.0.0.256:9125", NULL},
        {"localhost:9125", NULL},
        {"::1:9125", NULL},
        {"[]:9125", NULL},
        {"[:9125", NULL},
        {"[127.0.0.1]:9125", NULL},
        {"inet:9125@127.0.0.1", NULL},
        {"unix:/run/metrics", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = socket_name_of_address(cases[i].address, &error);
        if (cases[i].name == NULL) {
            assert_null(name);
            assert_non_null(error);
            continue;
        }
        assert_string_equal(name, cases[i].name);
        assert_true(socket_name_check(name, NULL));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_reaches),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
