/*
 * policy/socket_name: addresses in the form of the web.
 */
#include "test_support.h"

#include "policy/socket_name.h"

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
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
