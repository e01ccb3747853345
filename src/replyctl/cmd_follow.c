/*
 * replyctl follow: the mail log as it grows: one event a recipient's final failure.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "replyctl/command.h"
#include "replyctl/follow_events.h"
#include "replyctl/follow_state.h"
#include "replyctl/journal_tail.h"
#include "replyctl/policy_file.h"

#define WAIT_US (G_USEC_PER_SEC / 2)
#define SAVE_US G_USEC_PER_SEC
/* To save may take this part of the time. */
#define SAVE_SHARE 20

static const char description[] =
    "FILE is, unless you name another, /var/log/mail.log or /var/log/maillog,\n"
    "whichever is there. Each line on the event log is one JSON object: a recipient\n"
    "that failed for good, or was put off for the first time. They go to what\n"
    "log.events of the policy names, else to standard output.\n\n"
    "Examples:\n"
    "  replyctl follow --journal --state /var/lib/replymilter/follow.state\n"
    "  replyctl follow --once --from-start --stdout /var/log/mail.log";

typedef struct {
    char *config;
    char *state;
    char *folder; /* of the journal */
    gboolean journal;
    gboolean from_start;
    gboolean once;
    gboolean to_stdout;
    const char *path;
} FollowOptions;

/* One run. */
typedef struct {
    const FollowOptions *options;
    DeliveryLedger *ledger;
    FollowEvents *events;
    FollowState *state; /* NULL: none is kept */
    LogTail *file;      /* one of the two */
    JournalTail *journal;
    gboolean changed; /* since the state was saved */
    gboolean unsaved; /* it could not be, and that was said */
    gint64 save_due_us;
} Run;

static volatile sig_atomic_t ending, reopening;

static void
on_signal(int signal_number)
{
    if (signal_number == SIGHUP)
        reopening = 1;
    else
        ending = 1;
}

static gboolean
is_ending(void)
{
    return ending != 0;
}

static void
watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

/* ---- the state ---------------------------------------------------------------------------------
 */

static json_t *
state_of(const Run *run)
{
    json_t *state = json_object();
    json_object_set_new(state, "v", json_integer(1));
    if (run->file != NULL)
        json_object_set_new(state, "file", log_tail_to_json(run->file));
    else
        json_object_set_new(state, "cursor", json_string(journal_tail_cursor(run->journal)));
    json_object_set_new(state, "open", delivery_ledger_to_json(run->ledger));
    return state;
}

static void
save(Run *run)
{
    g_autoptr(GError) error = NULL;
    gint64 began_us = clock_monotonic_us();
    gboolean saved = follow_state_save(run->state, state_of(run), &error);
    if (!saved && !run->unsaved)
        command_complain("follow: %s", error->message);
    run->unsaved = !saved;
    run->changed = !saved;
    gint64 took_us = clock_monotonic_us() - began_us;
    run->save_due_us = clock_monotonic_us() + MAX(SAVE_US, took_us * SAVE_SHARE);
}

/* What could not be written to the event log must be read again. */
static void
save_if_due(Run *run, gboolean now)
{
    gboolean wanted = run->state != NULL && run->changed && !follow_events_lost(run->events);
    if (wanted && (now || clock_monotonic_us() >= run->save_due_us))
        save(run);
}

