/*
 * report_reading: one mail that may report something, from its first header to what it says.
 *
 * It is kept within limits while it comes (kept_mail.h), read at its end, and told of in the event
 * log: one event for each recipient, or one that says that nobody knows. What checks may ask and
 * what is to be done to the mail's headers is then ready. The MTA's own mail is told of, and
 * nothing else. Threads: one owner.
 */
#pragma once

#include "engine/facts.h"
#include "server/chance.h"
#include "server/door_context.h"
#include "server/forged_headers.h"

typedef struct ReportReading ReportReading;

/* The policy must outlive it. `own`: the MTA has made the mail. `hostname` is ours. */
ReportReading *report_reading_new(const Policy *policy, gboolean own, const char *hostname);
void report_reading_free(ReportReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportReading, report_reading_free)

void report_reading_header(ReportReading *reading, const char *name, const char *value);
void report_reading_body(ReportReading *reading, const char *octets, gsize count);

/* The whole mail has come, to these recipients (ending with NULL): reads it and writes its events.
 * Once. */
void report_reading_finish(ReportReading *reading, const DoorContext *context, const Facts *facts,
                           const char *const *recipients, Chance *chance);

/* Then: what the mail reports, "failure"; NULL: it could not be read. */
const char *report_reading_kind(const ReportReading *reading);

/* Which categories its recipients have, each once, ending with NULL; NULL: it reports nothing. */
const char *const *report_reading_categories(const ReportReading *reading);

/* An array of ReportHeader to put on top of the mail, in their order, and those to remove first.
 * Both have nothing in them where nothing is tagged. */
const GArray *report_reading_headers(const ReportReading *reading);
const ForgedHeaders *report_reading_forged(const ReportReading *reading);
