/*
 * smtp_stage: the points of an SMTP session at which a reply can be given (RFC 5321 section 4.3.2,
 * and the extensions that have commands of their own).
 */
#pragma once

#include <glib.h>

typedef enum {
    SMTP_STAGE_UNKNOWN,
    SMTP_STAGE_CONNECT,
    SMTP_STAGE_HELO,
    SMTP_STAGE_STARTTLS,
    SMTP_STAGE_AUTH,
    SMTP_STAGE_MAIL,
    SMTP_STAGE_RCPT,
    SMTP_STAGE_DATA,
    SMTP_STAGE_EOM,   /* the end of the message's data; headers and body are answered here too */
    SMTP_STAGE_OTHER, /* VRFY, EXPN, ETRN, RSET, NOOP, HELP, QUIT, unknown commands */
    SMTP_STAGE_COUNT
} SmtpStage;

/* "connect", "helo", "starttls", "auth", "mail", "rcpt", "data", "eom", "other"; NULL for unknown.
 */
const char *smtp_stage_name(SmtpStage stage);

/* The names in the order of the stages, ending with NULL. */
const char *const *smtp_stage_names(void);

/* SMTP_STAGE_UNKNOWN if no stage has that name. */
SmtpStage smtp_stage_from_name(const char *name);

/* From an SMTP command as MTAs write it: "RCPT TO", "end of DATA command", "MAIL FROM", "EHLO". */
SmtpStage smtp_stage_from_command(const char *command);
