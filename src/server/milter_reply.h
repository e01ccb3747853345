/*
 * milter_reply: our reply in libmilter's hands.
 *
 * The one place that knows what libmilter and the MTAs behind it take: '%' doubled (Postfix
 * un-escapes, Sendmail uses the reply as a format), at most 32 lines, a text behind every code, and
 * a return value whose class is the code's.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "mail/smtp_reply.h"

/*
 * SMFIS_REJECT or SMFIS_TEMPFAIL by the code's class, with the reply set. If libmilter refuses the
 * reply, which is logged, the MTA refuses all the same, in words of its own.
 */
sfsistat milter_reply_set(SMFICTX *context, const SmtpReply *reply);
