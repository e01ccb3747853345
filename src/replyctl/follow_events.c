/*
 * follow_events: news of a delivery -> its event, on the event log.
 */
#include "replyctl/follow_events.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "engine/site_rules.h"
#include "record/event.h"
#include "record/event_sink.h"
#include "replyctl/command.h"

#define RETRY_US G_USEC_PER_SEC

struct FollowEvents {
    const Policy *policy; /* NULL: none */
    const Classifier *classifier;
    PolicySettings settings; /* a copy, so that its log can be another one */
    EventSink *sink;
    gboolean (*is_over)(void);
    gboolean lost;
};

FollowEvents *
follow_events_new(const Policy *policy, const Classifier *classifier, gboolean to_stdout,
                  GError **error)
{
    static char standard_output[] = "stdout";
    FollowEvents *events = g_new0(FollowEvents, 1);
    events->policy = policy;
    events->classifier = classifier;
    if (policy != NULL)
        events->settings = *policy_settings(policy);
    if (to_stdout || events->settings.log.events == NULL)
        events->settings.log.events = standard_output;
    events->sink = event_sink_open(&events->settings, error);
    if (events->sink == NULL)
        g_clear_pointer(&events, g_free);
    return events;
}

void
follow_events_free(FollowEvents *events)
{
    event_sink_close(events->sink);
    g_free(events);
}

/* ---- the event ---------------------------------------------------------------------------------
 */

static void
classify(const FollowEvents *events, const DeliveryNews *news, Decision *decision)
{
    ClassifierSubject subject = {
        .reply = decision->original,
        .remote_name = news->remote,
        .finality = mail_kind_finality(news->kind),
    };
    classifier_reply(events->classifier, &subject, &decision->cause);
    site_rules_decide(events->policy, &subject, &decision->cause);
}

static void
decide(const FollowEvents *events, const DeliveryNews *news, Decision *decision)
{
    decision->report = TRUE;
    decision->kind = news->kind;
    decision->proof = PROOF_OWN_MTA;
    decision->original = smtp_reply_parse(news->text, -1);
    decision->reporting_mta = g_strdup(news->host);
    decision->message_id = g_strdup(news->message_id);
    if (decision->original->remote_name == NULL)
        decision->remote_mta = g_strdup(news->remote);
    classification_clear(&decision->cause);
    memset(&decision->cause, 0, sizeof(decision->cause));
    classify(events, news, decision);
}

static char *
event_of(const FollowEvents *events, const DeliveryNews *news)
{
    char id[EVENT_ID_SIZE];
    guint64 random = 0;
    Facts facts;
    Decision decision;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
        random = (guint64)clock_monotonic_us();
    EventMark mark = {.id = event_id(news->time_us, random, id), .now_us = news->time_us};
    decision_init(&decision);
    decide(events, news, &decision);
    facts_init(&facts, DOOR_LOG);
    facts.stage = decision.original->stage;
    facts.queue_id = g_strdup(news->queue_id);
    facts_set(&facts, FACT_SENDER, news->sender);
    facts_set(&facts, FACT_RECIPIENT, news->recipient);
    char *line = event_line_by(&events->settings, &facts, &decision, &mark);
    facts_clear(&facts);
    decision_clear(&decision);
    return line;
}

/* ---- the log -----------------------------------------------------------------------------------
 */

/* FALSE: the end came first. */
static gboolean
write_line(FollowEvents *events, const GString *line)
{
    gboolean complained = FALSE;
    for (;;) {
        int fault = 0;
        if (event_sink_write(events->sink, line->str, line->len, &fault))
            return TRUE;
        if (!complained)
            command_complain("follow: the event log \"%s\" cannot be written: %s; trying again",
                             event_sink_name(events->sink), g_strerror(fault));
        complained = TRUE;
        if (events->is_over != NULL && events->is_over())
            return FALSE;
        g_usleep(RETRY_US);
    }
}

void
follow_events_put(const DeliveryNews *news, gpointer data)
{
    FollowEvents *events = data;
    if (events->lost)
        return;
    g_autofree char *event = event_of(events, news);
    g_autoptr(GString) line = g_string_new(event);
    g_string_append_c(line, '\n');
    events->lost = !write_line(events, line);
}

void
follow_events_on_wait(FollowEvents *events, gboolean (*is_over)(void))
{
    events->is_over = is_over;
}

gboolean
follow_events_lost(const FollowEvents *events)
{
    return events->lost;
}

void
follow_events_reopen(FollowEvents *events)
{
    g_autoptr(GError) error = NULL;
    if (!event_sink_reopen(events->sink, &error))
        command_complain("follow: %s; events still go to the old file", error->message);
}
