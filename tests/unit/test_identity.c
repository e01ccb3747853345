/*
 * server/identity: who the process is after it has given its privileges up, and the file of its
 * number. What changes the process is done in a child; most of it needs root.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "server/identity.h"

#define NEEDS_ROOT()                                                                               \
    if (geteuid() != 0)                                                                            \
    skip()

enum { NO_OWN_HOST = 99 };

/* One of Debian's base accounts, and two groups: it is in the first one only. */
static const char user[] = "news";
static const char groups[] = "root:x:0:\nnews:x:9:\nmember:x:4242:games,news\nother:x:4243:games\n";

static char *folder;

static char *
in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static int
make_folder(void **state)
{
    folder = g_dir_make_tmp("test_identity.XXXXXX", NULL);
    (void)state;
    return folder == NULL ? -1 : g_chmod(folder, 0755);
}

static int
remove_folder(void **state)
{
    const char *name;
    GDir *names = g_dir_open(folder, 0, NULL);
    (void)state;
    while ((name = g_dir_read_name(names)) != NULL) {
        g_autofree char *path = in_folder(name);
        (void)g_remove(path);
    }
    g_dir_close(names);
    (void)g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
    return 0;
}

/* ---- in a child ------------------------------------------------------------------------------ */

/* What a child says on its standard output. The caller frees it. */
static char *
said_by_child(void (*work)(void))
{
    int ends[2], status;
    char octets[4096];
    ssize_t got;
    g_autoptr(GString) said = g_string_new(NULL);
    assert_int_equal(pipe(ends), 0);
    (void)fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        work();
        (void)fflush(stdout);
        _exit(0);
    }
    (void)close(ends[1]);
    while ((got = read(ends[0], octets, sizeof(octets))) > 0)
        g_string_append_len(said, octets, got);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_OWN_HOST)
        skip();
    assert_int_equal(status, 0);
    return g_strdup(said->str);
}

static void
say_become(const char *name)
{
    g_autoptr(GError) error = NULL;
    gboolean become = identity_become(name, &error);
    printf("%s%s\n", become ? "yes" : "no: ", error != NULL ? error->message : "");
}

/* A host whose /etc/group is ours; the child ends where the kernel does not let it have one. */
static void
enter_own_host(void)
{
    g_autofree char *path = in_folder("group");
    if (!g_file_set_contents(path, groups, -1, NULL) || g_chmod(path, 0644) != 0 ||
        unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount(path, "/etc/group", NULL, MS_BIND, NULL) != 0)
        _exit(NO_OWN_HOST);
}

static int
compare_gids(const void *a, const void *b)
{
    gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;
    return left < right ? -1 : left > right;
}

static void
say_groups(void)
{
    gid_t list[64];
    int count = getgroups((int)G_N_ELEMENTS(list), list);
    qsort(list, (size_t)MAX(count, 0), sizeof(list[0]), compare_gids);
    printf("groups");
    for (int i = 0; i < count; i++)
        printf(" %u", list[i]);
    printf("\n");
}

static void
say_identity(void)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    if (getresuid(&real, &effective, &saved) == 0 &&
        getresgid(&real_group, &effective_group, &saved_group) == 0)
        printf("user %u %u %u, group %u %u %u\n", real, effective, saved, real_group,
               effective_group, saved_group);
    say_groups();
}

static void
become_user(void)
{
    static const gid_t of_root[] = {0, 4, 4243};
    enter_own_host();
    if (setgroups(G_N_ELEMENTS(of_root), of_root) != 0)
        printf("setgroups: %s\n", g_strerror(errno));
    say_become(user);
    say_identity();
}

static void
becomes_the_user_with_its_groups(void **state)
{
    NEEDS_ROOT();
    (void)state;
    const struct passwd *entry = getpwnam(user);
    assert_non_null(entry);
    g_autofree char *said = said_by_child(become_user);
    g_autofree char *wanted = g_strdup_printf(
        "yes\nuser %u %u %u, group %u %u %u\ngroups %u 4242\n", entry->pw_uid, entry->pw_uid,
        entry->pw_uid, entry->pw_gid, entry->pw_gid, entry->pw_gid, entry->pw_gid);
    assert_string_equal(said, wanted);
}

