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

/* SMFIS_REJECT or SMFIS_TEMPFAIL with the reply set; SMFIS_CONTINUE, logged, if libmilter refuses
 * it. */
sfsistat milter_reply_set(SMFICTX *context, const SmtpReply *reply);
