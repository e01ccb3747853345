/*
 * report_reading: one mail that may report something, from its first header to what it says.
 */
#include "server/report_reading.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/report.h"
#include "engine/report_headers.h"
#include "server/kept_mail.h"
#include "server/recorder.h"
#include "server/trouble.h"

struct ReportReading {
    const Policy *policy;
    char *hostname;
    gboolean own, tags;
    KeptMail *mail;
    ForgedHeaders *forged;
    GArray *headers; /* of ReportHeader */
    gboolean known;  /* it has been read, so that its kind is known */
    MailKind kind;
    const char *categories[CATEGORY_COUNT + 1];
};

/* What is needed to write events. */
typedef struct {
    const DoorContext *context;
    const Facts *facts; /* of the mail that carries the report */
    ReportWay way;
    Chance *chance;
} Telling;

ReportReading *
report_reading_new(const Policy *policy, gboolean own, const char *hostname)
{
    ReportReading *reading = g_new0(ReportReading, 1);
    reading->policy = policy;
    reading->hostname = g_strdup(hostname);
    reading->own = own;
    reading->tags = policy_needs(policy)->header_changes && !own;
    reading->mail = kept_mail_new(policy_settings(policy));
    reading->forged = forged_headers_new(hostname);
    reading->headers = report_headers_new();
    return reading;
}

void
report_reading_free(ReportReading *reading)
{
    if (reading == NULL)
        return;
    kept_mail_free(reading->mail);
    forged_headers_free(reading->forged);
    g_array_unref(reading->headers);
    g_free(reading->hostname);
    g_free(reading);
}

void
report_reading_header(ReportReading *reading, const char *name, const char *value)
{
    kept_mail_header(reading->mail, name, value);
    if (reading->tags)
        forged_headers_look(reading->forged, name, value);
}

void
report_reading_body(ReportReading *reading, const char *octets, gsize count)
{
    kept_mail_body(reading->mail, octets, count);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Nobody waits for the events of a long report but for the last, nor anybody for the MTA's own. */
static void
tell(const ReportReading *reading, Telling *telling, const Facts *reported,
     const Decision *decision, gboolean last)
{
    recorder_put(telling->context, reading->policy, reported, decision, clock_now_us(),
                 telling->chance, last && !reading->own ? RECORDER_MILTER_WAIT_US : 0);
}

static void
tell_recipient(ReportReading *reading, Telling *telling, const Bounce *bounce, guint index)
{
    Facts reported;
    Decision decision;
    ReportGap gap = kept_mail_gap(reading->mail);
    decision_init(&decision);
    report_decide(reading->policy, &telling->way, telling->facts, bounce, index, &reported,
                  &decision);
    if (gap != REPORT_WHOLE)
        decision.gap = gap;
    report_categories_add(reading->categories, decision.cause.category);
    if (reading->tags && index < REPORT_HEADERS_RECIPIENTS)
        report_headers_add(reading->headers, reading->hostname,
                           facts_get(&reported, FACT_RECIPIENT), &decision);
    tell(reading, telling, &reported, &decision, index + 1 == report_count(bounce));
    decision_clear(&decision);
}

static void
tell_unread(const ReportReading *reading, Telling *telling, ReportGap gap)
{
    Facts reported;
    Decision decision;
    decision_init(&decision);
    report_decide_unread(telling->facts, gap, &reported, &decision);
    tell(reading, telling, &reported, &decision, TRUE);
    decision_clear(&decision);
}

static void
tell_bounce(ReportReading *reading, Telling *telling, const Bounce *bounce)
{
    ReportGap gap = kept_mail_gap(reading->mail);
    if (gap == REPORT_WHOLE && bounce->truncated)
        gap = REPORT_GAP_LIMITS;
    reading->kind = bounce->kind;
    reading->known = bounce->kind != MAIL_KIND_NOT_A_BOUNCE || gap == REPORT_WHOLE;
    log_trace_of(LOG_AREA_MILTER, telling->facts->queue_id, "%s, %u recipients, read as %s",
                 mail_kind_name(bounce->kind), bounce->recipients->len,
                 bounce->layout != NULL ? bounce->layout : "nothing known");
    if (!reading->known)
        tell_unread(reading, telling, gap);
    for (guint i = 0; i < report_count(bounce); i++)
        tell_recipient(reading, telling, bounce, i);
}

static void
warn_of_memory(const Telling *telling)
{
    static SharedTrouble crowded = SHARED_TROUBLE_INIT;
    shared_trouble_note_of(
        &crowded, clock_monotonic_us(), telling->facts->queue_id,
        "a mail that may report something goes on unread: limits.memory is used up");
}

static void
warn_of_forgery(const ReportReading *reading, const Telling *telling)
{
    static SharedTrouble forged = SHARED_TROUBLE_INIT;
    if (forged_headers_too_many(reading->forged))
        shared_trouble_note_of(&forged, clock_monotonic_us(), telling->facts->queue_id,
                               "more than %d headers in our name: the others stay, below ours",
                               FORGED_HEADERS_MAX);
}

void
report_reading_finish(ReportReading *reading, const DoorContext *context, const Facts *facts,
                      const char *const *recipients, Chance *chance)
{
    gsize length;
    const char *octets = kept_mail_octets(reading->mail, &length);
    Telling telling = {
        .context = context,
        .facts = facts,
        .way = {.own = reading->own,
                .client = facts_get(facts, FACT_CLIENT),
                .hostname = reading->hostname,
                .recipients = recipients},
        .chance = chance,
    };
    warn_of_forgery(reading, &telling);
    if (octets == NULL) {
        warn_of_memory(&telling);
        tell_unread(reading, &telling, REPORT_GAP_MEMORY);
        return;
    }
    g_autoptr(MimeView) view = mime_view_new(octets, length, &mime_limits_default);
    g_autoptr(Bounce) bounce = bounce_read(policy_classifier(reading->policy), view);
    g_clear_pointer(&view, mime_view_free);
    tell_bounce(reading, &telling, bounce);
}

const char *
report_reading_kind(const ReportReading *reading)
{
    return reading->known ? mail_kind_name(reading->kind) : NULL;
}

const char *const *
report_reading_categories(const ReportReading *reading)
{
    return reading->categories[0] != NULL ? reading->categories : NULL;
}

const GArray *
report_reading_headers(const ReportReading *reading)
{
    return reading->headers;
}

const ForgedHeaders *
report_reading_forged(const ReportReading *reading)
{
    return reading->forged;
}
