/*
 * milter_door: libmilter's callbacks, and libmilter's life.
 *
 * A callback fetches the macros, calls the session, and applies its answer; nothing else happens
 * here.
 */
#include "server/milter_door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "server/milter_changes.h"
#include "server/milter_needs.h"
#include "server/milter_reply.h"
#include "server/milter_session.h"
#include "server/trouble.h"

enum {
    STEP_US = 10 * 1000,               /* between two looks at a counter while stopping */
    STOP_GRACE_US = G_USEC_PER_SEC,    /* for a callback that is at work when the time is over */
    TIMER_SLACK_NS = 50 * 1000 * 1000, /* how late timers may be, at most */
};

/*
 * A callback that returns this has libmilter close the session without an answer: `_SMFIS_ABORT` of
 * its engine.c, which mfapi.h does not show. To a libmilter that did not know it, it would be no
 * answer: the MTA would wait until the process has ended.
 */
enum { CLOSE_SESSION = 21 };

/* What libmilter keeps for us on one connection. */
typedef struct {
    MilterSession *session;
    unsigned long steps; /* as negotiated */
    gboolean counted_busy;
    gboolean unchecked; /* over limits.sessions: let through */
} Connection;

/* libmilter is one per process, and so is this door. */
static struct {
    const DoorContext *context;
    int listener; /* libmilter's own descriptor of the socket */
    atomic_bool running, stopping, failed;
    atomic_bool shut;   /* what callbacks use is about to go */
    atomic_uint inside; /* callbacks at work */
    atomic_uint sessions, busy;
    atomic_ullong all_sessions, all_messages, turned_away;
} door;

/*
 * libmilter's workers outlive smfi_main(). A callback that comes after the door was shut never
 * returns: the process ends, and the MTA does what it is set to do without a filter.
 */
static void
enter(void)
{
    atomic_fetch_add(&door.inside, 1);
    if (!atomic_load(&door.shut))
        return;
    atomic_fetch_sub(&door.inside, 1);
    for (;;)
        pause();
}

static void
leave(void)
{
    atomic_fetch_sub(&door.inside, 1);
}

/* Messages under way are counted for the drain. */
static void
count_busy(Connection *connection)
{
    gboolean busy = milter_session_busy(connection->session);
    if (busy == connection->counted_busy)
        return;
    connection->counted_busy = busy;
    if (busy) {
        atomic_fetch_add(&door.busy, 1);
        atomic_fetch_add(&door.all_messages, 1);
    } else {
        atomic_fetch_sub(&door.busy, 1);
    }
}

/* At a stage that was negotiated to have no reply, libmilter wants to hear just that. */
static sfsistat
silent_or(const Connection *connection, unsigned long no_reply, sfsistat answer)
{
    return connection->steps & no_reply ? SMFIS_NOREPLY : answer;
}

static const char *
macro(SMFICTX *context, const char *name)
{
    return smfi_getsymval(context, (char *)name);
}

/* The one caller of libmilter's answers: the session's answer as libmilter's. */
static sfsistat
apply_answer(SMFICTX *context, Connection *connection, SessionAnswer answer, unsigned long no_reply)
{
    sfsistat given = SMFIS_CONTINUE;
    switch (answer) {
    case SESSION_CONTINUE:
        break;
    case SESSION_ACCEPT:
        given = SMFIS_ACCEPT;
        break;
    case SESSION_DISCARD:
        given = SMFIS_DISCARD;
        break;
    case SESSION_REPLY:
        given = milter_reply_set(context, milter_session_reply(connection->session));
        break;
    case SESSION_QUARANTINE:
        if (smfi_quarantine(context, (char *)milter_session_reason(connection->session)) !=
            MI_SUCCESS)
            log_error_of(macro(context, "i"),
                         "the MTA does not take a quarantine: the mail goes on");
        break;
    }
    count_busy(connection);
    return silent_or(connection, no_reply, given);
}

static void
ask_for_macros(SMFICTX *context, const MilterSession *session, unsigned long actions)
{
    static const char *const own[MILTER_STAGES] = {
        [MILTER_STAGE_CONNECT] = "j {daemon_name}",
        [MILTER_STAGE_HELO] = "{tls_version}",
        /* One that is always set: where none is, libmilter keeps those of the message before. */
        [MILTER_STAGE_ENVFROM] = "j i {auth_authen}",
        [MILTER_STAGE_ENVRCPT] = "i {rcpt_mailer} {rcpt_host} {rcpt_addr}",
        [MILTER_STAGE_DATA] = "i",
        [MILTER_STAGE_EOM] = "i",
    };
    if (!(actions & SMFIF_SETSYMLIST))
        return;
    for (int stage = 0; stage < MILTER_STAGES; stage++) {
        g_autofree char *macros = milter_session_macros(session, (MilterStage)stage, own[stage]);
        if (macros != NULL && smfi_setsymlist(context, stage, macros) != MI_SUCCESS)
            log_warning("libmilter does not take the macro list \"%s\"", macros);
    }
}

