/*
 * sendmail_answer: what a rule set of Sendmail is told to say instead of its own refusal.
 *
 * The table "sendmail", asked by the rule set that `replyctl sendmail --ruleset` prints. The key is
 * what the rule set has: "5.7.1/550 Relaying denied", or "550 5.7.1 No" where the text has a status
 * or there is none. The answer is one line between double quotes, since Sendmail breaks everything
 * else into words and ends a reply at its first line; it puts "<address>... " before it. Pure;
 * threads: any.
 */
#pragma once

#include "engine/engine.h"

/* Octets of an answer's text: with code, status and an address of usual length, one line on the
 * wire. */
#define SENDMAIL_ANSWER_TEXT 400

/*
 * The answer, or NULL: not found. `facts` is initialised with DOOR_REJECT; all else is as for
 * table_answer(). decision->final becomes what is said: the first line, what else there is room
 * for, and the last line, in which a reference stands. The caller frees it.
 */
char *sendmail_answer(const Policy *policy, const char *key, Facts *facts,
                      const EngineMoment *moment, Decision *decision);
