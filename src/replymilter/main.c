/*
 * replymilter: the daemon. Options, load, open, start, wait, stop in reverse order.
 */
#include "build_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "classify/classifier.h"
#include "mail/mime_view.h"
#include "policy/policy.h"
#include "policy/socket_name.h"
#include "record/event_log.h"
#include "record/joins.h"
#include "replymilter/options.h"
#include "server/control_door.h"
#include "server/daemon_view.h"
#include "server/descriptors.h"
#include "server/door_context.h"
#include "server/filter_counts.h"
#include "server/identity.h"
#include "server/listener.h"
#include "server/metrics.h"
#include "server/metrics_http.h"
#include "server/milter_door.h"
#include "server/notify.h"
#include "server/policy_holder.h"
#include "server/reload.h"
#include "server/signals.h"
#include "server/site_rule_counts.h"
#include "server/tables_door.h"

enum {
    EXIT_USAGE = 2,
    LOOK_AROUND_MS = 1000, /* how often the main thread looks whether libmilter still lives */
    LOG_DRAIN_US = 2 * G_USEC_PER_SEC,
    SETTLE_US = G_USEC_PER_SEC / 10, /* for the events of the last moment */
};

/* Everything that lives as long as the daemon does; see start() for the order. */
typedef struct {
    Options options;
    Policy *policy; /* the one it was started with; doors ask the holder */
    Listener *milter_listener, *tables_listener, *control_listener, *metrics_listener;
    DoorContext context;
    DaemonView view; /* complete when the doors are opened that show it */
    TablesDoor *tables;
    ControlDoor *control;
    MetricsHttp *metrics;
} Daemon;

/* What the service manager handed over by that name comes before what the policy says. */
static gboolean
open_listener(const char *name, const SocketSettings *settings, Listener **listener, GError **error)
{
    GError *failed = NULL;
    int fd = listener_inherited(name, &failed);
    if (failed == NULL && fd >= 0)
        *listener = listener_adopt(fd, &failed);
    else if (failed == NULL && settings->socket != NULL)
        *listener = listener_open(settings, &failed);
    if (failed != NULL) {
        g_propagate_error(error, failed);
        return FALSE;
    }
    if (*listener != NULL)
        log_info("%s door on %s", name, listener_address(*listener));
    return TRUE;
}

/* Mail is worth more than the means to look at it: the daemon serves without these doors too. */
static void
open_control_listener(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    const PolicySettings *settings = policy_settings(daemon->policy);
    if (!open_listener("control", &settings->control, &daemon->control_listener, &error))
        log_warning("the control door stays shut: %s", error->message);
}

static void
open_metrics_listener(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    const char *address = policy_settings(daemon->policy)->metrics.listen;
    g_autofree char *name = address != NULL ? socket_name_of_address(address, NULL) : NULL;
    SocketSettings settings = {.socket = name};
    if (!open_listener("metrics", &settings, &daemon->metrics_listener, &error))
        log_warning("there are no metrics over HTTP: %s", error->message);
}

/* Sockets and the process number: what may need the privileges that we then give up. */
static gboolean
open_with_privileges(Daemon *daemon, GError **error)
{
    const PolicySettings *settings = policy_settings(daemon->policy);
    SocketSettings milter = settings->milter;
    const Options *options = &daemon->options;
    if (options->socket != NULL)
        milter.socket = options->socket;
    if (!open_listener("milter", &milter, &daemon->milter_listener, error) ||
        !open_listener("tables", &settings->tables, &daemon->tables_listener, error))
        return FALSE;
    if (daemon->milter_listener == NULL && daemon->tables_listener == NULL)
        return error_fail(
            error, REPLYMILTER_ERROR_CONFIG,
            "there is no door to open: neither milter.socket nor tables.socket is set");
    open_control_listener(daemon);
    open_metrics_listener(daemon);
    if (options->pid_file != NULL && !identity_write_pid_file(options->pid_file, error))
        return FALSE;
    if (options->user != NULL)
        return identity_become(options->user, error);
    if (geteuid() == 0)
        log_warning("running as root: use -u, or User= of the unit");
    return TRUE;
}

