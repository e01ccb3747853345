/*
 * recorder: a decision -> its event, joined with the other doors' view of it, on the log.
 */
#include "server/recorder.h"

#include "base/log.h"
#include "record/event_words.h"

/* A refusal of the MTA's that the milter door watched, or one that a table was asked about. */
static gboolean
can_join(const Facts *facts, const Decision *decision)
{
    return decision->original != NULL &&
           (facts->observed || facts->door == DOOR_FOOTER || facts->door == DOOR_REJECT);
}

void
recorder_put(const DoorContext *context, const Policy *policy, const Facts *facts,
             const Decision *decision, gint64 now_us, Chance *chance, gint64 wait_us)
{
    char id[EVENT_ID_SIZE];
    g_autofree char *joined = NULL;
    const PolicySettings *settings = policy_settings(policy);
    gboolean in_words = log_takes_info() && event_words_wanted(settings, facts, decision);
    policy_site_rule_note(policy, decision->cause.rule);
    if (!event_log_wants(context->events, in_words)) { /* which counts it */
        metrics_decision(context->metrics, facts, decision, FALSE);
        return;
    }
    EventMark mark = {.id = event_id(now_us, chance_next(chance), id), .now_us = now_us};
    if (can_join(facts, decision)) {
        JoinSide side = facts->observed ? JOIN_OBSERVED : JOIN_LOOKUP;
        if (joins_note(context->joins, side, facts, decision->original, id, now_us, &joined))
            mark.joins = joined;
    }
    metrics_decision(context->metrics, facts, decision, mark.joins != NULL);
    g_auto(EventTexts) texts;
    event_texts_init(&texts, settings, facts, decision);
    event_log_put_told(context->events, event_line(&texts, facts, decision, &mark),
                       in_words ? event_words(&texts, facts, decision) : NULL, wait_us);
}

void
recorder_put_filter_failure(const DoorContext *context, const Policy *policy, const Facts *facts,
                            const EventFilterFailure *failure, gint64 now_us, Chance *chance,
                            gint64 wait_us)
{
    char id[EVENT_ID_SIZE];
    const PolicySettings *settings = policy_settings(policy);
    gboolean in_words = log_takes_info() && settings->log.lines != LOG_LINES_NONE && !failure->told;
    if (!event_log_wants(context->events, in_words))
        return;
    EventMark mark = {.id = event_id(now_us, chance_next(chance), id), .now_us = now_us};
    g_auto(EventTexts) texts;
    event_texts_init_failure(&texts, settings, facts, failure->reason);
    event_log_put_told(context->events, event_filter_failure_line(&texts, facts, failure, &mark),
                       in_words ? event_words_of_failure(&texts, facts, failure) : NULL, wait_us);
}