static const char *
mta_macro(gpointer context, const char *name)
{
    return macro(context, name);
}

static void
mta_progress(gpointer context)
{
    smfi_progress(context);
}

static Connection *
connection_new(SMFICTX *context)
{
    static SharedTrouble crowded = SHARED_TROUBLE_INIT;
    Connection *connection = g_new0(Connection, 1);
    SessionMta mta = {mta_macro, mta_progress, context};
    connection->session = milter_session_new(door.context, &mta);
    const Policy *policy = milter_session_policy(connection->session);
    guint limit = policy_settings(policy)->limits.sessions;
    connection->unchecked = atomic_fetch_add(&door.sessions, 1) >= limit;
    atomic_fetch_add(&door.all_sessions, 1);
    if (connection->unchecked) {
        atomic_fetch_add(&door.turned_away, 1);
        shared_trouble_note(&crowded, clock_monotonic_us(),
                            "more than %u sessions (limits.sessions): this one is %s", limit,
                            policy_filter_count(policy) > 0 ? "put off" : "let through unchecked");
    }
    smfi_setpriv(context, connection);
    return connection;
}

/*
 * An MTA that does not negotiate has not made it yet, nor one that keeps its connection for another
 * client and then does not name that client.
 */
static Connection *
connection_of(SMFICTX *context)
{
    Connection *connection = smfi_getpriv(context);
    return connection != NULL ? connection : connection_new(context);
}

/* Who is not served is told so at connect, whatever the policy needs. */
static unsigned long
steps_unchecked(const MilterSession *session, unsigned long offered)
{
    const PolicyNeeds *needs = policy_needs(milter_session_policy(session));
    return milter_needs_steps(needs, offered) & ~(unsigned long)(SMFIP_NR_CONN | SMFIP_NOCONNECT);
}

static sfsistat
on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps, unsigned long f2,
             unsigned long f3, unsigned long *wanted_actions, unsigned long *wanted_steps,
             unsigned long *wanted_f2, unsigned long *wanted_f3)
{
    (void)f2;
    (void)f3;
    Connection *connection = connection_of(context);
    MilterSession *session = connection->session;
    *wanted_f2 = 0;
    *wanted_f3 = 0;
    if (connection->unchecked) {
        connection->steps = *wanted_steps = steps_unchecked(session, steps);
        *wanted_actions = 0;
        return SMFIS_CONTINUE;
    }
    milter_session_negotiate(session, actions, steps);
    *wanted_steps = connection->steps = milter_session_steps(session);
    *wanted_actions = milter_session_actions(session);
    ask_for_macros(context, session, *wanted_actions);
    log_trace(LOG_AREA_MILTER, "negotiated steps %#lx of %#lx, actions %#lx of %#lx", *wanted_steps,
              steps, *wanted_actions, actions);
    return SMFIS_CONTINUE;
}

/* Whom the limits do not let in: what the filters behind us would have refused must not pass. */
static sfsistat
turn_away(const Connection *connection)
{
    const Policy *policy = milter_session_policy(connection->session);
    return policy_filter_count(policy) > 0 ? SMFIS_TEMPFAIL : SMFIS_ACCEPT;
}

/* A client's address as text, as libmilter gave it. */
typedef struct {
    MilterFamily family;
    guint port;       /* 0 where there is none */
    const char *text; /* NULL where there is none */
    char octets[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
} ClientAddress;

static void
read_address(const _SOCK_ADDR *address, ClientAddress *client)
{
    *client = (ClientAddress){.family = MILTER_FAMILY_UNKNOWN};
    if (address == NULL)
        return;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof(four));
        client->family = MILTER_FAMILY_INET;
        client->port = ntohs(four.sin_port);
        client->text = inet_ntop(AF_INET, &four.sin_addr, client->octets, sizeof(client->octets));
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof(six));
        client->family = MILTER_FAMILY_INET6;
        client->port = ntohs(six.sin6_port);
        client->text = inet_ntop(AF_INET6, &six.sin6_addr, client->octets, sizeof(client->octets));
    } else if (address->sa_family == AF_UNIX) {
        struct sockaddr_un local;
        memcpy(&local, address, sizeof(local));
        client->family = MILTER_FAMILY_UNIX;
        memcpy(client->octets, local.sun_path, sizeof(local.sun_path));
        client->text = client->octets;
    }
}

