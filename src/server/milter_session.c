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
#include "engine/filter_reply.h"
#include "engine/report.h"
#include "engine/report_headers.h"
#include "mail/address.h"
#include "server/milter_needs.h"
#include "server/recorder.h"
#include "server/report_reading.h"
#include "server/session_filters.h"
#include "server/trouble.h"

/* What one message may make us keep; beyond it the headers count as not known. */
#define MAX_HEADER_OCTETS (512 * 1024)
#define MAX_HEADERS       2000

/* Recipients that are remembered for a report; it has one. */
#define MAX_REPORT_RECIPIENTS 20

struct MilterSession {
    const DoorContext *context;
    SessionMta mta;
    Policy *policy;
    SessionFilters *filters; /* NULL: the policy has none */
    unsigned long actions, steps;
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
    ChangeList *changes;    /* to make of this message; NULL: none */
};

static const char *
mta_macro(gpointer data, const char *name)
{
    const MilterSession *session = data;
    return session->mta.macro != NULL ? session->mta.macro(session->mta.data, name) : NULL;
}

static void
mta_progress(gpointer data)
{
    const MilterSession *session = data;
    if (session->mta.progress != NULL)
        session->mta.progress(session->mta.data);
}

/* What a filter that cannot be asked has said, seldom: a broken one breaks at every message. TRUE:
 * this time. */
static gboolean
tell_failure(const MilterSession *session, const FilterNews *news)
{
    enum { TROUBLES = 16 };
    static SharedTrouble troubles[TROUBLES] = {[0 ... TROUBLES - 1] = SHARED_TROUBLE_INIT};
    guint which = g_str_hash(news->filter->name) % TROUBLES;
    return shared_trouble_note_of(&troubles[which], clock_monotonic_us(), session->facts.queue_id,
                                  "filter %s: %s", news->filter->name, news->failure);
}

static void
record_failure(MilterSession *session, const FilterNews *news, gboolean told)
{
    EventFilterFailure failure = {
        .filter = news->filter->name,
        .reason = news->failure,
        .on_failure = news->on_failure,
        .spent_us = news->spent_us,
        .told = told,
    };
    filter_reply_enter(&session->facts, failure.filter);
    recorder_put_filter_failure(session->context, session->policy, &session->facts, &failure,
                                clock_now_us(), &session->chance, 0);
    filter_reply_leave(&session->facts);
}

static void
heard(gpointer data, const FilterNews *news)
{
    MilterSession *session = data;
    if (news->verdict == FILTER_VERDICT_FAILED) {
        gboolean told = tell_failure(session, news);
        record_failure(session, news, told);
    }
    if (news->again)
        log_notice("filter %s: it answers again", news->filter->name);
    log_trace_of(LOG_AREA_MILTER, session->facts.queue_id,
                 "filter %s: %s after %s, %u changes, %" G_GINT64_FORMAT " us", news->filter->name,
                 filter_verdict_name(news->verdict), milter_code_name((char)news->stage),
                 news->changes, news->spent_us);
}

