/*
 * filter_client: one filter on one connection from the MTA.
 */
#include "filters/filter_client.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "filters/filter_link.h"
#include "filters/filter_macros.h"
#include "wire/milter_answer.h"

enum {
    SEND_AT = 64 * 1024, /* octets that wait for an answer to be due; more are sent before */
    TIMEOUTS = 60, /* in all, for one command of a filter that says again and again that it works */
};

/* And no longer than the client waits for the answer to its message (RFC 5321 section 4.5.3.2.6).
 */
#define COMMAND_MAX_US (10 * G_TIME_SPAN_MINUTE)

/* Of the new body that one filter wants. */
#define BODY_MAX ((guint64)1024 * 1024 * 1024)

typedef enum {
    STANDING_STARTING,
    STANDING_IN,
    STANDING_OUT_OF_MESSAGE, /* it has accepted or discarded the one under way */
    STANDING_OUT,            /* it has accepted the connection */
    STANDING_REFUSED,        /* it has refused the connection */
    STANDING_FAILED,
} Standing;

struct FilterClient {
    const PolicyFilter *filter;
    FilterState *state;
    FilterHost *host;
    FilterLink *link; /* NULL: there is none any more */
    Standing standing;
    const MilterNegotiation *offer; /* while starting */
    gint64 started_us, deadline_us; /* the same */
    MilterNegotiation negotiated;
    FilterVerdict refusal;  /* while STANDING_REFUSED */
    GString *reply;         /* of its last REPLYCODE */
    char *failure;          /* NULL: none */
    MilterCommandCode skip; /* of which it wants no more in a row; 0: none */
    FilterMacros macros;
    gboolean in_message; /* it knows of one that is not over */
    gint64 spent_us;     /* on what was not reported yet */
    gboolean again;      /* not reported yet */
};

FilterClient *
filter_client_new(const PolicyFilter *filter, FilterState *state, FilterHost *host)
{
    FilterClient *client = g_new0(FilterClient, 1);
    client->filter = filter;
    client->state = state;
    client->host = host;
    client->macros = (FilterMacros){.host = host, .negotiated = &client->negotiated};
    client->reply = g_string_new(NULL);
    return client;
}

static void
close_link(FilterClient *client)
{
    g_clear_pointer(&client->link, filter_link_close);
    client->in_message = FALSE;
}

static void
say_quit(FilterClient *client)
{
    GString *out = filter_link_out(client->link);
    if (client->in_message)
        milter_command_append(out, MILTER_COMMAND_ABORT);
    milter_command_append(out, MILTER_COMMAND_QUIT);
    close_link(client);
}

void
filter_client_free(FilterClient *client)
{
    if (client == NULL)
        return;
    if (client->link != NULL && client->standing != STANDING_STARTING)
        say_quit(client);
    close_link(client);
    milter_negotiation_clear(&client->negotiated);
    g_string_free(client->reply, TRUE);
    g_free(client->failure);
    g_free(client);
}

const PolicyFilter *
filter_client_filter(const FilterClient *client)
{
    return client->filter;
}

const MilterNegotiation *
filter_client_negotiated(const FilterClient *client)
{
    gboolean holds = client->standing != STANDING_STARTING && client->standing != STANDING_FAILED;
    return holds ? &client->negotiated : NULL;
}

const char *
filter_client_failure(const FilterClient *client)
{
    return client->failure;
}

const GString *
filter_client_reply(const FilterClient *client)
{
    return client->reply;
}

gboolean
filter_client_is_in(const FilterClient *client)
{
    if (client->standing == STANDING_FAILED)
        return client->filter->on_failure != FILTER_FAILURE_ACCEPT;
    return client->standing != STANDING_OUT && client->standing != STANDING_OUT_OF_MESSAGE;
}

gboolean
filter_client_wants(const FilterClient *client, MilterCommandCode code)
{
    return client->standing == STANDING_IN && client->skip != code &&
           (client->negotiated.steps & milter_step_unwanted(code)) == 0;
}

