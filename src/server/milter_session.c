/*
 * milter_session: one connection from the MTA, as the milter door sees it.
 */
#include "server/milter_session.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/session_memory.h"
#include "engine/check_run.h"
#include "engine/engine.h"
#include "engine/report.h"
#include "mail/address.h"
#include "server/recorder.h"
#include "server/report_reading.h"
#include "server/trouble.h"

/* What one message may make us keep; beyond it the headers count as not known. */
#define MAX_HEADER_OCTETS (512 * 1024)
#define MAX_HEADERS       2000

/* Recipients that are remembered for a report; it has one. */
#define MAX_REPORT_RECIPIENTS 20

struct MilterSession {
    const DoorContext *context;
    Policy *policy;
    Facts facts;
    CheckRun *checks;
    Decision decision; /* the last one */
    Chance chance;
    guint port;
    gboolean own; /* mail of the MTA's own classes: watched, never touched */
    gboolean in_message;
    gsize header_octets;
    GPtrArray *recipients;  /* of char *, ending with NULL: accepted; for reports */
    gboolean takes_reports; /* one of all recipients does */
    ReportReading *reading; /* NULL: this message is not read */
};

MilterSession *
milter_session_new(const DoorContext *context)
{
    MilterSession *session = g_new0(MilterSession, 1);
    session->context = context;
    session->policy = policy_holder_get(context->policies);
    facts_init(&session->facts, DOOR_MILTER);
    decision_init(&session->decision);
    session->checks = check_run_new(session->policy);
    session->recipients = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(session->recipients, NULL);
    return session;
}

static void
forget_headers(MilterSession *session)
{
    g_clear_pointer(&session->facts.headers, g_ptr_array_unref);
    session_memory_give(session->header_octets);
    session->header_octets = 0;
}

void
milter_session_free(MilterSession *session)
{
    milter_session_end_message(session);
    check_run_free(session->checks);
    g_ptr_array_unref(session->recipients);
    decision_clear(&session->decision);
    facts_clear(&session->facts);
    policy_unref(session->policy);
    g_free(session);
}

const Policy *
milter_session_policy(const MilterSession *session)
{
    return session->policy;
}

gboolean
milter_session_busy(const MilterSession *session)
{
    return session->in_message;
}

const SmtpReply *
milter_session_reply(const MilterSession *session)
{
    return session->decision.final;
}

const char *
milter_session_reason(const MilterSession *session)
{
    return session->decision.check;
}

static EngineMoment
moment_now(MilterSession *session)
{
    return (EngineMoment){.now_us = clock_now_us(), .random = chance_next(&session->chance)};
}

static void
fresh_decision(MilterSession *session)
{
    decision_clear(&session->decision);
    decision_init(&session->decision);
}

static void
set_queue_id(MilterSession *session, const char *queue_id)
{
    if (queue_id != NULL && g_strcmp0(queue_id, session->facts.queue_id) != 0) {
        g_free(session->facts.queue_id);
        session->facts.queue_id = g_strdup(queue_id);
    }
}

/* For a log line: the queue id, or what Postfix writes where there is none yet. */
static const char *
log_id(const MilterSession *session)
{
    return session->facts.queue_id != NULL ? session->facts.queue_id : "NOQUEUE";
}

static void
record(MilterSession *session, const EngineMoment *moment)
{
    recorder_put(session->context, session->policy, &session->facts, &session->decision,
                 moment->now_us, &session->chance, RECORDER_MILTER_WAIT_US);
}

/* Asks the checks that speak here, and turns the answer into the session's. */
static SessionAnswer
ask_checks(MilterSession *session, CheckPoint point, SmtpStage stage)
{
    static const SessionAnswer answers[] = {
        [VERDICT_PASS] = SESSION_CONTINUE,
        [VERDICT_REPLY] = SESSION_REPLY,
        [VERDICT_QUARANTINE] = SESSION_QUARANTINE,
        [VERDICT_DISCARD] = SESSION_DISCARD,
    };
    if (session->own)
        return SESSION_CONTINUE;
    EngineMoment moment = moment_now(session);
    session->facts.stage = stage;
    fresh_decision(session);
    if (!check_run_at(session->checks, point, &session->facts, &moment, &session->decision))
        return SESSION_CONTINUE;
    record(session, &moment);
    log_trace(LOG_AREA_MILTER, "%s: check \"%s\" speaks at %s", log_id(session),
              session->decision.check, check_point_name(point));
    return answers[session->decision.verdict];
}

/* "[192.0.2.1]" is what Sendmail writes for a client without a name. */
static const char *
client_name(const char *name)
{
    return name == NULL || name[0] == '[' || name[0] == '\0' ? "unknown" : name;
}

