/*
 * scripted_filter: a filter on a socket that does what a test tells it.
 */
#include "scripted_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "wire/milter_command.h"

enum { LONG_PIECE = 40 };

struct ScriptedFilter {
    const Script *script;
    char *folder, *socket;
    int listener;
    pthread_t taker;
    pthread_mutex_t lock;
    GArray *threads; /* of pthread_t */
    GString *notes;
    gboolean stopping;
};

typedef struct {
    ScriptedFilter *filter;
    int fd;
    GString *in;
    gsize taken;
    guint told[256]; /* how often each command came */
} Connection;

static void note(Connection *connection, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
note(Connection *connection, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&connection->filter->lock);
    g_string_append_vprintf(connection->filter->notes, format, arguments);
    g_string_append_c(connection->filter->notes, '\n');
    pthread_mutex_unlock(&connection->filter->lock);
    va_end(arguments);
}

static char *
joined(MilterStrings strings, const char *between)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; strings.count > 0; i++) {
        if (i > 0)
            g_string_append(text, i % 2 == 1 ? between : " ");
        g_string_append(text, milter_strings_take(&strings));
    }
    return g_string_free(text, FALSE);
}

static void
note_command(Connection *connection, const MilterCommand *command)
{
    g_autofree char *strings =
        joined(command->strings, command->code == MILTER_COMMAND_MACRO ? "=" : " ");
    switch (command->code) {
    case MILTER_COMMAND_OPTNEG:
        break;
    case MILTER_COMMAND_MACRO:
        if (connection->filter->script->notes_macros)
            note(connection, "D %c %s", command->stage, strings);
        break;
    case MILTER_COMMAND_CONNECT:
        note(connection, "C %s %c %u %s", command->text, command->family, command->port,
             command->address != NULL ? command->address : "-");
        break;
    case MILTER_COMMAND_HELO:
    case MILTER_COMMAND_UNKNOWN:
        note(connection, "%c %s", command->code, command->text);
        break;
    case MILTER_COMMAND_MAIL:
    case MILTER_COMMAND_RCPT:
        note(connection, "%c %s", command->code, strings);
        break;
    case MILTER_COMMAND_HEADER:
        note(connection, "L %s:%s", command->name, command->value);
        break;
    case MILTER_COMMAND_BODY:
        if (command->length > LONG_PIECE)
            note(connection, "B %" G_GSIZE_FORMAT, command->length);
        else
            note(connection, "B %.*s", (int)command->length, command->octets);
        break;
    default:
        note(connection, "%c", command->code);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static void
append_answer(GString *out, const char *answer)
{
    gsize begun = milter_packet_begin(out, answer[0]);
    const char *data = answer + 1;
    if (answer[0] == MILTER_ANSWER_CHGHEADER || answer[0] == MILTER_ANSWER_INSHEADER) {
        char *behind;
        milter_long_append(out, (guint32)g_ascii_strtoull(data, &behind, 10));
        data = behind + 1;
    }
    gsize start = out->len;
    g_string_append(out, data);
    if (strchr("+-2ehimqy", answer[0]) != NULL) {
        for (gsize i = start; i < out->len; i++)
            if (out->str[i] == '|')
                out->str[i] = '\0';
        g_string_append_c(out, '\0');
    }
    milter_packet_end(out, begun);
}

GString *
scripted_octets(const char *answers)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) each = g_strsplit(answers, "\n", -1);
    for (guint i = 0; each[i] != NULL; i++)
        append_answer(out, each[i]);
    return out;
}

static gboolean
write_all(int fd, const char *octets, gsize count)
{
    while (count > 0) {
        ssize_t done = send(fd, octets, count, MSG_NOSIGNAL);
        if (done <= 0)
            return FALSE;
        octets += done;
        count -= (gsize)done;
    }
    return TRUE;
}