static sfsistat
on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
    Connection *connection = connection_of(context);
    ClientAddress client;
    if (connection->unchecked)
        return turn_away(connection);
    read_address(address, &client);
    SessionAnswer answer =
        milter_session_connect(connection->session, name, client.family, client.text, client.port,
                               macro(context, "{daemon_name}"), macro(context, "j"));
    return apply_answer(context, connection, answer, SMFIP_NR_CONN);
}

static sfsistat
on_helo(SMFICTX *context, char *helo)
{
    Connection *connection = connection_of(context);
    return apply_answer(
        context, connection,
        milter_session_helo(connection->session, helo, macro(context, "{tls_version}")),
        SMFIP_NR_HELO);
}

/* After a final answer no further callback comes for this message, not even abort. */
static sfsistat
end_message_after(Connection *connection, sfsistat answer)
{
    if (answer != SMFIS_CONTINUE && answer != SMFIS_NOREPLY)
        milter_session_end_message(connection->session);
    count_busy(connection);
    return answer;
}

static sfsistat
on_mail(SMFICTX *context, char **arguments)
{
    Connection *connection = connection_of(context);
    /* Nothing is under way in it: it need not be waited for, and the next message is not ours. */
    if (atomic_load(&door.stopping))
        return CLOSE_SESSION;
    SessionAnswer answer =
        milter_session_mail(connection->session, (const char *const *)arguments,
                            macro(context, "{auth_authen}"), macro(context, "i"));
    return end_message_after(connection, apply_answer(context, connection, answer, SMFIP_NR_MAIL));
}

/* A recipient may also be accepted for Postfix's error transport: then no status stands there. */
static gboolean
is_refused_by_mta(SMFICTX *context)
{
    const char *status = macro(context, "{rcpt_host}");
    return g_strcmp0(macro(context, "{rcpt_mailer}"), "error") == 0 && status != NULL &&
           enhanced_status_parse(status, NULL);
}

static sfsistat
on_rcpt(SMFICTX *context, char **arguments)
{
    Connection *connection = connection_of(context);
    const char *queue_id = macro(context, "i");
    log_trace_of(LOG_AREA_MILTER, queue_id, "RCPT %s by %s", arguments[0],
                 macro(context, "{rcpt_mailer}"));
    if (is_refused_by_mta(context)) {
        const char *text = macro(context, "{rcpt_addr}");
        milter_session_rcpt_refused(connection->session, (const char *const *)arguments,
                                    macro(context, "{rcpt_host}"), text != NULL ? text : "",
                                    queue_id);
        /* Anything but CONTINUE would change what the filter sees of the next recipients. */
        return silent_or(connection, SMFIP_NR_RCPT, SMFIS_CONTINUE);
    }
    SessionAnswer answer =
        milter_session_rcpt(connection->session, (const char *const *)arguments, queue_id);
    sfsistat given = apply_answer(context, connection, answer, SMFIP_NR_RCPT);
    /* A refused recipient is not the end of its message. */
    return answer == SESSION_REPLY ? given : end_message_after(connection, given);
}

static sfsistat
on_data(SMFICTX *context)
{
    Connection *connection = connection_of(context);
    SessionAnswer answer = milter_session_data(connection->session, macro(context, "i"));
    return end_message_after(connection, apply_answer(context, connection, answer, SMFIP_NR_DATA));
}

static sfsistat
on_unknown(SMFICTX *context, const char *line)
{
    Connection *connection = connection_of(context);
    return apply_answer(context, connection, milter_session_unknown(connection->session, line),
                        SMFIP_NR_UNKN);
}

static sfsistat
on_header(SMFICTX *context, char *name, char *value)
{
    Connection *connection = connection_of(context);
    milter_session_header(connection->session, name, value);
    return silent_or(connection, SMFIP_NR_HDR, SMFIS_CONTINUE);
}

static sfsistat
on_end_of_headers(SMFICTX *context)
{
    Connection *connection = connection_of(context);
    SessionAnswer answer = milter_session_end_of_headers(connection->session);
    return end_message_after(connection, apply_answer(context, connection, answer, SMFIP_NR_EOH));
}

static sfsistat
on_body(SMFICTX *context, unsigned char *octets, size_t count)
{
    Connection *connection = connection_of(context);
    milter_session_body(connection->session, (const char *)octets, count);
    return silent_or(connection, SMFIP_NR_BODY, SMFIS_CONTINUE);
}

