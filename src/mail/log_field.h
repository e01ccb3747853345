/*
 * log_field: the "key=value" fields of a line of a mail log, one after the other.
 *
 * Postfix: "to=<a@b.example>, relay=none, dsn=5.1.1, status=bounced (...)", "from=<>
 * to=<a@b.example> proto=ESMTP". Sendmail: "to=<a@b.example>,<c@d.example>, delay=1, stat=Sent". A
 * field ends at a comma and blank, or at a blank with another key behind it, but not within <> or
 * "" (a recipient chooses what stands there). status=, stat= and reject= take all the rest, reply=
 * what stands before the last stat=. Pure, linear time; threads: any.
 */
#pragma once

#include "mail/log_stamp.h"

typedef struct {
    LogSpan key;
    LogSpan value; /* of a word without "=": length 0 */
} LogField;

/* The field at the start of `rest`, which moves on. FALSE: none is left. */
gboolean log_field_next(LogSpan *rest, LogField *field);

gboolean log_span_is(LogSpan span, const char *word);
gboolean log_span_begins(LogSpan span, const char *word);

/* Moves behind `word`; FALSE if it does not stand there. */
gboolean log_span_take(LogSpan *span, const char *word);

/* Where `word` begins for the first or the last time; NULL: nowhere. */
const char *log_span_find(LogSpan span, const char *word);
const char *log_span_find_last(LogSpan span, const char *word);

/* Behind `at`, which lies within. */
LogSpan log_span_from(LogSpan span, const char *at);

/* From `from` on, quotes and brackets skipped: the first of `stops` outside them, or the end. */
gsize log_span_skip(LogSpan span, gsize from, gboolean (*stops)(LogSpan span, gsize at));
