/*
 * smtp_reply: an SMTP reply (RFC 5321 section 4.2), as MTAs, logs and reports really write it.
 *
 * smtp_reply_parse() takes any text: one line or many, "550-5.7.1 x", CRLF or LF or flattened with
 * spaces, with or without a code or an enhanced status (RFC 2034), "host mx[192.0.2.1] said: 550
 * ... (in reply to RCPT TO command)", "smtp; 550 ...", "<user@example.org>: ...". It never fails:
 * what has no code is text. What it was at fault with stays visible (a code and a status for each
 * line), so that it can be linted. smtp_reply_to_wire() prints what is right on the wire, and only
 * for a reply that has been repaired (engine/repair.h).
 *
 * Limits (hostile input): SMTP_REPLY_MAX_TEXT octets and SMTP_REPLY_MAX_LINES lines are read, the
 * rest is left out and `truncated` says so. Threads: any; a value belongs to its owner.
 */
#pragma once

#include <glib.h>

#include "mail/enhanced_status.h"
#include "mail/smtp_stage.h"

#define SMTP_REPLY_MAX_TEXT  65536
#define SMTP_REPLY_MAX_LINES 200

/* RFC 5321 section 4.5.3.1.5: a reply line has at most 512 octets, code and CRLF included. */
#define SMTP_REPLY_LINE_OCTETS 512

typedef struct {
    guint code;            /* 0: this line has none */
    EnhancedStatus status; /* as written on this line */
    char separator;        /* ' ' or '-' behind the code, '\0' if there is neither */
    char *text; /* without code and status; never NULL; may hold any octet but NUL CR LF */
} SmtpReplyLine;

typedef struct {
    guint code; /* of the last line that has one (RFC 5321: the last line decides); 0: none */
    EnhancedStatus status; /* likewise */
    SmtpReplyLine *lines;  /* owned, with their texts; at least one */
    guint line_count;
    /* What stands around the reply in a log or a report; NULL or unknown where it does not. */
    char *remote_name;  /* "mx.example.org" of "host mx.example.org[192.0.2.1] said:" */
    char *remote_addr;  /* "192.0.2.1" */
    SmtpStage stage;    /* of "(in reply to RCPT TO command)" */
    gboolean flattened; /* several lines stood on one, joined with spaces */
    gboolean truncated;
} SmtpReply;

/* A reply of one line, each part as given. `text` is copied. */
SmtpReply *smtp_reply_new(guint code, EnhancedStatus status, const char *text);

/* `length` -1: up to the NUL. NUL octets inside become spaces. Never NULL. */
SmtpReply *smtp_reply_parse(const char *text, gssize length);

SmtpReply *smtp_reply_copy(const SmtpReply *reply);
void smtp_reply_free(SmtpReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SmtpReply, smtp_reply_free)

const SmtpReplyLine *smtp_reply_line(const SmtpReply *reply, guint index);
guint smtp_reply_line_count(const SmtpReply *reply);

/* Appends a line with the reply's own code and status. `text` is copied. */
void smtp_reply_add_line(SmtpReply *reply, const char *text);

/* Leaves out the lines from `count`, which is at least 1, on. */
void smtp_reply_truncate(SmtpReply *reply, guint count);

/* Takes these texts (GPtrArray of char *, at least one, copied) for its lines, with its own code
 * and status on each. */
void smtp_reply_set_texts(SmtpReply *reply, const GPtrArray *texts);

/* Gives every line this code and status. */
void smtp_reply_set_code(SmtpReply *reply, guint code, EnhancedStatus status);

/* Behind such a code the MTA closes the connection (421: RFC 5321 section 3.8; 521: as Postfix). */
static inline gboolean
smtp_code_hangs_up(guint code)
{
    return code == 421 || code == 521;
}

/* All lines' texts joined with one space; no code, no status. The caller frees it. */
char *smtp_reply_text(const SmtpReply *reply);

/*
 * "550-5.1.1 first\r\n550 5.1.1 second" without a last CRLF: the code and the status on each line,
 * '-' on all but the last. The lines' texts go out as they are. The caller frees it.
 */
char *smtp_reply_to_wire(const SmtpReply *reply);

/* "550 5.1.1 first second": one line for a log or a table key. The caller frees it. */
char *smtp_reply_to_line(const SmtpReply *reply);
