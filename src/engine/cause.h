/*
 * cause: what the classifier says about a reply, as the door at hand reads it.
 *
 * Behind the delivery door a remote server's reply stands inside Postfix's words, and its status
 * says whether Postfix tries again. Threads: any.
 */
#pragma once

#include "classify/classifier.h"
#include "engine/facts.h"
#include "policy/policy.h"

/* `cause` has been initialised; what it held is cleared. */
void cause_of_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply,
                    Classification *cause);
