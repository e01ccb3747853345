/*
 * smtp_probe: one recipient offered to an SMTP server.
 */
#include "replyctl/smtp_probe.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"

enum { SMTP_PORT = 25, LINES_MAX = 100 };

typedef struct {
    GDataInputStream *in;
    GOutputStream *out;
    SmtpProbeSaid said;
    gpointer data;
} Dialogue;

/* All lines of one reply, joined by "\n". NULL and an error: there is none. */
static char *
read_reply(const Dialogue *dialogue, GError **error)
{
    g_autoptr(GString) reply = g_string_new(NULL);
    for (guint lines = 0; lines < LINES_MAX; lines++) {
        g_autofree char *line = g_data_input_stream_read_line(dialogue->in, NULL, NULL, error);
        if (line == NULL) {
            if (error == NULL || *error == NULL)
                (void)error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                                 "the server has closed the connection");
            return NULL;
        }
        dialogue->said(line, FALSE, dialogue->data);
        g_string_append_printf(reply, "%s%s", lines > 0 ? "\n" : "", line);
        if (strlen(line) < 4 || line[3] != '-')
            return g_strdup(reply->str);
    }
    (void)error_fail(error, REPLYMILTER_ERROR_LIMIT, "the reply has no end");
    return NULL;
}

static char *
ask(const Dialogue *dialogue, const char *command, GError **error)
{
    g_autofree char *line = g_strconcat(command, "\r\n", NULL);
    dialogue->said(command, TRUE, dialogue->data);
    if (!g_output_stream_write_all(dialogue->out, line, strlen(line), NULL, NULL, error))
        return NULL;
    return read_reply(dialogue, error);
}

static char *
hold_dialogue(const Dialogue *dialogue, const char *recipient, GError **error)
{
    g_autofree char *rcpt = g_strdup_printf("RCPT TO:<%s>", recipient);
    g_autofree char *helo = g_strdup_printf("EHLO %s", g_get_host_name());
    const char *const commands[] = {helo, "MAIL FROM:<>", rcpt};
    char *reply = read_reply(dialogue, error);
    for (gsize i = 0; i < G_N_ELEMENTS(commands) && reply != NULL && reply[0] == '2'; i++) {
        g_free(reply);
        reply = ask(dialogue, commands[i], error);
    }
    if (reply != NULL)
        g_free(ask(dialogue, "QUIT", NULL));
    return reply;
}

char *
smtp_probe(const char *server, const char *recipient, SmtpProbeSaid said, gpointer data,
           GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, SMTP_PROBE_SECONDS);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect_to_host(client, server, SMTP_PORT, NULL, error);
    if (connection == NULL)
        return NULL;
    GIOStream *both = G_IO_STREAM(connection);
    g_autoptr(GDataInputStream) in = g_data_input_stream_new(g_io_stream_get_input_stream(both));
    g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
    const Dialogue dialogue = {
        .in = in, .out = g_io_stream_get_output_stream(both), .said = said, .data = data};
    return hold_dialogue(&dialogue, recipient, error);
}
