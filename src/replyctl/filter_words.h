/*
 * filter_words: what other milters are asked, may do and do, in words.
 *
 * Threads: any.
 */
#pragma once

#include "filters/change.h"
#include "filters/filter_client.h"
#include "policy/policy.h"

/* "MAIL, RCPT, end of message": the commands that are sent, and those that are answered; "nothing".
 * The caller frees it, as all the others. */
char *filter_words_told(guint32 steps);
char *filter_words_answered(guint32 steps);

/* "add and insert headers, quarantine"; "nothing". */
char *filter_words_actions(guint32 actions);

/* "connect", "HELO", "MAIL"... */
const char *filter_words_stage(MilterStage stage);

/* "2.5" */
char *filter_words_seconds(gint64 time_us);

/* "puts the mail off" */
const char *filter_words_on_failure(FilterFailure on_failure);

/* "has nothing against it", "refuses with a reply"... */
const char *filter_words_verdict(FilterVerdict verdict);

/* "add-header"...; and in words: "adds the header \"X: y\"". */
const char *filter_words_change_name(ChangeKind kind);
char *filter_words_change(const Change *change);
