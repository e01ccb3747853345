/*
 * metrics_http: the metrics over HTTP.
 */
#include "server/metrics_http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/thread.h"
#include "server/exposition.h"

/* What the head of a request may take. */
enum { REQUEST_MAX = 8 * 1024 };

struct MetricsHttp {
    const DaemonView *view;
    struct MHD_Daemon *daemon;
};

static enum MHD_Result
send_response(struct MHD_Connection *connection, guint code, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO; /* which ends the connection */
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

/* A constant text, and no more than that to whoever asks for something else. */
static enum MHD_Result
refuse(struct MHD_Connection *connection, guint code, const char *text)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
            MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    return send_response(connection, code, response);
}

/* Of a HEAD the library leaves out the text. */
static enum MHD_Result
tell(const MetricsHttp *http, struct MHD_Connection *connection)
{
    g_autoptr(GString) text = g_string_new(NULL);
    metrics_text(http->view, text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text->len, text->str, MHD_RESPMEM_MUST_COPY);
    if (response != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, EXPOSITION_CONTENT_TYPE);
    return send_response(connection, MHD_HTTP_OK, response);
}

/* Called when the head of a request has come, and again behind its body, which is not waited for.
 */
static enum MHD_Result
answer(void *data, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *body, size_t *size, void **state)
{
    static char seen;
    (void)version;
    (void)body;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    *size = 0;
    if (strcmp(url, "/metrics") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
    return tell(data, connection);
}

/* The library closes the socket that it is given. */
static struct MHD_Daemon *
start_daemon(MetricsHttp *http, int listening)
{
    const guint flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC;
    sigset_t before;
    int own = fcntl(listening, F_DUPFD_CLOEXEC, 3);
    if (own < 0)
        return NULL;
    thread_block_signals(&before);
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, answer, http, MHD_OPTION_LISTEN_SOCKET, own,
                         MHD_OPTION_CONNECTION_LIMIT, (guint)METRICS_HTTP_CONNECTIONS,
                         MHD_OPTION_CONNECTION_TIMEOUT, (guint)METRICS_HTTP_TIMEOUT_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX, MHD_OPTION_END);
    thread_unblock_signals(&before);
    if (daemon == NULL)
        close(own);
    return daemon;
}

MetricsHttp *
metrics_http_start(int listening, const DaemonView *view, GError **error)
{
    MetricsHttp *http = g_new0(MetricsHttp, 1);
    http->view = view;
    http->daemon = start_daemon(http, listening);
    if (http->daemon != NULL)
        return http;
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                "the metrics cannot be served: libmicrohttpd does not start (%s)",
                g_strerror(errno));
    g_free(http);
    return NULL;
}

void
metrics_http_stop(MetricsHttp *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    g_free(http);
}
