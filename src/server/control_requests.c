/*
 * control_requests: one request of a control client -> its answer.
 */
#include "server/control_requests.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "server/daemon_status.h"
#include "server/metrics_text.h"
#include "wire/socketmap.h"

enum { REASON_MAX = 400, NAME_SHOWN = 40 };

/* What a request is answered with. */
typedef struct {
    const DaemonView *view;
    const ControlPeer *peer;
    const char *arguments; /* "" if there are none */
} Asked;

/* The text of the answer, or NULL and an error. */
typedef char *(*RequestFunction)(const Asked *asked, GError **error);

static char *
answer_status(const Asked *asked, GError **error)
{
    (void)error;
    return daemon_status_json(asked->view, clock_now_us());
}

static char *
answer_metrics(const Asked *asked, GError **error)
{
    GString *text = g_string_new(NULL);
    (void)error;
    metrics_text(asked->view, text);
    return g_string_free(text, FALSE);
}

static char *
answer_trace(const Asked *asked, GError **error)
{
    if (*asked->arguments != '\0') {
        if (!log_trace_set(asked->arguments, error))
            return NULL;
        g_autofree char *areas = log_trace_areas();
        log_switch("traced from now on: %s (by user %u)", areas, asked->peer->uid);
    }
    return log_trace_areas();
}

static char *
answer_log_level(const Asked *asked, GError **error)
{
    if (*asked->arguments != '\0') {
        if (!log_level_set(asked->arguments, error))
            return NULL;
        log_switch("log level from now on: %s (by user %u)", log_level(), asked->peer->uid);
    }
    return g_strdup(log_level());
}

/* Arguments change something; without them a request asks. */
static const struct {
    const char *name;
    gboolean takes_arguments;
    RequestFunction answer;
} requests[] = {
    {"status", FALSE, answer_status},
    {"metrics", FALSE, answer_metrics},
    {"trace", TRUE, answer_trace},
    {"loglevel", TRUE, answer_log_level},
};

static char *
answer(const DaemonView *view, const ControlPeer *peer, const SocketmapRequest *request,
       GError **error)
{
    const Asked asked = {view, peer, request->key};
    guint i = 0;
    while (i < G_N_ELEMENTS(requests) && strcmp(requests[i].name, request->name) != 0)
        i++;
    g_autofree char *shown = text_clean(request->name, NAME_SHOWN);
    if (i == G_N_ELEMENTS(requests))
        error_fail(error, REPLYMILTER_ERROR_PROTOCOL, "unknown request \"%s\"", shown);
    else if (*request->key != '\0' && !requests[i].takes_arguments)
        error_fail(error, REPLYMILTER_ERROR_PROTOCOL, "\"%s\" takes no arguments", shown);
    else if (*request->key != '\0' && !peer->may_change)
        error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                   "only root and the daemon's own user may change what it does");
    else
        return requests[i].answer(&asked, error);
    return NULL;
}

void
control_answer(const DaemonView *view, const ControlPeer *peer, const char *payload, gsize length,
               GString *out)
{
    g_auto(SocketmapRequest) request;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    if (socketmap_request_parse(payload, length, &request, &error))
        text = answer(view, peer, &request, &error);
    if (text != NULL) {
        socketmap_answer_append_whole(out, SOCKETMAP_OK, text);
        return;
    }
    g_autofree char *reason = text_clean(error->message, REASON_MAX);
    socketmap_answer_append(out, SOCKETMAP_PERM, reason);
}
