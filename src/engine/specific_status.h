/*
 * specific_status: the registered enhanced status that says what a vague one leaves open.
 *
 * Filters say 5.7.1 to whatever they refuse, from which no sender can tell a failed DMARC check
 * (5.7.26) from a block list. Pure; threads: any.
 */
#pragma once

#include "classify/classifier.h"
#include "mail/smtp_reply.h"

/* "", x.0.0, x.7.0, x.7.1: refused, and nothing more. */
gboolean specific_status_is_wanted(EnhancedStatus status);

/*
 * The status, with the class of `code`, for a refusal of this cause; none if the cause is not sure
 * enough, has no status of its own, or has none that is known with such a code. A status that makes
 * others give an address up needs more certainty than the rest.
 */
EnhancedStatus specific_status_for(guint code, const SmtpReply *reply, const Classification *cause);