static gboolean
write_slowly(int fd, const ScriptRule *rule)
{
    g_auto(GStrv) each = g_strsplit(rule->answers, "\n", -1);
    for (guint i = 0; each[i] != NULL; i++) {
        g_autoptr(GString) out = scripted_octets(each[i]);
        g_usleep(rule->pause_ms * 1000);
        if (!write_all(fd, out->str, out->len))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_answers(int fd, const ScriptRule *rule)
{
    if (rule->answers != NULL && rule->pause_ms > 0)
        return write_slowly(fd, rule);
    g_autoptr(GString) out =
        rule->answers != NULL ? scripted_octets(rule->answers) : g_string_new(NULL);
    g_string_truncate(out, out->len - MIN(rule->cut, out->len));
    g_string_append_len(out, rule->raw, (gssize)rule->raw_length);
    return write_all(fd, out->str, out->len);
}

static gboolean
negotiate(Connection *connection)
{
    const Script *script = connection->filter->script;
    MilterNegotiation answer = {.version = script->version != 0 ? script->version : 6,
                                .actions = script->actions,
                                .steps = script->steps};
    g_autoptr(GString) out = g_string_new(NULL);
    memcpy(answer.macros, script->macros, sizeof(answer.macros));
    milter_negotiation_append(out, &answer);
    return write_all(connection->fd, out->str, out->len);
}

static const ScriptRule *
find_rule(const Connection *connection, char command)
{
    const ScriptRule *rule = connection->filter->script->rules;
    for (; rule != NULL && rule->command != 0; rule++)
        if (rule->command == command &&
            (rule->nth == 0 || rule->nth == connection->told[(guchar)command]))
            return rule;
    return NULL;
}

static void
hang(const Connection *connection)
{
    char ignored[4096];
    while (recv(connection->fd, ignored, sizeof(ignored), 0) > 0)
        ;
}

static void
turn_deaf(const Connection *connection)
{
    for (;;) {
        pthread_mutex_lock(&connection->filter->lock);
        gboolean stopping = connection->filter->stopping;
        pthread_mutex_unlock(&connection->filter->lock);
        if (stopping)
            return;
        g_usleep(1000);
    }
}

/* FALSE: that was all. */
static gboolean
answer_command(Connection *connection, const MilterCommand *command)
{
    const Script *script = connection->filter->script;
    connection->told[(guchar)command->code]++;
    const ScriptRule *rule = find_rule(connection, (char)command->code);
    if (rule != NULL) {
        gboolean written = write_answers(connection->fd, rule);
        if (rule->then == SCRIPT_HANG)
            hang(connection);
        if (rule->then == SCRIPT_DEAF)
            turn_deaf(connection);
        return written && rule->then == SCRIPT_GO_ON;
    }
    if (command->code == MILTER_COMMAND_OPTNEG)
        return negotiate(connection);
    if (command->code == MILTER_COMMAND_QUIT)
        return FALSE;
    if (!milter_steps_answered(script->steps, command->code))
        return TRUE;
    static const char go_on[] = {0, 0, 0, 1, MILTER_ANSWER_CONTINUE};
    return write_all(connection->fd, go_on, sizeof(go_on));
}

/* ---- connections ----------------------------------------------------------------------------- */

static gboolean
read_packet(Connection *connection, MilterPacket *packet)
{
    for (;;) {
        GString *in = connection->in;
        MilterPacketState state =
            milter_packet_decode(in->str + connection->taken, in->len - connection->taken,
                                 4 * MILTER_DATA_MAX, packet, NULL);
        if (state != MILTER_PACKET_MORE) {
            connection->taken += packet->size;
            return state == MILTER_PACKET_WHOLE;
        }
        char octets[65536];
        ssize_t got = recv(connection->fd, octets, sizeof(octets), 0);
        if (got <= 0)
            return FALSE;
        g_string_erase(in, 0, (gssize)connection->taken);
        connection->taken = 0;
        g_string_append_len(in, octets, got);
    }
}

static void *
serve(void *given)
{
    Connection *connection = given;
    MilterPacket packet;
    MilterCommand command;
    while (read_packet(connection, &packet)) {
        g_autoptr(GError) error = NULL;
        if (!milter_command_parse(&packet, &command, &error)) {
            note(connection, "broken: %s", error->message);
            break;
        }
        note_command(connection, &command);
        if (!answer_command(connection, &command))
            break;
    }
    close(connection->fd);
    g_string_free(connection->in, TRUE);
    g_free(connection);
    return NULL;
}

static void *
take_connections(void *given)
{
    ScriptedFilter *filter = given;
    int fd;
    g_usleep(filter->script->late_ms * 1000);
    while ((fd = accept(filter->listener, NULL, NULL)) >= 0) {
        Connection *connection = g_new0(Connection, 1);
        connection->filter = filter;
        connection->fd = fd;
        connection->in = g_string_new(NULL);
        pthread_t thread;
        pthread_create(&thread, NULL, serve, connection);
        pthread_mutex_lock(&filter->lock);
        g_array_append_val(filter->threads, thread);
        pthread_mutex_unlock(&filter->lock);
    }
    return NULL;
}

static void
listen_unix(ScriptedFilter *filter)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/filter", filter->folder);
    filter->socket = g_strdup_printf("unix:%s", address.sun_path);
    filter->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(filter->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
}

static void
listen_tcp(ScriptedFilter *filter)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    filter->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(filter->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    getsockname(filter->listener, (struct sockaddr *)&address, &size);
    filter->socket = g_strdup_printf("inet:%u@127.0.0.1", ntohs(address.sin_port));
}

ScriptedFilter *
scripted_filter_start(const Script *script)
{
    ScriptedFilter *filter = g_new0(ScriptedFilter, 1);
    filter->script = script;
    filter->folder = g_dir_make_tmp("scripted-XXXXXX", NULL);
    filter->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
    filter->notes = g_string_new(NULL);
    pthread_mutex_init(&filter->lock, NULL);
    (script->tcp ? listen_tcp : listen_unix)(filter);
    g_assert_cmpint(listen(filter->listener, script->backlog != 0 ? (int)script->backlog : 128), ==,
                    0);
    if (!script->mute)
        pthread_create(&filter->taker, NULL, take_connections, filter);
    return filter;
}

const char *
scripted_filter_socket(const ScriptedFilter *filter)
{
    return filter->socket;
}

guint
scripted_filter_connections(ScriptedFilter *filter)
{
    pthread_mutex_lock(&filter->lock);
    guint count = filter->threads->len;
    pthread_mutex_unlock(&filter->lock);
    return count;
}

char *
scripted_filter_stop(ScriptedFilter *filter)
{
    pthread_mutex_lock(&filter->lock);
    filter->stopping = TRUE;
    pthread_mutex_unlock(&filter->lock);
    shutdown(filter->listener, SHUT_RDWR);
    if (!filter->script->mute)
        pthread_join(filter->taker, NULL);
    for (guint i = 0; i < filter->threads->len; i++)
        pthread_join(g_array_index(filter->threads, pthread_t, i), NULL);
    close(filter->listener);
    if (!filter->script->tcp)
        g_unlink(strchr(filter->socket, ':') + 1);
    g_rmdir(filter->folder);
    char *notes = g_string_free(filter->notes, FALSE);
    g_array_unref(filter->threads);
    pthread_mutex_destroy(&filter->lock);
    g_free(filter->folder);
    g_free(filter->socket);
    g_free(filter);
    return notes;
}
