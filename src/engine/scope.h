/*
 * scope: is a reply one that the policy's default may touch?
 *
 * Annotation is for mail: replies at the stages of replies.stages. A table does not always know the
 * stage; there, whatever is not an AUTH failure (530 to 538), a syntax or sequence error (500 to
 * 504, 521, 555), a greeting or a 421 counts as mail. Outside the scope only a rule that names such
 * a reply speaks. Threads: any.
 */
#pragma once

#include "engine/facts.h"
#include "mail/smtp_reply.h"
#include "policy/policy.h"

gboolean scope_has_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply);
