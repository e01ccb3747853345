/*
 * classify_row: what `replyctl classify` says about one recipient, or one line.
 *
 * The same row becomes a JSON object on one line or a row of a table. Everything in it is borrowed.
 * Pure; threads: any.
 */
#pragma once

#include "classify/classifier.h"
#include "classify/mail_kind.h"

typedef enum {
    ROW_MAIL, /* of a mail: file, message */
    ROW_LOG,  /* of a mail log: file, line, queue_id */
    ROW_LINE, /* of --lines: line */
} RowKind;

typedef struct {
    RowKind row;
    const char *file;
    guint64 message; /* in an mbox, from 1; else 0 */
    guint64 line;    /* from 1 */
    const char *queue_id;
    MailKind kind;
    const char *recipient; /* NULL or "" where unknown, like the others */
    guint code;
    EnhancedStatus status;
    const char *text;
    const char *reporting_mta;
    const char *remote_mta;
    const Classification *cause; /* NULL: not a bounce */
} ClassifyRow;

/* Every member that this kind of row has is there, null where it is not known; provider, dnsbl and
 * retry_after only where they are. Ends with a newline. */
void classify_row_json(const ClassifyRow *row, GString *out);

/* The same for people, in `width` columns (at least CLASSIFY_ROW_NARROWEST); and what stands above
 * the first. */
#define CLASSIFY_ROW_NARROWEST 80
void classify_row_table(const ClassifyRow *row, gsize width, GString *out);
void classify_row_heading(RowKind row, gsize width, GString *out);