static void
say_readable(const char *name)
{
    g_autofree char *path = in_folder(name);
    printf("%s: %s\n", name, g_access(path, R_OK) == 0 ? "readable" : g_strerror(errno));
}

/* What the groups are for: the key of hashed events, say, is root:replymilter 0640. */
static void
read_files(void)
{
    enter_own_host();
    say_become(user);
    say_readable("of-member");
    say_readable("of-other");
    printf("root again: %s\n", setuid(0) == 0 ? "yes" : g_strerror(errno));
}

static void
put_file_of(const char *name, gid_t group)
{
    g_autofree char *path = in_folder(name);
    assert_true(g_file_set_contents(path, "x", 1, NULL));
    assert_int_equal(chown(path, 0, group), 0);
    assert_int_equal(g_chmod(path, 0640), 0);
}

static void
has_the_rights_of_its_groups_and_no_others(void **state)
{
    NEEDS_ROOT();
    (void)state;
    put_file_of("of-member", 4242);
    put_file_of("of-other", 4243);
    g_autofree char *said = said_by_child(read_files);
    assert_string_equal(said, "yes\n"
                              "of-member: readable\n"
                              "of-other: Permission denied\n"
                              "root again: Operation not permitted\n");
}

/* As under systemd, which has done it already. */
static void
become_without_privileges(void)
{
    say_become(user);
    say_become(user);
    say_become("daemon");
    printf("%s\n", getpwuid(geteuid())->pw_name);
}

static void
is_content_to_be_the_user_already(void **state)
{
    NEEDS_ROOT();
    (void)state;
    g_autofree char *said = said_by_child(become_without_privileges);
    assert_string_equal(said, "yes\nyes\n"
                              "no: cannot become user \"daemon\": Operation not permitted\n"
                              "news\n");
}

static void
stays_who_it_is(void **state)
{
    const struct passwd *entry = getpwuid(geteuid());
    g_autoptr(GError) error = NULL;
    (void)state;
    if (entry == NULL)
        skip();
    assert_true(identity_become(entry->pw_name, &error));
    assert_null(error);
    assert_false(identity_become("no-such-user", &error));
    assert_string_equal(error->message, "there is no user \"no-such-user\"");
}

/* ---- the file of its number ------------------------------------------------------------------ */

static void
writes_its_number(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder("pid");
    g_autofree char *content = NULL;
    g_autofree char *wanted = g_strdup_printf("%ld\n", (long)getpid());
    struct stat status;
    (void)state;
    mode_t mask = umask(0);
    assert_true(identity_write_pid_file(path, &error));
    (void)umask(mask);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    /* Whatever a longer one has left. */
    assert_true(g_file_set_contents(path, "123456789012\nmore\n", -1, NULL));
    assert_true(identity_write_pid_file(path, &error));
    assert_true(g_file_get_contents(path, &content, NULL, NULL));
    assert_string_equal(content, wanted);
}

/* Somebody else's link must not make root write anywhere. */
static void
follows_no_link(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *precious = in_folder("precious");
    g_autofree char *path = in_folder("link");
    g_autofree char *content = NULL;
    g_autofree char *start = g_strconcat(path, ": cannot write the process number: ", NULL);
    (void)state;
    assert_true(g_file_set_contents(precious, "precious", -1, NULL));
    assert_int_equal(symlink(precious, path), 0);
    assert_false(identity_write_pid_file(path, &error));
    assert_true(g_str_has_prefix(error->message, start));
    assert_true(g_file_get_contents(precious, &content, NULL, NULL));
    assert_string_equal(content, "precious");
}

static void
says_why_it_cannot_write(void **state)
{
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/nonexistent/pid",
         "/nonexistent/pid: cannot write the process number: No such file or directory"},
        {"/dev/full", "/dev/full: cannot write the process number: No space left on device"},
        {"/", "/: cannot write the process number: Is a directory"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(identity_write_pid_file(cases[i].path, &error));
        assert_string_equal(error->message, cases[i].message);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_the_user_with_its_groups),
        cmocka_unit_test(has_the_rights_of_its_groups_and_no_others),
        cmocka_unit_test(is_content_to_be_the_user_already),
        cmocka_unit_test(stays_who_it_is),
        cmocka_unit_test(writes_its_number),
        cmocka_unit_test(follows_no_link),
        cmocka_unit_test(says_why_it_cannot_write),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
