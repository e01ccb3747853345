/*
 * server/reload: the new policy whole or the old one kept, and what happens is said.
 */
#include <string.h>
#include <sys/stat.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "captured_log.h"
#include "policy_fixture.h"
#include "server/reload.h"

#define PATIENCE_US (20 * G_USEC_PER_SEC)

/* A daemon that runs with the policy BASE in the file `path`. */
typedef struct {
    char *folder, *path, *events;
    Policy *started;
    DoorContext context;
} Fixture;

static const char base[] = "milter = { socket = \"unix:DIR/milter\"; };\n"
                           "tables = { socket = \"unix:DIR/tables\"; };\n"
                           "log = { events = \"DIR/events.jsonl\"; rate = 1; };\n";

static void
put_policy(const Fixture *fixture, const char *text)
{
    g_autoptr(GString) filled = g_string_new(text);
    g_string_replace(filled, "DIR", fixture->folder, 0);
    assert_true(g_file_set_contents(fixture->path, filled->str, -1, NULL));
    assert_int_equal(g_chmod(fixture->path, 0644), 0);
}

static int
setup(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->folder = g_dir_make_tmp("test_reload.XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "replymilter.conf", NULL);
    fixture->events = g_build_filename(fixture->folder, "events.jsonl", NULL);
    put_policy(fixture, base);
    log_open((LogTarget)0, "test", "mail");
    Policy *policy = reload_load(fixture->path, policy_fixture_classifier);
    assert_non_null(policy);
    fixture->started = policy_ref(policy);
    fixture->context.policies = policy_holder_new(policy);
    fixture->context.events = event_log_open(policy_settings(policy), &error);
    *state = fixture;
    return fixture->context.events == NULL;
}

static int
teardown(void **state)
{
    Fixture *fixture = *state;
    const char *name;
    if (fixture->context.events != NULL)
        event_log_close(fixture->context.events, PATIENCE_US);
    policy_holder_free(fixture->context.policies);
    policy_unref(fixture->started);
    GDir *folder = g_dir_open(fixture->folder, 0, NULL);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        (void)g_remove(path);
    }
    g_dir_close(folder);
    (void)g_rmdir(fixture->folder);
    g_free(fixture->events);
    g_free(fixture->path);
    g_free(fixture->folder);
    g_free(fixture);
    return 0;
}

/* What is said while `text` is loaded, DIR for the folder and FILE for the policy. */
static char *
apply(const Fixture *fixture, const char *text, gboolean *applied)
{
    if (text != NULL)
        put_policy(fixture, text);
    captured_log_begin();
    *applied = reload_apply(fixture->path, fixture->started, &fixture->context);
    g_autofree char *said = captured_log_end();
    g_autoptr(GString) general = g_string_new(said);
    g_string_replace(general, fixture->path, "FILE", 0);
    g_string_replace(general, fixture->folder, "DIR", 0);
    return g_strdup(general->str);
}

static void
loads_and_tells_what_is_hardly_meant(void **state)
{
    Fixture *fixture = *state;
    put_policy(fixture, "milter = { socket = \"unix:DIR/x\";\n mode = \"0006\"; };");
    captured_log_begin();
    g_autoptr(Policy) policy = reload_load(fixture->path, policy_fixture_classifier);
    g_autofree char *said = captured_log_end();
    g_autofree char *wanted =
        g_strdup_printf("replymilter: warning: %s:2: mode \"0006\" lets every user of this host "
                        "speak to the socket\n",
                        fixture->path);
    assert_non_null(policy);
    assert_string_equal(said, wanted);
}

static void
loads_nothing_and_tells_every_error(void **state)
{
    Fixture *fixture = *state;
    put_policy(fixture, "site = {\n reference = 5;\n};\nlimits = {\n sessions = 0; };");
    captured_log_begin();
    g_autoptr(Policy) policy = reload_load(fixture->path, policy_fixture_classifier);
    g_autofree char *said = captured_log_end();
    g_autofree char *wanted = g_strdup_printf(
        "replymilter: error: %s:2: \"site.reference\" must be true or false\n"
        "replymilter: error: %s:5: \"limits.sessions\": 0 is outside its limits: 1 to 65535\n",
        fixture->path, fixture->path);
    assert_null(policy);
    assert_string_equal(said, wanted);
}

static void
puts_the_new_one_in_force(void **state)
{
    Fixture *fixture = *state;
    gboolean applied;
    g_autofree char *fresh = g_strconcat(base, "site = { contact = \"new@example.net\"; };", NULL);
    g_autoptr(Policy) before = policy_holder_get(fixture->context.policies);
    g_autofree char *said = apply(fixture, fresh, &applied);
    g_autoptr(Policy) after = policy_holder_get(fixture->context.policies);
    assert_true(applied);
    assert_string_equal(said, "replymilter: FILE: loaded\n");
    assert_ptr_not_equal(before, after);
    assert_null(policy_settings(before)->site.contact);
    assert_string_equal(policy_settings(after)->site.contact, "new@example.net");
    assert_ptr_equal(policy_classifier(after), policy_fixture_classifier);
}

