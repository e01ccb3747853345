/*
 * policy/surroundings: every folder that the daemon needs and that is not there, and no other.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "policy/surroundings.h"
#include "policy_fixture.h"

static char *folder; /* with the folder "here", a link "way" to it, the file "file", and "socket" */

static char *
in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static int
make_folder(void **state)
{
    folder = g_dir_make_tmp("test_surroundings.XXXXXX", NULL);
    g_autofree char *here = in_folder("here");
    g_autofree char *way = in_folder("way");
    g_autofree char *file = in_folder("file");
    g_autofree char *socket = in_folder("socket");
    (void)state;
    return folder != NULL && g_mkdir(here, 0755) == 0 && symlink(here, way) == 0 &&
                   g_file_set_contents(file, "", 0, NULL) && mknod(socket, S_IFSOCK | 0600, 0) == 0
               ? 0
               : -1;
}

static int
remove_folder(void **state)
{
    static const char *const names[] = {"here", "way", "file", "socket"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = in_folder(names[i]);
        (void)g_remove(path);
    }
    (void)g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
    return 0;
}

static char *
with_folder(const char *text)
{
    g_autoptr(GString) filled = g_string_new(text);
    g_string_replace(filled, "DIR", folder, 0);
    return g_strdup(filled->str);
}

/* The warnings, a line each, without the part that is the same in all. */
static char *
found_for(const char *text)
{
    static const char behind[] = ": unless the service manager makes it, ";
    g_autofree char *filled = with_folder(text);
    g_autoptr(Policy) policy = policy_from(filled);
    g_autoptr(GString) found = g_string_new(NULL);
    g_autoptr(GPtrArray) warnings =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    g_autofree char *file = g_strconcat(policy_path(policy), ": ", NULL);
    surroundings_check(policy, warnings);
    for (guint i = 0; i < warnings->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(warnings, i));
        assert_true(g_str_has_prefix(line, file));
        char *end = strstr(line, behind);
        assert_non_null(end);
        assert_string_equal(end + strlen(behind), strstr(line, "control.socket") != NULL
                                                      ? "that door stays shut"
                                                      : "the daemon cannot start");
        *end = '\0';
        g_string_append_printf(found, "%s\n", line + strlen(file));
    }
    return g_strdup(found->str);
}

static void
finds_what_is_missing(void **state)
{
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"milter = { socket = \"unix:DIR/gone/x\"; };",
         "milter.socket: there is no folder DIR/gone\n"},
        {"milter = { socket = \"local:DIR/gone/deep/x\"; };",
         "milter.socket: there is no folder DIR/gone/deep\n"},
        {"milter = { socket = \"unix:DIR/file/x\"; };",
         "milter.socket: there is no folder DIR/file\n"},
        {"milter = { socket = \"unix:DIR/here/x\"; link = \"DIR/gone/x\"; };",
         "milter.link: there is no folder DIR/gone\n"},
        {"milter = { socket = \"unix:DIR/gone/x\"; link = \"DIR/file\"; };",
         "milter.socket: there is no folder DIR/gone\n"},
        {"milter = { socket = \"unix:DIR/gone/x\"; link = \"DIR/socket\"; };", ""},
        {"tables = { socket = \"unix:DIR/gone/x\"; };",
         "tables.socket: there is no folder DIR/gone\n"},
        {"tables = { socket = \"local:DIR/here/x\"; link = \"DIR/gone/x\"; };",
         "tables.link: there is no folder DIR/gone\n"},
        {"control = { socket = \"unix:DIR/gone/x\"; };",
         "control.socket: there is no folder DIR/gone\n"},
        {"log = { events = \"DIR/gone/events.jsonl\"; };",
         "log.events: there is no folder DIR/gone\n"},
        {"log = { events = \"DIR/e/events.jsonl\"; };\n"
         "tables = { socket = \"unix:DIR/c/x\"; link = \"DIR/d/x\"; };\n"
         "milter = { socket = \"unix:DIR/a/x\"; link = \"DIR/b/x\"; };",
         "milter.socket: there is no folder DIR/a\n"
         "milter.link: there is no folder DIR/b\n"
         "tables.socket: there is no folder DIR/c\n"
         "tables.link: there is no folder DIR/d\n"
         "log.events: there is no folder DIR/e\n"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = found_for(cases[i].text);
        g_autofree char *wanted = with_folder(cases[i].found);
        assert_string_equal(found, wanted);
    }
}

/* What is there, though the file itself is not; and what is no path at all. */
static void
finds_nothing_else(void **state)
{
    static const char *const texts[] = {
        "",
        "milter = { socket = \"unix:DIR/here/x\"; link = \"DIR/x\"; };",
        "milter = { socket = \"local:DIR/way/x\"; link = \"/x\"; };",
        "tables = { socket = \"unix:DIR/here/x\"; link = \"DIR/way/x\"; };",
        "log = { events = \"DIR/here/events.jsonl\"; };",
        "log = { events = \"DIR/way/events.jsonl\"; };",
        "milter = { socket = \"inet:8891@127.0.0.1\"; };\ntables = { socket = \"inet6:8892\"; };",
        "milter = { socket = \"fd:3\"; };\ntables = { socket = \"fd:4\"; };",
        "log = { events = \"stdout\"; };",
        "log = { events = \"syslog\"; };",
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *found = found_for(texts[i]);
        assert_string_equal(found, "");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_missing),
        cmocka_unit_test(finds_nothing_else),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