/*
 * Our own headers are not worth a mail, but what a filter wanted done may be what makes a mail
 * harmless: then it is put off.
 */
static sfsistat
apply_changes(SMFICTX *context, const MilterSession *session)
{
    static SharedTrouble refused = SHARED_TROUBLE_INIT;
    gboolean filtered = policy_filter_count(milter_session_policy(session)) > 0;
    if (milter_changes_apply(context, session))
        return SMFIS_CONTINUE;
    shared_trouble_note_of(&refused, clock_monotonic_us(), macro(context, "i"),
                           "the MTA does not take changes of a mail: %s",
                           filtered ? "it is put off" : "a report goes on untagged");
    return filtered ? SMFIS_TEMPFAIL : SMFIS_CONTINUE;
}

static sfsistat
on_end_of_message(SMFICTX *context)
{
    Connection *connection = connection_of(context);
    MilterSession *session = connection->session;
    SessionAnswer answer = milter_session_end_of_message(session, macro(context, "i"));
    sfsistat given = SMFIS_CONTINUE;
    if (answer == SESSION_CONTINUE || answer == SESSION_QUARANTINE)
        given = apply_changes(context, session);
    if (given == SMFIS_CONTINUE)
        given = apply_answer(context, connection, answer, 0);
    milter_session_end_message(session);
    count_busy(connection);
    return given;
}

static sfsistat
on_abort(SMFICTX *context)
{
    Connection *connection = smfi_getpriv(context);
    if (connection != NULL) {
        milter_session_end_message(connection->session);
        count_busy(connection);
    }
    return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *context)
{
    Connection *connection = smfi_getpriv(context);
    if (connection == NULL)
        return SMFIS_CONTINUE;
    smfi_setpriv(context, NULL);
    milter_session_end_message(connection->session);
    count_busy(connection);
    milter_session_free(connection->session);
    g_free(connection);
    atomic_fetch_sub(&door.sessions, 1);
    return SMFIS_CONTINUE;
}

/* The callbacks as libmilter gets them: each is counted while it is at work. */
#define GUARDED(callback, parameters, arguments)                                                   \
    static sfsistat guarded_##callback parameters                                                  \
    {                                                                                              \
        enter();                                                                                   \
        sfsistat answer = callback arguments;                                                      \
        leave();                                                                                   \
        return answer;                                                                             \
    }

GUARDED(on_negotiate,
        (SMFICTX * c, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
         unsigned long *p0, unsigned long *p1, unsigned long *p2, unsigned long *p3),
        (c, f0, f1, f2, f3, p0, p1, p2, p3))
GUARDED(on_connect, (SMFICTX * c, char *name, _SOCK_ADDR *address), (c, name, address))
GUARDED(on_helo, (SMFICTX * c, char *helo), (c, helo))
GUARDED(on_mail, (SMFICTX * c, char **arguments), (c, arguments))
GUARDED(on_rcpt, (SMFICTX * c, char **arguments), (c, arguments))
GUARDED(on_data, (SMFICTX * c), (c))
GUARDED(on_unknown, (SMFICTX * c, const char *line), (c, line))
GUARDED(on_header, (SMFICTX * c, char *name, char *value), (c, name, value))
GUARDED(on_end_of_headers, (SMFICTX * c), (c))
GUARDED(on_body, (SMFICTX * c, unsigned char *octets, size_t count), (c, octets, count))
GUARDED(on_end_of_message, (SMFICTX * c), (c))
GUARDED(on_abort, (SMFICTX * c), (c))
GUARDED(on_close, (SMFICTX * c), (c))

static gboolean
register_callbacks(GError **error)
{
    struct smfiDesc description = {
        .xxfi_name = (char *)"replymilter",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFI_CURR_ACTS,
        .xxfi_connect = guarded_on_connect,
        .xxfi_helo = guarded_on_helo,
        .xxfi_envfrom = guarded_on_mail,
        .xxfi_envrcpt = guarded_on_rcpt,
        .xxfi_data = guarded_on_data,
        .xxfi_unknown = guarded_on_unknown,
        .xxfi_header = guarded_on_header,
        .xxfi_eoh = guarded_on_end_of_headers,
        .xxfi_body = guarded_on_body,
        .xxfi_eom = guarded_on_end_of_message,
        .xxfi_abort = guarded_on_abort,
        .xxfi_close = guarded_on_close,
        .xxfi_negotiate = guarded_on_negotiate,
    };
    if (smfi_register(description) == MI_SUCCESS)
        return TRUE;
    g_set_error(
        error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
        "libmilter does not register: it is another version than the one we were built for");
    return FALSE;
}

