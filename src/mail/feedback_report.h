/*
 * feedback_report: an abuse or authentication-failure report (RFC 5965, RFC 6591), and the forms
 * that providers have of their own.
 *
 * A mail is one if it has a feedback part, says that it is such a report, or returns an original
 * with words or header fields that only complaints have. Recipients are those that the report
 * names; else those of the original, where it is certain enough whom it means.
 *
 * Threads: any; a report belongs to its owner.
 */
#pragma once

#include <glib.h>

#include "mail/mime_view.h"

typedef struct {
    char *feedback_type; /* "abuse", "auth-failure", "opt-out", in lower case; "" if missing */
    char *reporting_mta; /* "" if missing */
    char *source_ip;     /* "" if missing */
    /* of char *: whom the mail was for, as far as the report says; may be empty */
    GPtrArray *recipients;
    HeaderFields *fields; /* of the feedback part; empty in forms that have none */
} FeedbackReport;

#define FEEDBACK_REPORT_MAX_RECIPIENTS 1000

/* NULL if the mail is none. */
FeedbackReport *feedback_report_read(const MimeView *view);
void feedback_report_free(FeedbackReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FeedbackReport, feedback_report_free)
