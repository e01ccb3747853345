/*
 * replyctl tail: the event log as it grows, in readable lines.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/event_reader.h"
#include "replyctl/command.h"
#include "replyctl/event_files.h"
#include "replyctl/event_filter.h"
#include "replyctl/event_screen.h"
#include "replyctl/log_tail.h"

#define WAIT_US (G_USEC_PER_SEC / 4)

static const char description[] =
    "Shows the last events, then each as it comes, through rotation, until it is\n"
    "stopped. MEMBER is a member of an event as in doc/events.md (client.addr,\n"
    "final.code ...), PATTERN a text with * and ?; all conditions are needed, and !=\n"
    "turns one round.\n\n"
    "Examples:\n"
    "  replyctl tail category=user-unknown recipient='*@example.net'\n"
    "  replyctl tail --once -n 100 event=refusal client.addr='192.0.2.*' stage!=helo";

typedef struct {
    char *config, *log;
    int lines;
    gboolean once, as_json;
} TailOptions;

typedef struct {
    const TailOptions *options;
    EventFilter *filter;
    GQueue *last; /* of char *: the lines to begin with; NULL: those are out */
    guint64 broken;
} Tail;

static volatile sig_atomic_t ending;

static void
on_signal(int signal_number)
{
    (void)signal_number;
    ending = 1;
}

static char *
line_of(const Tail *tail, const json_t *event)
{
    if (!tail->options->as_json)
        return event_screen_line(event);
    char *line = json_dumps(event, JSON_COMPACT | JSON_ENSURE_ASCII);
    char *owned = g_strdup(line);
    free(line);
    return owned;
}

/* Before the end was first reached, only the last lines are kept. */
static void
put(Tail *tail, char *line)
{
    if (tail->last == NULL) {
        puts(line);
        g_free(line);
        return;
    }
    g_queue_push_tail(tail->last, line);
    if (g_queue_get_length(tail->last) > (guint)tail->options->lines)
        g_free(g_queue_pop_head(tail->last));
}

static void
take_line(const char *text, gsize length, gpointer data)
{
    Tail *tail = data;
    const char *why = NULL;
    if (length == 0)
        return;
    json_t *event = event_parse(text, length, &why);
    if (event == NULL) {
        if (tail->broken++ == 0)
            command_complain("tail: a line %s; it and others like it are skipped", why);
        return;
    }
    if (event_filter_matches(tail->filter, event))
        put(tail, line_of(tail, event));
    json_decref(event);
}

static void
begin(Tail *tail)
{
    for (char *line; (line = g_queue_pop_head(tail->last)) != NULL; g_free(line))
        puts(line);
    g_queue_free(g_steal_pointer(&tail->last));
}

static void
complain(const TailOptions *options, const GError *error)
{
    g_autofree char *hint = event_files_hint(options->log);
    command_complain("tail: %s%s%s", error->message, hint, options->once ? "" : ": waiting for it");
}

static int
follow(Tail *tail, LogTail *log)
{
    gboolean fault = FALSE;
    while (!ending && !ferror(stdout)) {
        g_autoptr(GError) error = NULL;
        LogTailState state = log_tail_read(log, take_line, tail, &error);
        if (error != NULL)
            complain(tail->options, error);
        if (state == LOG_TAIL_MORE)
            continue;
        fault = state == LOG_TAIL_FAULT;
        if (tail->last != NULL)
            begin(tail);
        fflush(stdout);
        if (tail->options->once)
            break;
        g_usleep(WAIT_US);
    }
    return fault && tail->options->once ? COMMAND_FAILED : COMMAND_DONE;
}

static int
run_tail(const TailOptions *options, const char *path, EventFilter *filter)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    Tail tail = {.options = options, .filter = filter, .last = g_queue_new()};
    LogTail *log = log_tail_new(path, TRUE);
    int status = follow(&tail, log);
    log_tail_free(log);
    if (tail.last != NULL)
        g_queue_free_full(tail.last, g_free);
    return status;
}

static int
tail_with(TailOptions *options, const char *const *conditions)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(EventFilter) filter = event_filter_new(conditions, &error);
    if (filter == NULL || options->lines < 0) {
        command_complain("tail: %s", filter == NULL ? error->message : "--lines is a count");
        return COMMAND_USAGE;
    }
    if (options->log == NULL && (options->log = event_files_log("tail", options->config)) == NULL)
        return COMMAND_FAILED;
    return run_tail(options, options->log, filter);
}

int
cmd_tail(int argc, char **argv)
{
    TailOptions options = {.lines = 10};
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config,
         "the policy whose event log it is", "FILE"},
        {"log", 'l', 0, G_OPTION_ARG_FILENAME, &options.log,
         "this event log, whatever the policy says", "FILE"},
        {"lines", 'n', 0, G_OPTION_ARG_INT, &options.lines, "begin with the last N (10)", "N"},
        {"once", 0, 0, G_OPTION_ARG_NONE, &options.once, "only what is there", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.as_json, "the events as they are, one a line",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    int status = tail_with(&options, (const char *const *)argv + 1);
    g_free(options.config);
    g_free(options.log);
    return status;
}