/*
 * A connection on which nothing comes for 1 ms goes back to libmilter's pool (mi_rd_socket_ready()
 * of its engine.c), which costs several changes of threads for each command of an MTA that is
 * slower than that. With slack the kernel may end that wait later; what comes is read at once all
 * the same. The other waits of these threads are longer, but for a filter's full queue
 * (filter_link.c), where late does no harm. Threads that libmilter starts inherit it
 * (PR_SET_TIMERSLACK in prctl(2)).
 */
static void
let_timers_be_late(void)
{
    (void)prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_NS, 0, 0, 0);
}

static void *
serve(void *unused)
{
    (void)unused;
    let_timers_be_late();
    int answer = smfi_main();
    if (!atomic_load(&door.stopping)) {
        log_error("libmilter has ended by itself (%s)",
                  answer == MI_SUCCESS ? "without an error" : "with an error");
        atomic_store(&door.failed, true);
    }
    atomic_store(&door.running, false);
    return NULL;
}

gboolean
milter_door_start(int fd, const DoorContext *context, GError **error)
{
    door.context = context;
    /* libmilter closes its descriptor when it ends: it gets one of its own. */
    door.listener = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    g_autofree char *connection = g_strdup_printf("fd:%d", door.listener);
    if (door.listener < 0 || smfi_setconn(connection) != MI_SUCCESS) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO,
                    "libmilter does not take the socket: %s", g_strerror(errno));
        return FALSE;
    }
    if (!register_callbacks(error))
        return FALSE;
    if (smfi_opensocket(FALSE) != MI_SUCCESS) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "libmilter cannot listen: %s",
                    g_strerror(errno));
        return FALSE;
    }
    atomic_store(&door.running, true);
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, serve, NULL);
    if (failed != 0) {
        atomic_store(&door.running, false);
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "no thread for libmilter: %s",
                    g_strerror(failed));
        return FALSE;
    }
    pthread_detach(thread);
    return TRUE;
}

/*
 * libmilter has no way to take no more connections and yet serve those it has. So its descriptor is
 * made to name a socket that nobody can reach; what waits at the real one waits for our successor.
 */
static void
take_no_more(void)
{
    int nowhere = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_un none = {.sun_family = AF_UNIX};
    if (nowhere < 0 || bind(nowhere, (struct sockaddr *)&none, sizeof(sa_family_t)) < 0 ||
        listen(nowhere, 1) < 0 || dup3(nowhere, door.listener, O_CLOEXEC) < 0)
        log_warning("new connections are still taken while stopping: %s", g_strerror(errno));
    if (nowhere >= 0)
        close(nowhere);
}

/*
 * After this no callback is at work, nor will be, unless one waits for a filter until `deadline`.
 * libmilter itself runs on until the process ends: smfi_stop() would wait for a lock that the
 * listening thread holds for five seconds at a time, and would give the open sessions no other end
 * than that.
 */
static gboolean
shut_callbacks(gint64 deadline)
{
    atomic_store(&door.shut, true);
    while (atomic_load(&door.inside) > 0) {
        if (clock_monotonic_us() >= deadline)
            return FALSE;
        g_usleep(STEP_US);
    }
    return TRUE;
}

/* In this order: who has just left has counted its message. */
static gboolean
is_at_work(void)
{
    return atomic_load(&door.inside) > 0 || atomic_load(&door.busy) > 0;
}

gboolean
milter_door_stop(gint64 timeout_us)
{
    gint64 deadline = clock_monotonic_us() + timeout_us;
    atomic_store(&door.stopping, true);
    if (atomic_load(&door.running))
        take_no_more();
    while (atomic_load(&door.running) && is_at_work() && clock_monotonic_us() < deadline)
        g_usleep(STEP_US);
    guint busy = atomic_load(&door.busy);
    if (busy > 0)
        log_warning("%u messages were still under way after stop_timeout", busy);
    return shut_callbacks(deadline + STOP_GRACE_US);
}

MilterDoorCounts
milter_door_counts(void)
{
    return (MilterDoorCounts){.sessions = atomic_load(&door.sessions),
                              .busy = atomic_load(&door.busy),
                              .all_sessions = atomic_load(&door.all_sessions),
                              .all_messages = atomic_load(&door.all_messages),
                              .turned_away = atomic_load(&door.turned_away),
                              .stopping = atomic_load(&door.stopping)};
}

gboolean
milter_door_failed(void)
{
    return atomic_load(&door.failed);
}
