/*
 * server/descriptors: the limit of open files is raised as far as is needed and allowed.
 */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_support.h"

#include "captured_log.h"
#include "server/descriptors.h"

typedef struct {
    rlim_t soft, hard;
    guint connections;
    rlim_t then;      /* the soft limit after it */
    const char *said; /* without "replymilter: warning: " */
} Case;

/* A hard limit cannot be raised again: this is a child's work. */
static gboolean
holds(const Case *wanted)
{
    static const char start[] = "replymilter: warning: ";
    struct rlimit limit = {.rlim_cur = wanted->soft, .rlim_max = wanted->hard};
    captured_log_begin();
    gboolean set = setrlimit(RLIMIT_NOFILE, &limit) == 0;
    descriptors_make_room(wanted->connections);
    g_autofree char *said = captured_log_end();
    if (!set || getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return FALSE;
    const char *line = g_str_has_prefix(said, start) ? said + strlen(start) : said;
    if (limit.rlim_cur == wanted->then && limit.rlim_max == wanted->hard &&
        strcmp(line, wanted->said) == 0)
        return TRUE;
    print_error("%u connections: %lu, not %lu; \"%s\", not \"%s\"\n", wanted->connections,
                (unsigned long)limit.rlim_cur, (unsigned long)wanted->then, line, wanted->said);
    return FALSE;
}

static void
makes_room(void **state)
{
    static const Case cases[] = {
        {128, 512, 1, 128, ""},
        {128, 512, 64, 128, ""},
        {128, 512, 65, 129, ""},
        {128, 512, 300, 364, ""},
        {128, 512, 448, 512, ""},
        {128, 512, 449, 512,
         "512 open files are allowed, 513 may be needed: raise LimitNOFILE= of the unit, or lower "
         "limits.sessions\n"},
        {512, 512, 65535, 512,
         "512 open files are allowed, 65599 may be needed: raise LimitNOFILE= of the unit, or "
         "lower limits.sessions\n"},
        {512, 512, 10, 512, ""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(holds(&cases[i]) ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(makes_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
