/*
 * smtp_reply_internal: what smtp_reply.c and smtp_reply_parse.c share; nobody else includes it.
 */
#pragma once

#include "mail/smtp_reply.h"

/* A reply without a line, which the caller must give it. */
SmtpReply *smtp_reply_empty(void);

/* Appends a line as it was written; there is neither CR nor LF nor NUL in it. */
void smtp_reply_append(SmtpReply *reply, guint code, char separator, EnhancedStatus status,
                       const char *text, gsize length);