MilterSession *
milter_session_new(const DoorContext *context, const SessionMta *mta)
{
    MilterSession *session = g_new0(MilterSession, 1);
    FilterHost host = {
        .macro = mta_macro, .progress = mta_progress, .heard = heard, .data = session};
    session->context = context;
    if (mta != NULL)
        session->mta = *mta;
    session->policy = policy_holder_get(context->policies);
    facts_init(&session->facts, DOOR_MILTER);
    decision_init(&session->decision);
    session->checks = check_run_new(session->policy);
    session->filters = session_filters_new(session->policy, context->filters, &host);
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
    session_filters_free(session->filters);
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

static void
record(MilterSession *session, const EngineMoment *moment, const Decision *decision)
{
    recorder_put(session->context, session->policy, &session->facts, decision, moment->now_us,
                 &session->chance, RECORDER_MILTER_WAIT_US);
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
    session->facts.stage = stage;
    if (session->own || policy_check_count(session->policy) == 0)
        return SESSION_CONTINUE;
    EngineMoment moment = moment_now(session);
    fresh_decision(session);
    if (!check_run_at(session->checks, point, &session->facts, &moment, &session->decision))
        return SESSION_CONTINUE;
    record(session, &moment, &session->decision);
    log_trace_of(LOG_AREA_MILTER, session->facts.queue_id, "check \"%s\" speaks at %s",
                 session->decision.check, check_point_name(point));
    return answers[session->decision.verdict];
}

static FilterAnswerKind
answer_kind(const FilterResult *result)
{
    switch (result->verdict) {
    case FILTER_VERDICT_REPLY:
        return FILTER_ANSWER_REPLY;
    case FILTER_VERDICT_REJECT:
        return FILTER_ANSWER_REJECT;
    case FILTER_VERDICT_TEMPFAIL:
        return FILTER_ANSWER_TEMPFAIL;
    case FILTER_VERDICT_SHUTDOWN:
        return FILTER_ANSWER_SHUTDOWN;
    case FILTER_VERDICT_CONN_FAIL:
        return FILTER_ANSWER_CONN_FAIL;
    default:
        return result->on_failure == FILTER_FAILURE_REJECT ? FILTER_ANSWER_FAILED_REJECT
                                                           : FILTER_ANSWER_FAILED_TEMPFAIL;
    }
}

/* A filter's refusal: put through the engine, recorded, and said. */
static SessionAnswer
refuse_for_filter(MilterSession *session, const FilterResult *result)
{
    EngineMoment moment = moment_now(session);
    FilterAnswer answer = {
        .kind = answer_kind(result),
        .filter = result->filter->name,
        .text = result->reply,
        .length = result->reply_length,
        .spent_us = result->spent_us,
        .untouched = session->own,
    };
    fresh_decision(session);
    filter_reply_decide(session->policy, &session->facts, &answer, &moment, &session->decision);
    record(session, &moment, &session->decision);
    filter_reply_leave(&session->facts);
    return SESSION_REPLY;
}

/* What a filter has the MTA do with a mail is told, and that is all. */
static void
tell_act(MilterSession *session, const char *filter, Verdict verdict, const char *reason,
         gint64 spent_us)
{
    Decision decision;
    EngineMoment moment = moment_now(session);
    decision_init(&decision);
    filter_reply_act(session->policy, &session->facts, filter, verdict, reason, spent_us,
                     &decision);
    record(session, &moment, &decision);
    filter_reply_leave(&session->facts);
    decision_clear(&decision);
}

/* What the filters say, as the session's answer. */
static SessionAnswer
take_result(MilterSession *session, const FilterResult *result)
{
    switch (result->verdict) {
    case FILTER_VERDICT_CONTINUE:
    case FILTER_VERDICT_ACCEPT:
        return SESSION_CONTINUE;
    case FILTER_VERDICT_DISCARD:
        tell_act(session, result->filter->name, VERDICT_DISCARD, NULL, result->spent_us);
        return SESSION_DISCARD;
    case FILTER_VERDICT_REPLY:
    case FILTER_VERDICT_REJECT:
    case FILTER_VERDICT_TEMPFAIL:
    case FILTER_VERDICT_SHUTDOWN:
    case FILTER_VERDICT_CONN_FAIL:
    case FILTER_VERDICT_FAILED:
        return refuse_for_filter(session, result);
    }
    g_assert_not_reached();
}

/* A filter that has failed is heard of at each stage. Where the MTA awaits no answer nobody is
 * refused: that comes at the next one. */
static SessionAnswer
take_result_unless(MilterSession *session, unsigned long unanswered, const FilterResult *result)
{
    return session->steps & unanswered ? SESSION_CONTINUE : take_result(session, result);
}

/* "[192.0.2.1]" is what Sendmail writes for a client without a name. */
static const char *
client_name(const char *name)
{
    return name == NULL || name[0] == '[' || name[0] == '\0' ? "unknown" : name;
}

void
milter_session_negotiate(MilterSession *session, unsigned long actions, unsigned long steps)
{
    const PolicyNeeds *needs = policy_needs(session->policy);
    SessionFilters *filters = session->filters;
    session_filters_begin(filters, (guint32)actions, (guint32)steps);
    session->actions =
        session_filters_actions(filters, (guint32)milter_needs_actions(needs, actions));
    session->steps = milter_needs_whole(
        session_filters_steps(filters, (guint32)milter_needs_steps(needs, steps)));
}

unsigned long
milter_session_actions(const MilterSession *session)
{
    return session->actions;
}

unsigned long
milter_session_steps(const MilterSession *session)
{
    return session->steps;
}

char *
milter_session_macros(const MilterSession *session, MilterStage stage, const char *own)
{
    return session_filters_macros(session->filters, stage, own);
}

SessionAnswer
milter_session_connect(MilterSession *session, const char *name, MilterFamily family,
                       const char *address, guint port, const char *daemon, const char *hostname)
{
    Facts *facts = &session->facts;
    session->port = port;
    facts_set(facts, FACT_CLIENT_NAME, client_name(name));
    facts_set(facts, FACT_CLIENT, address);
    facts_set(facts, FACT_DAEMON, daemon);
    g_free(facts->hostname);
    facts->hostname = g_strdup(hostname);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_CONNECT, SMTP_STAGE_CONNECT);
    if (answer != SESSION_CONTINUE)
        return answer;
    FilterResult result = session_filters_connect(session->filters, name, family, port, address);
    return take_result(session, &result);
}

