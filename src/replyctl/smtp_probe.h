/*
 * smtp_probe: one recipient offered to an SMTP server, and what it says to it.
 *
 * No mail is sent: after RCPT the client quits. Blocking, with a time limit for each reply.
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

#define SMTP_PROBE_SECONDS 30

/* `line` of the dialogue; `ours`: we have said it. Without its line's end. */
typedef void (*SmtpProbeSaid)(const char *line, gboolean ours, gpointer data);

/*
 * `server`: "host", "host:port"; 25 if none is said. The reply to RCPT, its lines joined by "\n",
 * or to whatever was refused before; the caller frees it. NULL and an error if there was no reply.
 */
char *smtp_probe(const char *server, const char *recipient, SmtpProbeSaid said, gpointer data,
                 GError **error);