FilterFailure
filter_client_on_failure(const FilterClient *client)
{
    return client->standing == STANDING_FAILED ? client->filter->on_failure
                                               : FILTER_FAILURE_TEMPFAIL;
}

/* ---- what is reported ------------------------------------------------------------------------ */

static void
report(FilterClient *client, MilterCommandCode stage, FilterVerdict verdict, guint changes)
{
    FilterNews news = {
        .filter = client->filter,
        .stage = stage,
        .verdict = verdict,
        .failure = verdict == FILTER_VERDICT_FAILED ? client->failure : NULL,
        .on_failure = filter_client_on_failure(client),
        .changes = changes,
        .spent_us = client->spent_us,
        .again = client->again,
    };
    client->spent_us = 0;
    client->again = FALSE;
    if (client->host->heard != NULL)
        client->host->heard(client->host->data, &news);
}

static gboolean
is_of_connection(MilterCommandCode code)
{
    return code == MILTER_COMMAND_CONNECT || code == MILTER_COMMAND_HELO ||
           code == MILTER_COMMAND_OPTNEG;
}

/* What it is shown at the end of the message, while the MTA waits for that one answer. */
static gboolean
is_content(MilterCommandCode code)
{
    return code == MILTER_COMMAND_HEADER || code == MILTER_COMMAND_EOH ||
           code == MILTER_COMMAND_BODY || code == MILTER_COMMAND_BODYEOB;
}

/* The verdict of one that has failed. An MTA shows a dead filter from MAIL on. */
static FilterVerdict
failed_verdict(const FilterClient *client, MilterCommandCode stage)
{
    if (client->filter->on_failure == FILTER_FAILURE_ACCEPT || is_of_connection(stage))
        return FILTER_VERDICT_CONTINUE;
    return FILTER_VERDICT_FAILED;
}

/* For people. */
static const char *
stage_name(MilterCommandCode stage)
{
    switch (stage) {
    case MILTER_COMMAND_OPTNEG:
        return "the negotiation";
    case MILTER_COMMAND_CONNECT:
        return "connect";
    case MILTER_COMMAND_HEADER:
        return "a header";
    case MILTER_COMMAND_EOH:
        return "the end of the headers";
    case MILTER_COMMAND_BODY:
        return "the body";
    case MILTER_COMMAND_BODYEOB:
        return "the end of the message";
    case MILTER_COMMAND_UNKNOWN:
        return "an unknown command";
    default: /* those of SMTP: "MAIL" of "SMFIC_MAIL" */
        return milter_code_name((char)stage) + strlen("SMFIC_");
    }
}

static void
set_failure(FilterClient *client, MilterCommandCode stage, const char *what)
{
    char *failure =
        g_strdup_printf("%s: at %s: %s", client->filter->socket, stage_name(stage), what);
    g_free(client->failure);
    client->failure = failure;
}

/* The link has failed: it is out for the rest of the connection. */
static FilterVerdict
fail(FilterClient *client, MilterCommandCode stage)
{
    set_failure(client, stage, filter_link_failure(client->link));
    filter_state_failed(client->state, filter_link_trouble(client->link), client->spent_us,
                        clock_monotonic_us());
    close_link(client);
    client->standing = STANDING_FAILED;
    report(client, stage, FILTER_VERDICT_FAILED, 0);
    return failed_verdict(client, stage);
}

/* ---- connecting and negotiating -------------------------------------------------------------- */

void
filter_client_start(FilterClient *client, const MilterNegotiation *offer)
{
    gint64 now_us = clock_monotonic_us();
    client->offer = offer;
    client->started_us = now_us;
    client->deadline_us =
        now_us + filter_state_wait(client->state, client->filter->connect_timeout_us, now_us);
    client->link = filter_link_open(filter_state_places(client->state));
    milter_negotiation_append(filter_link_out(client->link), offer);
    filter_client_go_on(client, 0);
}

