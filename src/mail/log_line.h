/*
 * log_line: what a line of a mail log says about a delivery or a refusal.
 *
 * Postfix: status=bounced, deferred, sent, expired; reject:, milter-reject:; from=, message-id=,
 * removed. Sendmail: stat=, reject=, from=, "Cannot send message for 5 days". With or without what
 * syslog or journald put before it (log_stamp.h); a line of a program that is neither Postfix's nor
 * Sendmail's says nothing. Remote hosts and senders choose much of what stands in such a line: it
 * is read by its structure, and nothing within <> or "" counts as such.
 *
 * Linear time; threads: any.
 */
#pragma once

#include <glib.h>

#include "mail/enhanced_status.h"
#include "mail/log_stamp.h"
#include "mail/smtp_stage.h"

typedef enum {
    LOG_LINE_OTHER,      /* nothing of this */
    LOG_LINE_FAILED,     /* recipients were given up */
    LOG_LINE_DEFERRED,   /* recipients will be tried again */
    LOG_LINE_DELIVERED,  /* recipients have got it */
    LOG_LINE_EXPIRED,    /* whoever has not got it yet was given up */
    LOG_LINE_REFUSED,    /* a client was refused */
    LOG_LINE_SENDER,     /* whose mail it is */
    LOG_LINE_MESSAGE_ID, /* its Message-ID */
    LOG_LINE_REMOVED,    /* it is not in the queue any more */
} LogLineKind;

typedef struct {
    LogLineKind kind;
    LogStamp stamp;        /* points into the line */
    char *queue_id;        /* NULL: none (NOQUEUE) */
    GPtrArray *recipients; /* of char *, addresses; never NULL, empty if the line names none */
    char *sender;          /* NULL: not said; "" is the null sender */
    char *message_id;      /* without <>; NULL: not said */
    char *relay_name;      /* the other host's; NULL: not known */
    char *relay_addr;      /* likewise */
    EnhancedStatus status; /* dsn= */
    SmtpStage stage;       /* of a refusal */
    char *text;            /* what was said, the status first where it has no code; NULL: nothing */
} LogLine;

#define LOG_LINE_MAX_RECIPIENTS 1000

/* FALSE: the line says nothing of this; there is nothing to clear then. `text` needs no NUL. */
gboolean log_line_parse(const char *text, gsize length, LogLine *line);
void log_line_clear(LogLine *line);

/*
 * The reply in a line as people paste it, whole or in part; lines of Exim too ("SMTP error from
 * remote mail server ..."). A copy of `text` if it is no such line. The caller frees it.
 */
char *log_line_reply(const char *text);