SessionAnswer
milter_session_helo(MilterSession *session, const char *helo, const char *tls_version)
{
    facts_set(&session->facts, FACT_HELO, helo);
    facts_set(&session->facts, FACT_TLS, tls_version != NULL ? tls_version : "");
    SessionAnswer answer = ask_checks(session, CHECK_POINT_HELO, SMTP_STAGE_HELO);
    if (answer != SESSION_CONTINUE)
        return answer;
    FilterResult result = session_filters_helo(session->filters, helo);
    return take_result(session, &result);
}

SessionAnswer
milter_session_unknown(MilterSession *session, const char *line)
{
    session->facts.stage = SMTP_STAGE_OTHER;
    FilterResult result = session_filters_unknown(session->filters, line);
    /* There is nothing to discard, and Postfix's smtpd would end itself at the next mail. */
    if (result.verdict == FILTER_VERDICT_DISCARD && !session->in_message)
        return SESSION_CONTINUE;
    return take_result_unless(session, MILTER_STEP_NR_UNKN, &result);
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
    session_filters_end_message(session->filters);
    g_clear_pointer(&session->changes, change_list_free);
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

static gboolean
has_argument(const char *const *arguments, const char *name)
{
    for (; *arguments != NULL; arguments++)
        if (g_ascii_strcasecmp(*arguments, name) == 0)
            return TRUE;
    return FALSE;
}

SessionAnswer
milter_session_mail(MilterSession *session, const char *const *arguments, const char *auth_user,
                    const char *queue_id)
{
    Facts *facts = &session->facts;
    g_autofree char *sender = address_parse(arguments[0]);
    const char *user = auth_user != NULL ? auth_user : "";
    milter_session_end_message(session);
    session->in_message = TRUE;
    session->own = session->port == 0 && arguments[0][0] == '\0';
    facts->smtputf8 = has_argument(arguments + 1, "SMTPUTF8");
    facts_set(facts, FACT_SENDER, sender);
    facts_set(facts, FACT_AUTH_USER, user);
    facts_set(
        facts, FACT_DIRECTION,
        engine_direction(session->policy, facts_get(facts, FACT_CLIENT), user, session->port));
    set_queue_id(session, queue_id);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_MAIL, SMTP_STAGE_MAIL);
    if (answer != SESSION_CONTINUE)
        return answer;
    FilterResult result = session_filters_mail(session->filters, arguments);
    return take_result_unless(session, MILTER_STEP_NR_MAIL, &result);
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
milter_session_rcpt(MilterSession *session, const char *const *arguments, const char *queue_id)
{
    g_autofree char *recipient = address_parse(arguments[0]);
    facts_set(&session->facts, FACT_RECIPIENT, recipient);
    set_queue_id(session, queue_id);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_RCPT, SMTP_STAGE_RCPT);
    if (answer != SESSION_CONTINUE)
        return answer;
    FilterResult result = session_filters_rcpt(session->filters, arguments, FALSE);
    answer = take_result(session, &result);
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
milter_session_rcpt_refused(MilterSession *session, const char *const *arguments,
                            const char *status, const char *text, const char *queue_id)
{
    Facts *facts = &session->facts;
    EngineMoment moment = moment_now(session);
    g_autofree char *recipient = address_parse(arguments[0]);
    g_autoptr(SmtpReply) reply = observed_reply(status, text);
    facts_set(facts, FACT_RECIPIENT, recipient);
    set_queue_id(session, queue_id);
    facts->stage = SMTP_STAGE_RCPT;
    facts->observed = TRUE;
    fresh_decision(session);
    engine_reply(session->policy, facts, reply, &moment, &session->decision);
    record(session, &moment, &session->decision);
    facts->observed = FALSE;
    session_filters_rcpt(session->filters, arguments, TRUE);
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

/* Makes ready for what we ourselves need of the message. FALSE: nothing of it. */
static gboolean
prepare_to_read(MilterSession *session)
{
    if (may_report(session))
        session->reading = report_reading_new(session->policy, session->own, own_hostname(session));
    gboolean reads = session->reading != NULL;
    if (session->own || !check_run_wants_message(session->checks, CHECK_POINT_DATA, reads))
        return reads;
    if (policy_needs(session->policy)->headers)
        session->facts.headers = g_ptr_array_new_with_free_func(g_free);
    if (policy_needs(session->policy)->body)
        session->facts.size = 0;
    return TRUE;
}

SessionAnswer
milter_session_data(MilterSession *session, const char *queue_id)
{
    set_queue_id(session, queue_id);
    facts_set(&session->facts, FACT_RECIPIENT, NULL);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_DATA, SMTP_STAGE_DATA);
    if (answer != SESSION_CONTINUE)
        return answer;
    FilterResult result = session_filters_data(session->filters);
    answer = take_result(session, &result);
    if (answer != SESSION_CONTINUE)
        return answer;
    gboolean read = prepare_to_read(session);
    return read || session_filters_want_more(session->filters) ? SESSION_CONTINUE : SESSION_ACCEPT;
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

/* For ourselves; `value` without the space behind the colon. */
static void
read_header(MilterSession *session, const char *name, const char *value)
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
        shared_trouble_note_of(
            &crowded, clock_monotonic_us(), facts->queue_id,
            "the headers are more than the limits allow, so header conditions do not match");
        forget_headers(session);
    }
}

