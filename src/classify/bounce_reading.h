/*
 * bounce_reading: a mail while it is being read as a bounce; what several ways of reading need is
 * made once, when it is first asked for.
 *
 * Threads: one at a time.
 */
#pragma once

#include "classify/bounce.h"
#include "classify/failure.h"
#include "classify/layout.h"
#include "classify/report_text.h"

typedef struct {
    const Classifier *classifier;
    const MimeView *view;
    Bounce *bounce; /* what is being made */
    FailureReader failures;
    /* private */
    ReportText *text;
    LayoutReading *layout;
    gboolean layout_read;
    guint lookups;
} BounceReading;

void bounce_reading_init(BounceReading *reading, const Classifier *classifier, const MimeView *view,
                         Bounce *bounce);
void bounce_reading_clear(BounceReading *reading);

const ReportText *bounce_reading_text(BounceReading *reading);

/* Has a mail system sent the mail, as far as its header says? */
gboolean bounce_reading_is_from_system(BounceReading *reading);

/* NULL: no known layout. */
const LayoutReading *bounce_reading_layout(BounceReading *reading);

/* May the text be searched once more? In a report of very many recipients it is searched for the
 * first ones only, so that time stays linear. */
gboolean bounce_reading_may_look(BounceReading *reading);

/* Adds what the report's text says near the recipient's address, if it may look. */
void bounce_reading_add_near(BounceReading *reading, Failure *failure, const char *address);

/* Takes it over; FALSE (and it is freed) if the bounce has enough. */
gboolean bounce_reading_take(BounceReading *reading, BounceRecipient *recipient);
