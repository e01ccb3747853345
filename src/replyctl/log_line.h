/*
 * log_line: the reply in a line of a mail log, as people paste it.
 *
 * Knows the lines of Postfix (status=bounced (...), reject: RCPT from ...: ...), Sendmail (reject=,
 * stat=) and Exim (SMTP error from remote mail server ...). Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* What stands for the reply, with the status of dsn= before it where it has no code of its own; a
 * copy of `text` if it is no such line. The caller frees it. */
char *log_line_reply(const char *text);