gboolean
filter_client_wait(const FilterClient *client, struct pollfd *polled, gint64 *until_us)
{
    gint64 again_us;
    if (client->standing != STANDING_STARTING)
        return FALSE;
    *polled = filter_link_poll(client->link, &again_us);
    *until_us = again_us != 0 ? MIN(again_us, client->deadline_us) : client->deadline_us;
    return TRUE;
}

static gboolean
settle(FilterClient *client, const MilterPacket *packet)
{
    g_autoptr(GError) error = NULL;
    MilterNegotiation *negotiated = &client->negotiated;
    if (!milter_negotiation_parse(packet, negotiated, &error) ||
        !milter_negotiation_settle(client->offer, negotiated, &error))
        return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL, "%s", error->message);
    client->again = filter_state_negotiated(client->state, negotiated->actions, negotiated->steps,
                                            (const char *const *)negotiated->macros);
    client->standing = STANDING_IN;
    report(client, MILTER_COMMAND_OPTNEG, FILTER_VERDICT_CONTINUE, 0);
    return TRUE;
}

static gboolean
start_on(FilterClient *client, short polled)
{
    MilterPacket packet;
    client->spent_us = clock_monotonic_us() - client->started_us;
    if (!filter_link_go_on(client->link, polled))
        return FALSE;
    MilterPacketState state = filter_link_packet(client->link, &packet);
    if (state == MILTER_PACKET_WHOLE)
        return settle(client, &packet);
    if (state == MILTER_PACKET_BROKEN)
        return FALSE;
    if (clock_monotonic_us() < client->deadline_us)
        return TRUE;
    return filter_link_give_up(client->link);
}

void
filter_client_go_on(FilterClient *client, short polled)
{
    if (client->standing != STANDING_STARTING)
        return;
    if (!start_on(client, polled))
        fail(client, MILTER_COMMAND_OPTNEG);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* One that refuses the connection is not asked again. */
static FilterVerdict
refuse(FilterClient *client, MilterCommandCode code, FilterVerdict verdict)
{
    gboolean all = is_of_connection(code) || verdict == FILTER_VERDICT_SHUTDOWN ||
                   verdict == FILTER_VERDICT_CONN_FAIL;
    if (all) {
        client->standing = STANDING_REFUSED;
        client->refusal = verdict;
        say_quit(client);
    }
    return verdict;
}

static FilterVerdict
let_out(FilterClient *client, MilterCommandCode code)
{
    if (is_of_connection(code)) {
        client->standing = STANDING_OUT;
        say_quit(client);
    } else {
        client->standing = STANDING_OUT_OF_MESSAGE;
    }
    return FILTER_VERDICT_ACCEPT;
}

static FilterVerdict
take_verdict(FilterClient *client, MilterCommandCode code, const MilterAnswer *answer)
{
    switch (answer->code) {
    case MILTER_ANSWER_ACCEPT:
        return let_out(client, code);
    case MILTER_ANSWER_DISCARD:
        if (is_of_connection(code))
            return FILTER_VERDICT_CONTINUE;
        client->standing = STANDING_OUT_OF_MESSAGE;
        return FILTER_VERDICT_DISCARD;
    case MILTER_ANSWER_REPLYCODE:
        g_string_truncate(client->reply, 0);
        g_string_append_len(client->reply, answer->octets, (gssize)answer->length);
        return refuse(client, code, FILTER_VERDICT_REPLY);
    case MILTER_ANSWER_REJECT:
        return refuse(client, code, FILTER_VERDICT_REJECT);
    case MILTER_ANSWER_TEMPFAIL:
        return refuse(client, code, FILTER_VERDICT_TEMPFAIL);
    case MILTER_ANSWER_SHUTDOWN:
        return refuse(client, code, FILTER_VERDICT_SHUTDOWN);
    case MILTER_ANSWER_CONN_FAIL:
        return refuse(client, code, FILTER_VERDICT_CONN_FAIL);
    case MILTER_ANSWER_SKIP:
        client->skip = code;
        return FILTER_VERDICT_CONTINUE;
    default:
        return FILTER_VERDICT_CONTINUE;
    }
}

static gboolean
fail_unasked(FilterClient *client)
{
    return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL,
                            "it speaks without having been asked");
}

