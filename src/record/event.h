/*
 * event: what happened to one reply or recipient, as one JSON object (doc/events.md, "v": 1).
 *
 * An event is built from a decision and its facts and serialised once. Every value that somebody
 * outside supplied, texts and evidence included, is taken as the privacy settings let it be told
 * (event_texts.h). Threads: any; the arguments belong to their owner.
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"
#include "engine/facts.h"
#include "record/event_id.h"
#include "record/event_texts.h"

#define EVENT_VERSION 1

typedef struct {
    const char *id;    /* of this event, from event_id() */
    const char *joins; /* id of the event that it repeats; NULL: none */
    gint64 now_us;
} EventMark;

/*
 * What the event tells of mail that was sent before: what a report says, or, at the delivery table,
 * whether the recipient has failed or is still being tried. NOT_A_BOUNCE: it is a refusal, or
 * (decision->report) a report that could not be read.
 */
MailKind event_report_kind(const Facts *facts, const Decision *decision);

/* The same as the event has it: "failure", "refusal", "unread". */
const char *event_kind_name(const Facts *facts, const Decision *decision);

/* What shows that this mail was ours: at the delivery table, that our own MTA has it. */
Proof event_proof(const Facts *facts, const Decision *decision);

/*
 * The line without its newline, at most EVENT_LINE_MAX octets, 7-bit ASCII: where it would be
 * longer its longest texts are cut. `decision->original` and `decision->final` are not both NULL
 * but for a quarantine, a discard or a report. The texts are those of this decision. The caller
 * frees it.
 */
#define EVENT_LINE_MAX 32768
char *event_line(const EventTexts *texts, const Facts *facts, const Decision *decision,
                 const EventMark *mark);

/* Likewise, where the texts are needed for nothing else. */
char *event_line_by(const PolicySettings *settings, const Facts *facts, const Decision *decision,
                    const EventMark *mark);

/* A filter behind us that could not be asked, or broke off. Borrowed. */
typedef struct {
    const char *filter;       /* its name */
    const char *reason;       /* what happened, for people */
    FilterFailure on_failure; /* what became of the mail */
    gint64 spent_us;
    gboolean told; /* the daemon's own log has it already */
} EventFilterFailure;

/* The event "filter-failure"; of the facts the stage and what is known of the mail. The texts are
 * event_texts_init_failure()'s. The caller frees it. */
char *event_filter_failure_line(const EventTexts *texts, const Facts *facts,
                                const EventFilterFailure *failure, const EventMark *mark);
