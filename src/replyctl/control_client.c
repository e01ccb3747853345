/*
 * control_client: one question to the running daemon, at its control door.
 */
#include "replyctl/control_client.h"

#include <gio/gio.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/policy.h"
#include "policy/socket_name.h"
#include "replyctl/command.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

enum {
    ANSWER_MAX = 16 << 20,
    READ_SIZE = 64 * 1024,
};

/* That of the policy as it is installed: for one that cannot be read. */
#define USUAL_SOCKET "/run/replymilter/control"

void
control_options_clear(ControlOptions *options)
{
    g_clear_pointer(&options->config, g_free);
    g_clear_pointer(&options->socket, g_free);
}

/* ---- where it is ----------------------------------------------------------------------------- */

static void
complain_of_file(const char *command, const GPtrArray *problems, gboolean usual)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(problems, i));
        command_complain("%s: %s", command, line);
    }
    if (usual)
        command_complain("%s: the policy does not say where the daemon is: trying %s", command,
                         USUAL_SOCKET);
    else
        command_complain("%s: the policy does not say where the daemon is: name its socket by "
                         "--socket",
                         command);
}

/* The path by the policy file; `usual`: it is the installed one, whose socket is known. NULL, said:
 * there is none. */
static char *
find_in_policy(const char *command, const char *file, gboolean usual)
{
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    g_autofree char *socket = NULL;
    if (!policy_find_control(file, &socket, problems)) {
        complain_of_file(command, problems, usual);
        return usual ? g_strdup(USUAL_SOCKET) : NULL;
    }
    const char *path = socket_name_path(socket);
    if (path == NULL)
        command_complain("%s: %s does not set \"control.socket\" (to \"unix:%s\", say), so the "
                         "daemon cannot be asked: set it and restart the daemon, or name its "
                         "socket by --socket",
                         command, file, USUAL_SOCKET);
    return g_strdup(path);
}

/* "/path", or "unix:/path" as the policy has it. */
static char *
find_socket(const char *command, const ControlOptions *options)
{
    gboolean usual = options->config == NULL;
    if (options->socket == NULL)
        return find_in_policy(command, usual ? POLICY_DEFAULT_FILE : options->config, usual);
    const char *path = socket_name_path(options->socket);
    return g_strdup(path != NULL ? path : options->socket);
}

/* ---- what is in the way ---------------------------------------------------------------------- */

/* " (its group is replymilter)", or "" where that cannot be seen. The caller frees it. */
static char *
group_hint(const char *path)
{
    struct stat status;
    const struct group *group = stat(path, &status) == 0 ? getgrgid(status.st_gid) : NULL;
    return group != NULL ? g_strdup_printf(" (its group is %s)", group->gr_name) : g_strdup("");
}

static void
complain_of_socket(const char *command, const char *path, const GError *error)
{
    g_autofree char *hint = group_hint(path);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        command_complain("%s: there is no socket %s: the daemon does not run, or was started "
                         "without it",
                         command, path);
    else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        command_complain("%s: nobody listens on %s: the daemon does not run", command, path);
    else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        command_complain("%s: %s: permission denied: be root, or a member of the socket's group%s",
                         command, path, hint);
    else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        command_complain("%s: %s: the daemon has not answered in %d seconds", command, path,
                         CONTROL_CLIENT_SECONDS);
    else
        command_complain("%s: %s: %s", command, path, error->message);
}

/* ---- question and answer --------------------------------------------------------------------- */

static GSocketConnection *
connect_to(const char *path, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, CONTROL_CLIENT_SECONDS);
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    return g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
}

/* The payload of the netstring that comes. NULL and an error: none does. */
static GString *
read_answer(GInputStream *in, GError **error)
{
    g_autofree char *piece = g_malloc(READ_SIZE);
    g_autoptr(GString) come = g_string_new(NULL);
    for (;;) {
        Netstring found;
        NetstringState state = netstring_decode(come->str, come->len, ANSWER_MAX, &found, error);
        if (state == NETSTRING_BROKEN)
            return NULL;
        if (state == NETSTRING_WHOLE)
            return g_string_new_len(found.payload, (gssize)found.length);
        gssize count = g_input_stream_read(in, piece, READ_SIZE, NULL, error);
        if (count == 0)
            error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                       "the daemon has closed the connection without an answer");
        if (count <= 0)
            return NULL;
        g_string_append_len(come, piece, count);
    }
}

static gboolean
ask(const char *path, const char *request, const char *arguments, SocketmapAnswer *answer,
    GError **error)
{
    g_autoptr(GString) question = g_string_new(NULL);
    g_autoptr(GSocketConnection) connection = connect_to(path, error);
    if (connection == NULL)
        return FALSE;
    GIOStream *both = G_IO_STREAM(connection);
    socketmap_request_append(question, request, arguments);
    if (!g_output_stream_write_all(g_io_stream_get_output_stream(both), question->str,
                                   question->len, NULL, NULL, error))
        return FALSE;
    GString *payload = read_answer(g_io_stream_get_input_stream(both), error);
    gboolean understood =
        payload != NULL && socketmap_answer_parse(payload->str, payload->len, answer, error);
    if (payload != NULL)
        g_string_free(payload, TRUE);
    return understood;
}

char *
control_client_ask(const char *command, const ControlOptions *options, const char *request,
                   const char *arguments)
{
    g_autoptr(GError) error = NULL;
    g_auto(SocketmapAnswer) answer = {0};
    g_autofree char *path = find_socket(command, options);
    if (path == NULL)
        return NULL;
    if (!ask(path, request, arguments, &answer, &error)) {
        complain_of_socket(command, path, error);
        return NULL;
    }
    if (answer.status == SOCKETMAP_OK)
        return g_steal_pointer(&answer.text);
    command_complain("%s: the daemon refuses: %s", command, answer.text);
    return NULL;
}