/* Not even the good part of a bad file. */
static void
keeps_the_old_one(void **state)
{
    static const char kept[] =
        "replymilter: error: FILE: the policy is not good, the old one stays in force\n";
    static const struct {
        const char *text; /* NULL: the file is gone */
        mode_t mode;
        const char *said;
    } cases[] = {
        {"site = { contact = \"new@example.net\"; };\nlimits = { sesions = 5; };", 0644,
         "replymilter: error: FILE:2: unknown setting \"sesions\": did you mean \"sessions\"?\n"},
        {"site = { contact = \"new@example.net\"; };\nlog = {", 0644, NULL},
        {"site = { contact = \"new@example.net\"; };", 0646,
         "replymilter: error: FILE: can be written by everybody: chmod o-w it\n"},
        {NULL, 0644, "replymilter: error: FILE: cannot be opened: No such file or directory\n"},
    };
    Fixture *fixture = *state;
    g_autoptr(Policy) before = policy_holder_get(fixture->context.policies);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean applied;
        if (cases[i].text != NULL)
            put_policy(fixture, cases[i].text);
        assert_int_equal(cases[i].text != NULL ? g_chmod(fixture->path, cases[i].mode)
                                               : g_remove(fixture->path),
                         0);
        g_autofree char *said = apply(fixture, NULL, &applied);
        g_autoptr(Policy) after = policy_holder_get(fixture->context.policies);
        assert_false(applied);
        assert_ptr_equal(before, after);
        assert_true(g_str_has_suffix(said, kept));
        said[strlen(said) - strlen(kept)] = '\0';
        if (cases[i].said != NULL)
            assert_string_equal(said, cases[i].said);
        else
            assert_true(g_str_has_prefix(said, "replymilter: error: FILE:2: "));
    }
}

/* A good file after a bad one is taken as ever. */
static void
recovers(void **state)
{
    Fixture *fixture = *state;
    gboolean applied;
    g_free(apply(fixture, "nonsense", &applied));
    assert_false(applied);
    g_free(apply(fixture, "site = { contact = \"new@example.net\"; };", &applied));
    assert_true(applied);
    g_autoptr(Policy) after = policy_holder_get(fixture->context.policies);
    assert_string_equal(policy_settings(after)->site.contact, "new@example.net");
}

static void
tells_what_only_a_restart_changes(void **state)
{
#define MILTER "milter = { socket = \"unix:DIR/milter\"; };\n"
#define TABLES "tables = { socket = \"unix:DIR/tables\"; };\n"
#define LOG    "log = { events = \"DIR/events.jsonl\"; };\n"
    static const struct {
        const char *text, *names;
    } cases[] = {
        {"milter = { socket = \"unix:DIR/other\"; };\n" TABLES LOG, "milter.socket"},
        {"milter = { socket = \"unix:DIR/milter\"; link = \"DIR/l\"; };\n" TABLES LOG,
         "milter.link"},
        {"milter = { socket = \"unix:DIR/milter\"; mode = \"0600\"; };\n" TABLES LOG,
         "milter.mode"},
        {"milter = { socket = \"unix:DIR/milter\"; group = \"root\"; };\n" TABLES LOG,
         "milter.group"},
        {MILTER "tables = { socket = \"unix:DIR/other\"; };\n" LOG, "tables.socket"},
        {MILTER "tables = { socket = \"unix:DIR/tables\"; link = \"DIR/l\"; };\n" LOG,
         "tables.link"},
        {MILTER "tables = { socket = \"unix:DIR/tables\"; mode = \"0600\"; };\n" LOG,
         "tables.mode"},
        {MILTER "tables = { socket = \"unix:DIR/tables\"; group = \"root\"; };\n" LOG,
         "tables.group"},
        {MILTER TABLES "log = { events = \"stdout\"; };\n", "log.events"},
        {MILTER TABLES "log = { events = \"DIR/events.jsonl\"; syslog = \"local0\"; };\n",
         "log.syslog"},
        {"", "milter.socket, tables.socket, log.events"},
    };
#undef MILTER
#undef TABLES
#undef LOG
    Fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gboolean applied;
        /* Back to what it was started with, which needs no restart, whatever was in force. */
        g_autofree char *back = apply(fixture, base, &applied);
        assert_true(applied);
        assert_string_equal(back, "replymilter: FILE: loaded\n");
        g_autofree char *said = apply(fixture, cases[i].text, &applied);
        g_autofree char *wanted =
            g_strdup_printf("replymilter: warning: only a restart changes %s: kept as before\n"
                            "replymilter: FILE: loaded\n",
                            cases[i].names);
        assert_true(applied);
        assert_string_equal(said, wanted);
    }
}