SessionAnswer
milter_session_connect(MilterSession *session, const char *name, const char *address, guint port,
                       const char *daemon, const char *hostname)
{
    Facts *facts = &session->facts;
    session->port = port;
    facts_set(facts, FACT_CLIENT_NAME, client_name(name));
    facts_set(facts, FACT_CLIENT, address);
    facts_set(facts, FACT_DAEMON, daemon);
    g_free(facts->hostname);
    facts->hostname = g_strdup(hostname);
    return ask_checks(session, CHECK_POINT_CONNECT, SMTP_STAGE_CONNECT);
}

SessionAnswer
milter_session_helo(MilterSession *session, const char *helo, const char *tls_version)
{
    facts_set(&session->facts, FACT_HELO, helo);
    facts_set(&session->facts, FACT_TLS, tls_version != NULL ? tls_version : "");
    return ask_checks(session, CHECK_POINT_HELO, SMTP_STAGE_HELO);
}

static void
forget_report(MilterSession *session)
{
    g_clear_pointer(&session->reading, report_reading_free);
    g_ptr_array_set_size(session->recipients, 0);
    g_ptr_array_add(session->recipients, NULL);
    session->takes_reports = FALSE;
    session->facts.categories = NULL;
    facts_set(&session->facts, FACT_KIND, NULL);
}

void
milter_session_end_message(MilterSession *session)
{
    Facts *facts = &session->facts;
    forget_headers(session);
    forget_report(session);
    facts_set(facts, FACT_SENDER, NULL);
    facts_set(facts, FACT_RECIPIENT, NULL);
    g_clear_pointer(&facts->queue_id, g_free);
    facts->size = -1;
    facts->smtputf8 = FALSE;
    session->own = FALSE;
    session->in_message = FALSE;
    check_run_begin_message(session->checks);
}

SessionAnswer
milter_session_mail(MilterSession *session, const char *path, gboolean smtputf8,
                    const char *auth_user, const char *queue_id)
{
    Facts *facts = &session->facts;
    g_autofree char *sender = address_parse(path);
    const char *user = auth_user != NULL ? auth_user : "";
    milter_session_end_message(session);
    session->in_message = TRUE;
    session->own = session->port == 0 && path[0] == '\0';
    facts->smtputf8 = smtputf8;
    facts_set(facts, FACT_SENDER, sender);
    facts_set(facts, FACT_AUTH_USER, user);
    facts_set(
        facts, FACT_DIRECTION,
        engine_direction(session->policy, facts_get(facts, FACT_CLIENT), user, session->port));
    set_queue_id(session, queue_id);
    return ask_checks(session, CHECK_POINT_MAIL, SMTP_STAGE_MAIL);
}

/* For what it reports, if it does. */
static void
remember_recipient(MilterSession *session, const char *recipient)
{
    if (!policy_needs(session->policy)->reports)
        return;
    session->takes_reports =
        session->takes_reports || proof_address_takes_reports(session->policy, recipient);
    gint last = (gint)session->recipients->len - 1;
    if (last < MAX_REPORT_RECIPIENTS)
        g_ptr_array_insert(session->recipients, last, g_strdup(recipient));
}

SessionAnswer
milter_session_rcpt(MilterSession *session, const char *path, const char *queue_id)
{
    g_autofree char *recipient = address_parse(path);
    facts_set(&session->facts, FACT_RECIPIENT, recipient);
    set_queue_id(session, queue_id);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_RCPT, SMTP_STAGE_RCPT);
    if (answer != SESSION_CONTINUE)
        return answer;
    check_run_accept_recipient(session->checks, recipient);
    remember_recipient(session, recipient);
    return SESSION_CONTINUE;
}

/* Postfix gives status and text apart; Sendmail puts code and status into the text. */
static SmtpReply *
observed_reply(const char *status, const char *text)
{
    EnhancedStatus parsed = ENHANCED_STATUS_NONE;
    SmtpReply *reply = smtp_reply_parse(text, -1);
    /* The text may quote other numbers. */
    if (status != NULL && enhanced_status_parse(status, &parsed))
        smtp_reply_set_code(reply, reply->code / 100 == parsed.class ? reply->code : 0, parsed);
    return reply;
}

void
milter_session_rcpt_refused(MilterSession *session, const char *path, const char *status,
                            const char *text, const char *queue_id)
{
    Facts *facts = &session->facts;
    EngineMoment moment = moment_now(session);
    g_autofree char *recipient = address_parse(path);
    g_autoptr(SmtpReply) reply = observed_reply(status, text);
    facts_set(facts, FACT_RECIPIENT, recipient);
    set_queue_id(session, queue_id);
    facts->stage = SMTP_STAGE_RCPT;
    facts->observed = TRUE;
    fresh_decision(session);
    engine_reply(session->policy, facts, reply, &moment, &session->decision);
    record(session, &moment);
    facts->observed = FALSE;
}

