/*
 * classify_job: a piece of input for `replyctl classify`, and what comes of it.
 *
 * The reader makes jobs (classify_reader.h), any thread does them, the main thread prints them. A
 * job holds some mails, or some whole lines, or tells of an input that cannot be read. Threads: one
 * owner at a time.
 */
#pragma once

#include "classify/classifier.h"
#include "mail/mime_view.h"
#include "policy/policy.h"
#include "replyctl/classify_row.h"
#include "replyctl/tally.h"

typedef enum {
    JOB_MAILS,
    JOB_LOG,   /* lines of a mail log */
    JOB_LINES, /* a reply a line */
    JOB_FAULT, /* an input could not be read */
} ClassifyJobKind;

typedef struct {
    char *file;
    guint64 message; /* in an mbox, from 1; else 0 */
    gsize start, length;
    gboolean truncated;
} ClassifyMail;

typedef struct {
    ClassifyJobKind kind;
    GString *octets;
    GArray *mails;      /* of ClassifyMail; JOB_MAILS */
    char *file;         /* of lines */
    guint64 first_line; /* from 1 */
    char *fault;        /* JOB_FAULT: "FILE: Permission denied" */
    GString *output;    /* what is to be printed */
    Tally tally;
} ClassifyJob;

/* How jobs are done; shared and constant while they are. */
typedef struct {
    const Classifier *classifier;
    const Policy *policy; /* its site rules; NULL: none */
    MimeLimits limits;
    gboolean json;
    gboolean silent; /* the tally only */
    gsize width;     /* of the table */
} ClassifyStyle;

/* `file` is copied. */
ClassifyJob *classify_job_new(ClassifyJobKind kind, const char *file);
void classify_job_free(ClassifyJob *job);

/* Adds the octets of a mail to a job of mails. */
void classify_job_add_mail(ClassifyJob *job, const char *file, guint64 message, const char *octets,
                           gsize length, gboolean truncated);

/* Does it. `style` is a ClassifyStyle; the type is that of WorkFunction. */
void classify_job_do(gpointer job, gpointer style);