/* Nothing may have come; that it is at work is no answer. */
static gboolean
is_quiet(FilterClient *client)
{
    MilterPacket packet;
    while (filter_link_pending(client->link) > 0) {
        MilterPacketState state = filter_link_packet(client->link, &packet);
        if (state == MILTER_PACKET_BROKEN)
            return FALSE;
        if (state == MILTER_PACKET_MORE || packet.code != MILTER_ANSWER_PROGRESS)
            return fail_unasked(client);
    }
    return TRUE;
}

/* What it wants done at the end of a message. */
typedef struct {
    ChangeList *list; /* NULL: it may want nothing now */
    Change *body;     /* in the list; NULL: it has none */
} Wanted;

static gboolean
take_piece(FilterClient *client, const MilterAnswer *answer, Change *body)
{
    g_autoptr(GError) error = NULL;
    if (body->body != NULL && spool_length(body->body) + answer->length > BODY_MAX)
        return filter_link_fail(client->link, FILTER_TROUBLE_LIMIT, "its new body is too long");
    if (change_body_append(body, answer->octets, answer->length, client->host->memory_limit,
                           &error))
        return TRUE;
    return filter_link_fail(client->link, FILTER_TROUBLE_LIMIT, "%s", error->message);
}

static gboolean
take_change(FilterClient *client, const MilterAnswer *answer, Wanted *wanted)
{
    gboolean body = answer->code == MILTER_ANSWER_REPLBODY;
    const char *name = milter_code_name((char)answer->code);
    if (wanted->list == NULL)
        return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL,
                                "%s before the end of the message", name);
    if ((milter_answer_action(answer->code) & ~client->negotiated.actions) != 0)
        return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL,
                                "%s, for which it did not ask", name);
    if (!body || wanted->body == NULL) {
        gboolean leading_space = (client->negotiated.steps & MILTER_STEP_HDR_LEADSPC) != 0;
        Change *change = change_from_answer(answer, leading_space);
        change->filter = client->filter->name;
        if (!change_list_add(wanted->list, change))
            return filter_link_fail(client->link, FILTER_TROUBLE_LIMIT, "too many changes");
        if (body)
            wanted->body = change;
    }
    return !body || take_piece(client, answer, wanted->body);
}

static gboolean
end_body(FilterClient *client, const Wanted *wanted)
{
    g_autoptr(GError) error = NULL;
    if (wanted->body == NULL || change_body_end(wanted->body, client->host->memory_limit, &error))
        return TRUE;
    return filter_link_fail(client->link, FILTER_TROUBLE_LIMIT, "%s", error->message);
}

/* How long one command may take in all, however often the filter says that it is at work. */
static gint64
longest_us(const FilterClient *client)
{
    gint64 timeout_us = client->filter->timeout_us;
    return MAX(MIN(timeout_us * TIMEOUTS, COMMAND_MAX_US), timeout_us);
}