/* Beside its own connection, a session has one to each filter, and two bodies may be in files. */
static void
make_room(const Policy *policy)
{
    enum { BODIES = 2 };
    guint filters = policy_filter_count(policy);
    guint each = filters > 0 ? 1 + filters + BODIES : 1;
    descriptors_make_room(policy_settings(policy)->limits.sessions * each +
                          TABLES_DOOR_CONNECTIONS + CONTROL_DOOR_CONNECTIONS +
                          METRICS_HTTP_CONNECTIONS);
}

static void
open_control(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    if (daemon->control_listener == NULL)
        return;
    daemon->control =
        control_door_start(listener_fd(daemon->control_listener), &daemon->view, &error);
    if (daemon->control == NULL)
        log_warning("the control door stays shut: %s", error->message);
}

static void
open_metrics(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    if (daemon->metrics_listener == NULL)
        return;
    daemon->metrics =
        metrics_http_start(listener_fd(daemon->metrics_listener), &daemon->view, &error);
    if (daemon->metrics == NULL)
        log_warning("there are no metrics over HTTP: %s", error->message);
}

/* The doors that only show how the others are. */
static void
open_views(Daemon *daemon)
{
    daemon->view = (DaemonView){
        .context = &daemon->context,
        .tables = daemon->tables,
        .milter_listener = daemon->milter_listener,
        .tables_listener = daemon->tables_listener,
        .control_listener = daemon->control_listener,
        .metrics_listener = daemon->metrics_listener,
        .policy_file = daemon->options.policy_file,
        .events = policy_settings(daemon->policy)->log.events,
        .started_us = clock_now_us(),
    };
    open_control(daemon);
    open_metrics(daemon);
}

static gboolean
start(Daemon *daemon, GError **error)
{
    DoorContext *context = &daemon->context;
    make_room(daemon->policy);
    if (!open_with_privileges(daemon, error))
        return FALSE;
    context->events = event_log_open(policy_settings(daemon->policy), error);
    if (context->events == NULL)
        return FALSE;
    context->joins = joins_new();
    context->filters = filter_states_new();
    context->policies = policy_holder_new(policy_ref(daemon->policy));
    if (daemon->tables_listener != NULL) {
        daemon->tables = tables_door_start(listener_fd(daemon->tables_listener), context, error);
        if (daemon->tables == NULL)
            return FALSE;
    }
    if (daemon->milter_listener != NULL &&
        !milter_door_start(listener_fd(daemon->milter_listener), context, error))
        return FALSE;
    open_views(daemon);
    return TRUE;
}

/* Whatever is traced, a signal can only say all or nothing. */
static void
switch_tracing(void)
{
    g_autofree char *areas = log_trace_areas();
    gboolean on = strcmp(areas, "none") == 0;
    log_trace_set(on ? "all" : "none", NULL);
    log_switch("tracing is %s", on ? "on" : "off");
}

static void
reload(Daemon *daemon)
{
    notify_reloading();
    if (reload_apply(daemon->options.policy_file, daemon->policy, &daemon->context)) {
        g_autoptr(Policy) fresh = policy_holder_get(daemon->context.policies);
        make_room(fresh);
    }
    notify_ready(daemon->options.policy_file);
}

static void
log_counts(const Daemon *daemon)
{
    g_autoptr(Policy) policy = policy_holder_get(daemon->context.policies);
    site_rule_counts_log(policy);
    filter_counts_log(policy, daemon->context.filters);
}

/* Until we are told to stop. FALSE: libmilter has given up by itself. */
static gboolean
wait_for_the_end(Daemon *daemon)
{
    while (!milter_door_failed()) {
        notify_alive();
        switch (signals_wait(LOOK_AROUND_MS)) {
        case SIGNAL_RELOAD:
            reload(daemon);
            break;
        case SIGNAL_TRACE:
            switch_tracing();
            log_counts(daemon);
            break;
        case SIGNAL_STOP:
            return TRUE;
        case SIGNAL_NONE:
            break;
        }
    }
    return FALSE;
}

/* The sockets and the file that others know us by. */
static void
close_names(Daemon *daemon)
{
    g_clear_pointer(&daemon->metrics_listener, listener_close);
    g_clear_pointer(&daemon->control_listener, listener_close);
    g_clear_pointer(&daemon->tables_listener, listener_close);
    g_clear_pointer(&daemon->milter_listener, listener_close);
    if (daemon->options.pid_file != NULL)
        unlink(daemon->options.pid_file);
}

