/*
 * reply_key: what the text of a Postfix refusal gives away for certain.
 *
 * A table query carries the reply and nothing else. "<user@example.org>: Recipient address
 * rejected: ..." is Postfix's own wording and names the recipient and the stage; "Sender address
 * rejected" names the sender, but with smtpd_delay_reject it may come at MAIL or at RCPT, so the
 * stage stays unknown. Pure; threads: any.
 */
#pragma once

#include "engine/facts.h"
#include "mail/smtp_reply.h"

/* Sets stage, recipient, sender and HELO where the reply tells. */
void reply_key_read(const SmtpReply *reply, Facts *facts);