static void
names_what_that_restart_would_not_find(void **state)
{
    Fixture *fixture = *state;
    gboolean applied;
    g_autofree char *said = apply(fixture, "log = { events = \"DIR/gone/x\"; };", &applied);
    assert_true(applied);
    assert_non_null(strstr(said, "log.events: kept as before\n"
                                 "replymilter: warning: FILE: log.events: there is no folder "
                                 "DIR/gone: unless the service manager makes it, "));
}

static char *
content_of(const char *path)
{
    char *content = NULL;
    (void)g_file_get_contents(path, &content, NULL, NULL);
    return content;
}

static void
close_events(Fixture *fixture)
{
    event_log_close(fixture->context.events, PATIENCE_US);
    fixture->context.events = NULL;
}

/* A rotation needs no good policy. */
static void
opens_the_event_log_anew(void **state)
{
    static const char *const texts[] = {base, "nonsense"};
    Fixture *fixture = *state;
    g_autofree char *rotated = g_strconcat(fixture->events, ".1", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        gboolean applied;
        assert_int_equal(g_rename(fixture->events, rotated), 0);
        g_free(apply(fixture, texts[i], &applied));
        assert_int_equal(applied, i == 0);
        for (int tries = 0; tries < 2000 && g_access(fixture->events, F_OK) != 0; tries++)
            g_usleep(10000);
        assert_int_equal(g_access(fixture->events, F_OK), 0);
    }
}

/* The log's place is kept, whatever the new policy says. */
static void
goes_on_with_the_same_event_log(void **state)
{
    Fixture *fixture = *state;
    gboolean applied;
    g_autofree char *elsewhere = g_build_filename(fixture->folder, "elsewhere", NULL);
    g_free(apply(fixture, "log = { events = \"DIR/elsewhere\"; };", &applied));
    assert_true(applied);
    assert_true(event_log_put(fixture->context.events, g_strdup("{\"n\":1}"), PATIENCE_US));
    close_events(fixture);
    g_autofree char *content = content_of(fixture->events);
    assert_string_equal(content, "{\"n\":1}\n");
    assert_int_not_equal(g_access(elsewhere, F_OK), 0);
}

static guint64
limited_of_fifty(const Fixture *fixture)
{
    guint64 before = event_log_counts(fixture->context.events).limited;
    for (int i = 0; i < 50; i++)
        (void)event_log_put(fixture->context.events, g_strdup("{}"), 0);
    return event_log_counts(fixture->context.events).limited - before;
}

/* The log's rate is that of the policy in force. */
static void
takes_the_rate_of_the_policy_in_force(void **state)
{
    static const char unlimited[] = "log = { events = \"DIR/events.jsonl\"; rate = 0; };";
    Fixture *fixture = *state;
    gboolean applied;
    g_free(apply(fixture, "log = { rate = 0; };\nnonsense", &applied));
    assert_false(applied);
    assert_true(limited_of_fifty(fixture) > 0);
    g_free(apply(fixture, unlimited, &applied));
    assert_true(applied);
    assert_int_equal(limited_of_fifty(fixture), 0);
    g_free(apply(fixture, "nonsense", &applied));
    assert_false(applied);
    assert_int_equal(limited_of_fifty(fixture), 0);
}

static void
looks_around(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *text = g_strdup_printf("log = { events = \"%s/gone/x\"; };", fixture->folder);
    g_autoptr(Policy) good = policy_holder_get(fixture->context.policies);
    g_autoptr(Policy) lost = policy_from(text);
    captured_log_begin();
    reload_look_around(good);
    g_autofree char *nothing = captured_log_end();
    captured_log_begin();
    reload_look_around(lost);
    g_autofree char *said = captured_log_end();
    g_autofree char *start =
        g_strdup_printf("replymilter: warning: %s: log.events: there is no folder %s/gone",
                        policy_path(lost), fixture->folder);
    assert_string_equal(nothing, "");
    assert_true(g_str_has_prefix(said, start));
}

#define WITH_DAEMON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DAEMON(loads_and_tells_what_is_hardly_meant),
        WITH_DAEMON(loads_nothing_and_tells_every_error),
        WITH_DAEMON(puts_the_new_one_in_force),
        WITH_DAEMON(keeps_the_old_one),
        WITH_DAEMON(recovers),
        WITH_DAEMON(tells_what_only_a_restart_changes),
        WITH_DAEMON(names_what_that_restart_would_not_find),
        WITH_DAEMON(opens_the_event_log_anew),
        WITH_DAEMON(goes_on_with_the_same_event_log),
        WITH_DAEMON(takes_the_rate_of_the_policy_in_force),
        WITH_DAEMON(looks_around),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