/* Reads until its verdict; that is borrowed from the link. */
static gboolean
await_verdict(FilterClient *client, MilterCommandCode code, Wanted *wanted, gint64 begun_us,
              MilterAnswer *answer)
{
    g_autoptr(GError) error = NULL;
    MilterPacket packet;
    gint64 last_us = begun_us + longest_us(client);
    gint64 deadline_us = begun_us + client->filter->timeout_us;
    for (;;) {
        if (!filter_link_receive(client->link, deadline_us, &packet))
            return FALSE;
        if (!milter_answer_parse(&packet, answer, &error))
            return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL, "%s", error->message);
        switch (milter_answer_kind(answer->code)) {
        case MILTER_ANSWER_IS_VERDICT:
            return TRUE;
        case MILTER_ANSWER_IS_CHANGE:
            if (!take_change(client, answer, wanted))
                return FALSE;
            break;
        case MILTER_ANSWER_IS_PROGRESS:
            if (is_content(code))
                filter_host_progress(client->host);
            break;
        default:
            return filter_link_fail(client->link, FILTER_TROUBLE_PROTOCOL, "%s is no answer",
                                    milter_code_name(packet.code));
        }
        deadline_us = MIN(clock_monotonic_us() + client->filter->timeout_us, last_us);
    }
}

/* What is in the buffer ends with a command that is to be answered. What is there before all of it
 * is sent answers nothing. */
static gboolean
exchange(FilterClient *client, MilterCommandCode code, Wanted *wanted, FilterVerdict *verdict)
{
    MilterAnswer answer;
    gint64 begun_us = clock_monotonic_us();
    if (!filter_link_peek(client->link) || !is_quiet(client) ||
        !filter_link_send(client->link, begun_us + client->filter->timeout_us) ||
        !is_quiet(client) || !await_verdict(client, code, wanted, begun_us, &answer))
        return FALSE;
    *verdict = take_verdict(client, code, &answer);
    return client->link == NULL || (is_quiet(client) && end_body(client, wanted));
}

/* ---- telling --------------------------------------------------------------------------------- */

/* Not each of the many answers within a message. */
static gboolean
is_reported(MilterCommandCode code, FilterVerdict verdict)
{
    return verdict != FILTER_VERDICT_CONTINUE ||
           (code != MILTER_COMMAND_HEADER && code != MILTER_COMMAND_EOH &&
            code != MILTER_COMMAND_BODY);
}

static FilterPart
part_of(MilterCommandCode code)
{
    gboolean message = code == MILTER_COMMAND_HEADER || code == MILTER_COMMAND_EOH ||
                       code == MILTER_COMMAND_BODY || code == MILTER_COMMAND_BODYEOB;
    return message ? FILTER_PART_MESSAGE : FILTER_PART_ENVELOPE;
}

static FilterVerdict
ask(FilterClient *client, MilterCommandCode code, ChangeList *changes)
{
    Wanted wanted = {.list = changes};
    FilterVerdict verdict = FILTER_VERDICT_CONTINUE;
    gint64 begun_us = clock_monotonic_us();
    gboolean done = exchange(client, code, &wanted, &verdict);
    client->spent_us += clock_monotonic_us() - begun_us;
    if (is_content(code))
        filter_host_progress(client->host);
    if (!done)
        return fail(client, code);
    if (code == MILTER_COMMAND_BODYEOB)
        client->in_message = FALSE;
    if (is_reported(code, verdict)) {
        filter_state_answered(client->state, part_of(code), verdict, client->spent_us);
        report(client, code, verdict, changes != NULL ? change_list_count(changes) : 0);
    }
    return verdict;
}

/* So that what waits for an answer to be due does not grow. */
static FilterVerdict
send_much(FilterClient *client, MilterCommandCode code, gboolean *asked)
{
    gint64 begun_us = clock_monotonic_us();
    if (filter_link_out(client->link)->len < SEND_AT)
        return FILTER_VERDICT_CONTINUE;
    gboolean sent =
        filter_link_send(client->link, begun_us + client->filter->timeout_us) && is_quiet(client);
    client->spent_us += clock_monotonic_us() - begun_us;
    *asked = !sent;
    return sent ? FILTER_VERDICT_CONTINUE : fail(client, code);
}

