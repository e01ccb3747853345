/*
 * classify_job: a piece of input for `replyctl classify`, and what comes of it.
 */
#include "replyctl/classify_job.h"

#include <string.h>

#include "classify/bounce.h"
#include "engine/site_rules.h"
#include "mail/log_line.h"

ClassifyJob *
classify_job_new(ClassifyJobKind kind, const char *file)
{
    ClassifyJob *job = g_new0(ClassifyJob, 1);
    job->kind = kind;
    job->file = g_strdup(file);
    job->octets = g_string_new(NULL);
    job->output = g_string_new(NULL);
    job->mails = g_array_new(FALSE, FALSE, sizeof(ClassifyMail));
    return job;
}

void
classify_job_free(ClassifyJob *job)
{
    for (guint i = 0; i < job->mails->len; i++)
        g_free(g_array_index(job->mails, ClassifyMail, i).file);
    g_array_unref(job->mails);
    g_string_free(job->octets, TRUE);
    g_string_free(job->output, TRUE);
    g_free(job->file);
    g_free(job->fault);
    g_free(job);
}

void
classify_job_add_mail(ClassifyJob *job, const char *file, guint64 message, const char *octets,
                      gsize length, gboolean truncated)
{
    ClassifyMail mail = {.file = g_strdup(file),
                         .message = message,
                         .start = job->octets->len,
                         .length = length,
                         .truncated = truncated};
    g_string_append_len(job->octets, octets, (gssize)length);
    g_array_append_val(job->mails, mail);
}

static void
put_row(ClassifyJob *job, const ClassifyStyle *style, const ClassifyRow *row)
{
    tally_count(&job->tally, row->kind, row->cause);
    if (style->silent)
        return;
    if (style->json)
        classify_row_json(row, job->output);
    else
        classify_row_table(row, style->width, job->output);
}

/* ---- mails -------------------------------------------------------------------------------------
 */

static void
put_recipients(ClassifyJob *job, const ClassifyStyle *style, const Bounce *bounce, ClassifyRow row)
{
    for (guint i = 0; i < bounce->recipients->len; i++) {
        BounceRecipient *recipient = bounce->recipients->pdata[i];
        site_rules_decide_recipient(style->policy, recipient, &recipient->classification);
        row.kind = recipient->kind;
        row.recipient = recipient->recipient;
        row.code = recipient->reply->code;
        row.status = recipient->reply->status;
        row.text = recipient->text;
        row.remote_mta = recipient->remote_mta;
        row.cause = &recipient->classification;
        put_row(job, style, &row);
    }
}

static void
do_mail(ClassifyJob *job, const ClassifyStyle *style, const ClassifyMail *mail)
{
    const char *octets = job->octets->str + mail->start;
    g_autoptr(MimeView) view = mime_view_new(octets, mail->length, &style->limits);
    g_autoptr(Bounce) bounce = bounce_read(style->classifier, view);
    ClassifyRow row = {.row = ROW_MAIL,
                       .file = mail->file,
                       .message = mail->message,
                       .kind = bounce->kind,
                       .reporting_mta = bounce->reporting_mta};
    job->tally.mails++;
    if (mail->truncated || bounce->truncated)
        job->tally.partly++;
    if (bounce->recipients->len > 0)
        put_recipients(job, style, bounce, row);
    else
        put_row(job, style, &row);
}

/* ---- lines -------------------------------------------------------------------------------------
 */

/* What is said about a line: its reply, and what the reply means. */
typedef struct {
    SmtpReply *reply;
    Classification cause;
} Reading;

static void
reading_make(Reading *reading, const ClassifyStyle *style, const char *text,
             ClassifierSubject subject)
{
    reading->reply = smtp_reply_parse(text, -1);
    subject.reply = reading->reply;
    classifier_reply(style->classifier, &subject, &reading->cause);
    site_rules_decide(style->policy, &subject, &reading->cause);
}

static void
reading_clear(Reading *reading)
{
    classification_clear(&reading->cause);
    smtp_reply_free(reading->reply);
}

static guint
class_of(const SmtpReply *reply)
{
    return reply->code != 0 ? reply->code / 100 : reply->status.class;
}

/* What is put off is late, and a refusal too that asks to come again. */
static MailKind
kind_of(Finality finality, const SmtpReply *reply)
{
    gboolean later =
        finality == FINALITY_DELAYED || (finality == FINALITY_REPLY && class_of(reply) == 4);
    return later ? MAIL_KIND_DELAY : MAIL_KIND_FAILURE;
}

static Finality
finality_of(LogLineKind kind)
{
    switch (kind) {
    case LOG_LINE_DEFERRED:
        return FINALITY_DELAYED;
    case LOG_LINE_REFUSED:
        return FINALITY_REPLY;
    default:
        return FINALITY_FAILED;
    }
}