/* The name by which our headers go, and by which others know us. */
static const char *
own_hostname(const MilterSession *session)
{
    const char *set = policy_settings(session->policy)->site.hostname;
    if (set != NULL)
        return set;
    return session->facts.hostname != NULL ? session->facts.hostname : g_get_host_name();
}

/* Is this message to be read for what it reports? */
static gboolean
may_report(const MilterSession *session)
{
    if (session->own)
        return policy_needs(session->policy)->own_reports;
    return report_is_expected(session->policy, facts_get(&session->facts, FACT_SENDER),
                              session->takes_reports);
}

SessionAnswer
milter_session_data(MilterSession *session, const char *queue_id)
{
    set_queue_id(session, queue_id);
    facts_set(&session->facts, FACT_RECIPIENT, NULL);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_DATA, SMTP_STAGE_DATA);
    if (answer != SESSION_CONTINUE)
        return answer;
    if (may_report(session))
        session->reading = report_reading_new(session->policy, session->own, own_hostname(session));
    if (session->own)
        return session->reading != NULL ? SESSION_CONTINUE : SESSION_ACCEPT;
    if (!check_run_wants_message(session->checks, CHECK_POINT_DATA, session->reading != NULL))
        return session->reading != NULL ? SESSION_CONTINUE : SESSION_ACCEPT;
    if (policy_needs(session->policy)->headers)
        session->facts.headers = g_ptr_array_new_with_free_func(g_free);
    if (policy_needs(session->policy)->body)
        session->facts.size = 0;
    return SESSION_CONTINUE;
}

/* FALSE: one message or all of them would keep too much. */
static gboolean
take_memory(MilterSession *session, gsize octets)
{
    if (session->header_octets + octets > MAX_HEADER_OCTETS ||
        session->facts.headers->len >= MAX_HEADERS ||
        !session_memory_take(octets, policy_settings(session->policy)->limits.memory))
        return FALSE;
    session->header_octets += octets;
    return TRUE;
}

void
milter_session_header(MilterSession *session, const char *name, const char *value)
{
    static SharedTrouble crowded = SHARED_TROUBLE_INIT;
    Facts *facts = &session->facts;
    gsize octets = strlen(name) + strlen(value) + strlen(": \r\n");
    if (facts->size >= 0)
        facts->size += (gint64)octets;
    if (session->reading != NULL)
        report_reading_header(session->reading, name, value);
    if (facts->headers == NULL)
        return;
    if (take_memory(session, octets)) {
        g_ptr_array_add(facts->headers,
                        g_strdup_printf("%s: %s", name, value + strspn(value, " \t")));
    } else {
        shared_trouble_note(
            &crowded, clock_monotonic_us(),
            "%s: the headers are more than the limits allow, so header conditions do not match",
            log_id(session));
        forget_headers(session);
    }
}

SessionAnswer
milter_session_end_of_headers(MilterSession *session)
{
    SessionAnswer answer = ask_checks(session, CHECK_POINT_HEADERS, SMTP_STAGE_EOM);
    gboolean done = session->reading == NULL &&
                    !check_run_wants_message(session->checks, CHECK_POINT_HEADERS, FALSE);
    return answer == SESSION_CONTINUE && done ? SESSION_ACCEPT : answer;
}

void
milter_session_body(MilterSession *session, const char *octets, gsize count)
{
    if (session->facts.size >= 0)
        session->facts.size += (gint64)count;
    if (session->reading != NULL)
        report_reading_body(session->reading, octets, count);
}

/* What it reports is told of, whatever the checks then say to it. */
static void
finish_reading(MilterSession *session)
{
    report_reading_finish(session->reading, session->context, &session->facts,
                          (const char *const *)session->recipients->pdata, &session->chance);
    facts_set(&session->facts, FACT_KIND, report_reading_kind(session->reading));
    session->facts.categories = report_reading_categories(session->reading);
}

SessionAnswer
milter_session_end_of_message(MilterSession *session, const char *queue_id)
{
    set_queue_id(session, queue_id);
    if (session->reading != NULL)
        finish_reading(session);
    return ask_checks(session, CHECK_POINT_EOM, SMTP_STAGE_EOM);
}

gboolean
milter_session_changes(const MilterSession *session, const ForgedHeaders **forged,
                       const GArray **headers)
{
    if (session->reading == NULL)
        return FALSE;
    *forged = report_reading_forged(session->reading);
    *headers = report_reading_headers(session->reading);
    return forged_headers_count(*forged) > 0 || (*headers)->len > 0;
}