/* A filter keeps a callback from ending: nothing that it may use can be freed. */
static void
leave_at_once(Daemon *daemon)
{
    log_warning(
        "a filter has not answered by the end of limits.stop_timeout: stopping all the same");
    close_names(daemon);
    g_usleep(SETTLE_US);
    _exit(EXIT_SUCCESS);
}

/* In the reverse order of start(), from wherever that got to. */
static void
stop(Daemon *daemon)
{
    DoorContext *context = &daemon->context;
    gboolean stopped = TRUE;
    if (context->policies != NULL) {
        g_autoptr(Policy) last = policy_holder_get(context->policies);
        gint64 timeout_us = (gint64)policy_settings(last)->limits.stop_timeout * G_USEC_PER_SEC;
        notify_stopping();
        stopped = milter_door_stop(timeout_us);
    }
    g_clear_pointer(&daemon->metrics, metrics_http_stop);
    g_clear_pointer(&daemon->control, control_door_stop);
    g_clear_pointer(&daemon->tables, tables_door_stop);
    if (context->policies != NULL)
        log_counts(daemon);
    if (!stopped)
        leave_at_once(daemon);
    g_clear_pointer(&context->policies, policy_holder_free);
    g_clear_pointer(&context->filters, filter_states_free);
    g_clear_pointer(&context->joins, joins_free);
    if (context->events != NULL)
        event_log_close(context->events, LOG_DRAIN_US);
    close_names(daemon);
}

/* Until all is well, whoever has started us by hand sees what is wrong. */
static LogTarget
log_targets(const Options *options, gboolean started)
{
    if (options->front)
        return LOG_TO_STDERR;
    if (notify_journal_reads_stderr())
        return LOG_TO_SYSLOG; /* the same journal, with facility and priority */
    if (options->check)
        return LOG_TO_STDERR;
    return started ? LOG_TO_SYSLOG : LOG_TO_STDERR | LOG_TO_SYSLOG;
}

static void
open_log(const Options *options, const char *facility, gboolean started)
{
    log_open(log_targets(options, started), "replymilter", facility != NULL ? facility : "mail");
}

static void
load(Daemon *daemon, Classifier *classifier)
{
    gint64 begun_us = clock_monotonic_us();
    daemon->policy = reload_load(daemon->options.policy_file, classifier);
    metrics_policy_loaded(daemon->context.metrics, clock_monotonic_us() - begun_us);
}

/* Loads the policy; for -n that is all. */
static int
run(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    const Options *options = &daemon->options;
    g_autoptr(Classifier) classifier = classifier_new(&error);
    if (classifier != NULL)
        load(daemon, classifier);
    if (daemon->policy == NULL) {
        if (error != NULL)
            log_error("%s", error->message);
        return EXIT_FAILURE;
    }
    if (options->check) {
        reload_look_around(daemon->policy);
        return EXIT_SUCCESS;
    }
    int status = EXIT_FAILURE;
    mime_view_init();
    if (signals_open(&error) && start(daemon, &error)) {
        log_notice("version %s serves the policy of %s", PACKAGE_VERSION, options->policy_file);
        notify_ready(options->policy_file);
        open_log(options, policy_settings(daemon->policy)->log.syslog, TRUE);
        status = wait_for_the_end(daemon) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else {
        log_error("%s", error->message);
    }
    stop(daemon);
    return status;
}

int
main(int argc, char **argv)
{
    Daemon daemon = {.policy = NULL};
    Options *options = &daemon.options;
    g_autoptr(GError) error = NULL;
    if (!options_parse(options, &argc, &argv, &error)) {
        fprintf(stderr, "replymilter: %s (see replymilter -h)\n", error->message);
        options_clear(options);
        return EXIT_USAGE;
    }
    int status = EXIT_SUCCESS;
    if (options->help != NULL) {
        fputs(options->help, stdout);
    } else if (options->version) {
        printf("replymilter %s\n", PACKAGE_VERSION);
    } else {
        open_log(options, NULL, FALSE);
        if (options->trace)
            switch_tracing();
        daemon.context.metrics = metrics_new();
        status = run(&daemon);
    }
    g_clear_pointer(&daemon.context.metrics, metrics_free);
    g_clear_pointer(&daemon.policy, policy_unref);
    options_clear(options);
    return status;
}