void
milter_session_header(MilterSession *session, const char *name, const char *value)
{
    gboolean spaced = milter_session_leading_space(session) && value[0] == ' ';
    session_filters_header(session->filters, name, value);
    read_header(session, name, spaced ? value + 1 : value);
}

SessionAnswer
milter_session_end_of_headers(MilterSession *session)
{
    SessionAnswer answer = ask_checks(session, CHECK_POINT_HEADERS, SMTP_STAGE_EOM);
    gboolean done = session->reading == NULL && !session_filters_want_more(session->filters) &&
                    !check_run_wants_message(session->checks, CHECK_POINT_HEADERS, FALSE);
    return answer == SESSION_CONTINUE && done ? SESSION_ACCEPT : answer;
}

void
milter_session_body(MilterSession *session, const char *octets, gsize count)
{
    session_filters_body(session->filters, octets, count);
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

/* From the last to the first: what is removed moves those behind it. Ours go below the line that
 * the MTA itself has just put on top. */
static ChangeList *
own_changes(const MilterSession *session)
{
    enum { BELOW_RECEIVED = 1 };
    ChangeList *changes = change_list_new();
    if (session->reading == NULL)
        return changes;
    const ForgedHeaders *forged = report_reading_forged(session->reading);
    const GArray *headers = report_reading_headers(session->reading);
    for (guint i = forged_headers_count(forged); i > 0; i--) {
        const ForgedHeader *one = forged_headers_get(forged, i - 1);
        change_list_add(changes, change_header(CHANGE_DELETE_HEADER, one->index, one->name, NULL));
    }
    for (guint i = headers->len; i > 0; i--) {
        const ReportHeader *one = &g_array_index(headers, ReportHeader, i - 1);
        g_autofree char *value = g_strconcat(" ", one->value, NULL);
        change_list_add(changes,
                        change_header(CHANGE_INSERT_HEADER, BELOW_RECEIVED, one->name, value));
    }
    return changes;
}

static void
tell_quarantines(MilterSession *session, gint64 spent_us)
{
    for (guint i = 0; i < change_list_count(session->changes); i++) {
        const Change *change = change_list_get(session->changes, i);
        if (change->kind == CHANGE_QUARANTINE)
            tell_act(session, change->filter, VERDICT_QUARANTINE, change->reason, spent_us);
    }
}

SessionAnswer
milter_session_end_of_message(MilterSession *session, const char *queue_id)
{
    set_queue_id(session, queue_id);
    if (session->reading != NULL)
        finish_reading(session);
    SessionAnswer answer = ask_checks(session, CHECK_POINT_EOM, SMTP_STAGE_EOM);
    if (answer != SESSION_CONTINUE && answer != SESSION_QUARANTINE)
        return answer;
    session->changes = own_changes(session);
    FilterResult result = session_filters_message(session->filters, session->changes);
    SessionAnswer theirs = take_result(session, &result);
    if (theirs != SESSION_CONTINUE)
        return theirs;
    tell_quarantines(session, result.spent_us);
    return answer;
}

const ChangeList *
milter_session_changes(const MilterSession *session)
{
    return session->changes;
}

Spool *
milter_session_new_body(const MilterSession *session)
{
    return session_filters_new_body(session->filters);
}

gboolean
milter_session_leading_space(const MilterSession *session)
{
    return session_filters_leading_space(session->filters);
}