/* TRUE: there is a place to go on from. */
static gboolean
restore(Run *run, const json_t *state)
{
    gboolean lost = FALSE, found = FALSE;
    const char *cursor = json_string_value(json_object_get(state, "cursor"));
    delivery_ledger_from_json(run->ledger, json_object_get(state, "open"));
    if (run->file != NULL)
        found = log_tail_from_json(run->file, json_object_get(state, "file"), &lost);
    else if (cursor != NULL)
        found = !(lost = !journal_tail_from_cursor(run->journal, cursor));
    if (lost)
        command_complain("follow: the place where it stopped is gone: lines may be missing");
    return found;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void
take_line(const char *text, gsize length, gpointer data)
{
    Run *run = data;
    LogLine line;
    run->changed = TRUE;
    if (!log_line_parse(text, length, &line))
        return;
    gint64 now_us = clock_now_us(), time_us = log_stamp_time(&line.stamp, now_us);
    delivery_ledger_take(run->ledger, &line, time_us >= 0 ? time_us : now_us);
    log_line_clear(&line);
}

static LogTailState
read_some(Run *run)
{
    g_autoptr(GError) error = NULL;
    LogTailState state = run->file != NULL
                             ? log_tail_read(run->file, take_line, run, &error)
                             : journal_tail_read(run->journal, take_line, run, &error);
    gboolean waiting = run->file != NULL && !run->options->once;
    if (error != NULL)
        command_complain(waiting ? "follow: %s: waiting for it" : "follow: %s", error->message);
    return state;
}

static void
wait_for_more(const Run *run)
{
    if (run->journal != NULL)
        journal_tail_wait(run->journal, WAIT_US);
    else
        g_usleep(WAIT_US);
}

static int
follow(Run *run)
{
    LogTailState state = LOG_TAIL_MORE;
    (void)sd_notify(0, "READY=1");
    while (!ending && !follow_events_lost(run->events)) {
        state = read_some(run);
        if (reopening) {
            reopening = 0;
            follow_events_reopen(run->events);
        }
        save_if_due(run, FALSE);
        if (state == LOG_TAIL_MORE)
            continue;
        if (run->options->once)
            break;
        wait_for_more(run);
    }
    save_if_due(run, TRUE);
    gboolean fault = run->unsaved || follow_events_lost(run->events) ||
                     (run->options->once && state == LOG_TAIL_FAULT);
    return fault ? COMMAND_FAILED : COMMAND_DONE;
}

/* ---- the start ---------------------------------------------------------------------------------
 */

static const char *
usual_log(void)
{
    static const char *const paths[] = {"/var/log/mail.log", "/var/log/maillog", NULL};
    for (guint i = 0; paths[i] != NULL; i++)
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    return NULL;
}

/* FALSE and an error; the state may be NULL. */
static gboolean
open_source(Run *run, const json_t *state, GError **error)
{
    const FollowOptions *options = run->options;
    /* Who reads once wants what is there, or what is new since the last time. */
    gboolean from_start = options->from_start || options->once;
    if (options->journal) {
        run->journal = journal_tail_new(options->folder, from_start, error);
        if (run->journal == NULL)
            return FALSE;
    } else {
        run->file = log_tail_new(options->path, from_start);
    }
    if (state != NULL)
        restore(run, state);
    return TRUE;
}

static gboolean
open_run(Run *run, const Policy *policy, const Classifier *classifier, GError **error)
{
    g_autoptr(GError) unread = NULL;
    const FollowOptions *options = run->options;
    run->events = follow_events_new(policy, classifier, options->to_stdout, error);
    if (run->events == NULL)
        return FALSE;
    follow_events_on_wait(run->events, is_ending);
    run->ledger = delivery_ledger_new(follow_events_put, run->events);
    if (options->state == NULL)
        return open_source(run, NULL, error);
    run->state = follow_state_open(options->state, error);
    if (run->state == NULL)
        return FALSE;
    json_t *state = options->from_start ? NULL : follow_state_load(run->state, &unread);
    if (unread != NULL)
        command_complain("follow: %s: begins anew", unread->message);
    gboolean opened = open_source(run, state, error);
    json_decref(state);
    return opened;
}

static void
close_run(Run *run)
{
    g_clear_pointer(&run->file, log_tail_free);
    g_clear_pointer(&run->journal, journal_tail_free);
    g_clear_pointer(&run->state, follow_state_close);
    g_clear_pointer(&run->ledger, delivery_ledger_free);
    g_clear_pointer(&run->events, follow_events_free);
}

/* The policy that is named must be good; the installed one need not be there. */
static gboolean
load_policy(const FollowOptions *options, Classifier *classifier, Policy **policy)
{
    *policy = NULL;
    if (options->config == NULL && access(POLICY_DEFAULT_FILE, F_OK) != 0)
        return TRUE;
    *policy = policy_file_load_path(options->config != NULL ? options->config : POLICY_DEFAULT_FILE,
                                    classifier, TRUE);
    return *policy != NULL;
}

static int
run_follow(const FollowOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Policy) policy = NULL;
    g_autoptr(Classifier) classifier = classifier_new(&error);
    if (classifier == NULL) {
        command_complain("follow: %s", error->message);
        return COMMAND_FAILED;
    }
    if (!load_policy(options, classifier, &policy))
        return COMMAND_FAILED;
    Run run = {.options = options, .changed = TRUE};
    int status = COMMAND_FAILED;
    watch_signals();
    if (open_run(&run, policy, classifier, &error))
        status = follow(&run);
    else
        command_complain("follow: %s", error->message);
    close_run(&run);
    return status;
}

/* FALSE: wrong usage, said. */
static gboolean
choose_source(FollowOptions *options, int argc, char **argv)
{
    options->journal = options->journal || options->folder != NULL;
    options->path = argc > 1 ? argv[1] : NULL;
    if (command_has_stray(argc, argv, 1, "one log at a time"))
        return FALSE;
    if (g_strcmp0(options->path, "-") == 0) {
        command_complain("follow: only a file can be followed: replyctl classify reads standard "
                         "input");
    } else if (options->journal && options->path != NULL) {
        command_complain("follow: --journal or a file, not both");
    } else {
        if (!options->journal && options->path == NULL)
            options->path = usual_log();
        if (options->journal || options->path != NULL)
            return TRUE;
        command_complain("follow: there is no /var/log/mail.log or /var/log/maillog that can be "
                         "read: name the log, or take --journal");
    }
    return FALSE;
}

int
cmd_follow(int argc, char **argv)
{
    FollowOptions options = {.config = NULL};
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config,
         "the policy: privacy, site rules, the event log", "FILE"},
        {"journal", 'J', 0, G_OPTION_ARG_NONE, &options.journal,
         "systemd's journal instead of a file", NULL},
        {"directory", 'D', 0, G_OPTION_ARG_FILENAME, &options.folder, "the journal in this folder",
         "DIR"},
        {"state", 's', 0, G_OPTION_ARG_FILENAME, &options.state,
         "remember here how far it has come, go on there", "FILE"},
        {"from-start", 0, 0, G_OPTION_ARG_NONE, &options.from_start,
         "what is in the log already, too", NULL},
        {"once", 0, 0, G_OPTION_ARG_NONE, &options.once, "read to the end, and stop", NULL},
        {"stdout", 0, 0, G_OPTION_ARG_NONE, &options.to_stdout,
         "events to standard output, whatever the policy says", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    int status = choose_source(&options, argc, argv) ? run_follow(&options) : COMMAND_USAGE;
    g_free(options.config);
    g_free(options.folder);
    g_free(options.state);
    return status;
}
