/*
 * engine: facts + policy -> decision. The one call behind every door.
 *
 * No I/O, no globals; time and chance are passed in. The way of a reply: classify, repair, first
 * rule that matches, template, disclosure, fit to the wire. Rewriting is idempotent: what one door
 * said passes the next one unchanged. Threads: any, each with its own Decision.
 */
#pragma once

#include "engine/decision.h"
#include "engine/facts.h"

/* What the engine may not fetch by itself. */
typedef struct {
    gint64 now_us;  /* since the epoch */
    guint64 random; /* for the reference: 64 unpredictable bits, new for each call */
} EngineMoment;

/*
 * Decides about a reply that somebody else gave. `decision` has been initialised and is cleared by
 * the caller; its strings may point into `policy`. VERDICT_PASS: leave the reply alone (`keep`, a
 * stage that is not ours, or nothing to change); VERDICT_REPLY: say `final`.
 */
void engine_reply(const Policy *policy, const Facts *facts, const SmtpReply *reply,
                  const EngineMoment *moment, Decision *decision);

/* Makes the decision of a check that has matched: its reply, repaired and fitted only. */
void engine_check(const Policy *policy, const PolicyCheck *check, const Facts *facts,
                  const MatchCaptures *captures, const EngineMoment *moment, Decision *decision);

/*
 * Do all conditions match? A fact that the door does not know never does. `reply` and `cause` give
 * code, status, text and category; NULL where there is no reply. `captures` may be NULL.
 */
gboolean engine_conditions_match(const GArray *conditions, const Facts *facts,
                                 const SmtpReply *reply, const Classification *cause,
                                 MatchCaptures *captures);

/* Eight letters that cannot be taken for each other, from 64 random bits: never sequential. The
 * caller frees it. */
char *engine_reference(guint64 random);

/* The direction of a session: "inbound", "outbound", "local". `port` 0 and the MTA's own classes
 * are local; insiders by network or by AUTH are outbound. */
const char *engine_direction(const Policy *policy, const char *client, const char *auth_user,
                             guint port);
