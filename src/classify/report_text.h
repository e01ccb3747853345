/*
 * report_text: the part of a report that people read, and what it says about one recipient.
 *
 * The text parts of a report up to the mail that it returns, as one text with LF between lines.
 * What an entry about a recipient is: the lines around the address, up to a blank line or another
 * address. Time is linear in the text for each call. Threads: any; a text belongs to its owner.
 */
#pragma once

#include "mail/mime_view.h"

#define REPORT_TEXT_OCTETS 65536

typedef struct {
    char *text;         /* without the report's own fields and the returned mail */
    char *fields;       /* a run of report fields (RFC 3464) that stands in the text; NULL: none */
    gboolean truncated; /* only REPORT_TEXT_OCTETS were read */
} ReportText;

/* Never NULL. */
ReportText *report_text_new(const MimeView *view);
void report_text_free(ReportText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportText, report_text_free)

/* The header of the mail that is returned behind the text; NULL: there is none. The caller frees
 * it. */
HeaderFields *report_text_returned(const MimeView *view);

/* What is said near each of the first places where the address stands: of char *, perhaps empty. */
GPtrArray *report_text_near(const ReportText *text, const char *address);

/*
 * A reply of many lines of which a report gives the first only ("550-5.7.1 This message"), in full
 * as the transcript has it; NULL if it does not. The caller frees it.
 */
char *report_text_whole_reply(const ReportText *text, const char *first_line);

/* The first address in it that is not one of `others` (NULL-terminated); NULL: none. The caller
 * frees it. */
char *report_text_address(const ReportText *text, const char *const *others);