/* FALSE: nothing is to be sent, and this is its verdict. */
static gboolean
is_told(FilterClient *client, MilterCommandCode code, FilterVerdict *verdict)
{
    *verdict = FILTER_VERDICT_CONTINUE;
    switch (client->standing) {
    case STANDING_FAILED:
        *verdict = failed_verdict(client, code);
        return FALSE;
    case STANDING_REFUSED:
        *verdict = client->refusal;
        return FALSE;
    case STANDING_IN:
        break;
    case STANDING_OUT_OF_MESSAGE:
        if (code == MILTER_COMMAND_MAIL)
            client->standing = STANDING_IN;
        if (code == MILTER_COMMAND_MAIL || code == MILTER_COMMAND_HELO)
            break;
        return FALSE;
    default:
        return FALSE;
    }
    if (client->skip == code)
        return FALSE;
    client->skip = 0;
    return (milter_version_lacks(client->negotiated.version) & milter_step_unwanted(code)) == 0;
}

static gboolean
is_of_message(MilterCommandCode code)
{
    return !is_of_connection(code) && code != MILTER_COMMAND_UNKNOWN;
}

/* FALSE: it is not sent. */
static gboolean
append_command(FilterClient *client, MilterCommandCode code, const GString *packet)
{
    filter_macros_append(&client->macros, code, filter_link_out(client->link));
    if ((client->negotiated.steps & milter_step_unwanted(code)) != 0)
        return FALSE;
    if (packet->len - MILTER_PACKET_HEAD > milter_steps_data_max(client->negotiated.steps)) {
        log_trace_of(LOG_AREA_MILTER, client->host->macro(client->host->data, "i"),
                     "filter %s: %s of %" G_GSIZE_FORMAT " octets is more than it takes: not sent",
                     client->filter->name, milter_code_name((char)code), packet->len);
        return FALSE;
    }
    g_string_append_len(filter_link_out(client->link), packet->str, (gssize)packet->len);
    if (is_of_message(code))
        client->in_message = TRUE;
    return TRUE;
}

FilterVerdict
filter_client_tell(FilterClient *client, MilterCommandCode code, const GString *packet,
                   gboolean *asked)
{
    FilterVerdict verdict;
    *asked = FALSE;
    if (!is_told(client, code, &verdict))
        return verdict;
    if (!append_command(client, code, packet) ||
        !milter_steps_answered(client->negotiated.steps, code))
        return send_much(client, code, asked);
    *asked = TRUE;
    return ask(client, code, NULL);
}

FilterVerdict
filter_client_tell_end(FilterClient *client, ChangeList *changes, gboolean *asked)
{
    FilterVerdict verdict;
    *asked = FALSE;
    if (!is_told(client, MILTER_COMMAND_BODYEOB, &verdict))
        return verdict;
    GString *out = filter_link_out(client->link);
    filter_macros_append(&client->macros, MILTER_COMMAND_BODYEOB, out);
    milter_command_append(out, MILTER_COMMAND_BODYEOB);
    *asked = TRUE;
    return ask(client, MILTER_COMMAND_BODYEOB, changes);
}

FilterVerdict
filter_client_give_up(FilterClient *client, const char *why)
{
    set_failure(client, MILTER_COMMAND_BODYEOB, why);
    filter_client_abort(client);
    client->standing = STANDING_OUT_OF_MESSAGE;
    filter_state_gave_up(client->state);
    report(client, MILTER_COMMAND_BODYEOB, FILTER_VERDICT_FAILED, 0);
    return FILTER_VERDICT_FAILED;
}

void
filter_client_abort(FilterClient *client)
{
    if (client->standing == STANDING_OUT_OF_MESSAGE)
        client->standing = STANDING_IN;
    client->skip = 0;
    if (client->link == NULL || !client->in_message)
        return;
    client->in_message = FALSE;
    milter_command_append(filter_link_out(client->link), MILTER_COMMAND_ABORT);
    /* A failure shows when it is next told something. */
    filter_link_go_on(client->link, 0);
}