/* All but the reply. */
static ClassifierSubject
subject_of(const LogLine *line)
{
    return (ClassifierSubject){.remote_name =
                                   line->kind != LOG_LINE_REFUSED ? line->relay_name : NULL,
                               .stage = line->stage,
                               .finality = finality_of(line->kind)};
}

static const char *
remote_of(const LogLine *line, const SmtpReply *reply)
{
    if (line->kind == LOG_LINE_REFUSED) /* the reply is our own */
        return NULL;
    if (reply->remote_name != NULL)
        return reply->remote_name;
    if (reply->remote_addr != NULL)
        return reply->remote_addr;
    return line->relay_name != NULL ? line->relay_name : line->relay_addr;
}

/* One row a recipient; one where the line names none. */
static void
put_log_rows(ClassifyJob *job, const ClassifyStyle *style, const LogLine *line, ClassifyRow row)
{
    guint index = 0;
    do {
        if (index < line->recipients->len)
            row.recipient = line->recipients->pdata[index];
        put_row(job, style, &row);
    } while (++index < line->recipients->len);
}

static void
do_log_line(ClassifyJob *job, const ClassifyStyle *style, const LogLine *line, guint64 number)
{
    Reading reading;
    const char *text =
        line->kind == LOG_LINE_EXPIRED ? "4.4.7 expired, returned to sender" : line->text;
    g_autofree char *host = g_strndup(line->stamp.host.at, line->stamp.host.length);
    reading_make(&reading, style, text != NULL ? text : "", subject_of(line));
    EnhancedStatus status = reading.reply->status;
    ClassifyRow row = {.row = ROW_LOG,
                       .file = job->file,
                       .line = number,
                       .queue_id = line->queue_id,
                       .kind = kind_of(finality_of(line->kind), reading.reply),
                       .code = reading.reply->code,
                       .status = enhanced_status_is_set(status) ? status : line->status,
                       .text = text,
                       .reporting_mta = host,
                       .remote_mta = remote_of(line, reading.reply),
                       .cause = &reading.cause};
    put_log_rows(job, style, line, row);
    reading_clear(&reading);
}

static void
read_log_line(ClassifyJob *job, const ClassifyStyle *style, const char *text, gsize length,
              guint64 number)
{
    LogLine line;
    job->tally.lines++;
    if (!log_line_parse(text, length, &line))
        return;
    if (line.kind == LOG_LINE_FAILED || line.kind == LOG_LINE_DEFERRED ||
        line.kind == LOG_LINE_EXPIRED || line.kind == LOG_LINE_REFUSED)
        do_log_line(job, style, &line, number);
    log_line_clear(&line);
}

/* A reply; a whole line of a mail log among them is read as that. */
static void
read_reply_line(ClassifyJob *job, const ClassifyStyle *style, const char *text, gsize length,
                guint64 number)
{
    Reading reading;
    LogLine line;
    g_autofree char *raw = g_strndup(text, length);
    if (g_strstrip(raw)[0] == '\0')
        return;
    gboolean logged = log_line_parse(raw, strlen(raw), &line);
    const ClassifierSubject subject =
        logged ? subject_of(&line) : (ClassifierSubject){.finality = FINALITY_REPLY};
    job->tally.lines++;
    reading_make(&reading, style, logged && line.text != NULL ? line.text : raw, subject);
    ClassifyRow row = {.row = ROW_LINE,
                       .line = number,
                       .kind = kind_of(subject.finality, reading.reply),
                       .code = reading.reply->code,
                       .status = reading.reply->status,
                       .text = raw,
                       .cause = &reading.cause};
    put_row(job, style, &row);
    reading_clear(&reading);
    if (logged)
        log_line_clear(&line);
}

static void
do_lines(ClassifyJob *job, const ClassifyStyle *style)
{
    const char *at = job->octets->str, *end = at + job->octets->len;
    for (guint64 number = job->first_line; at < end; number++) {
        const char *newline = memchr(at, '\n', (gsize)(end - at));
        gsize length = (gsize)((newline != NULL ? newline : end) - at);
        if (job->kind == JOB_LOG)
            read_log_line(job, style, at, length, number);
        else
            read_reply_line(job, style, at, length, number);
        at = newline != NULL ? newline + 1 : end;
    }
}

void
classify_job_do(gpointer data, gpointer user)
{
    ClassifyJob *job = data;
    const ClassifyStyle *style = user;
    if (job->kind == JOB_LOG || job->kind == JOB_LINES)
        do_lines(job, style);
    for (guint i = 0; i < job->mails->len; i++)
        do_mail(job, style, &g_array_index(job->mails, ClassifyMail, i));
    g_string_truncate(job->octets, 0);
}
