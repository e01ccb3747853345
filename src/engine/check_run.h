/*
 * check_run: the checks of one MTA session, as its facts come in.
 *
 * A check speaks at the first point at which all its conditions are known; what is known at connect
 * or HELO speaks at every RCPT of the session, unless it says at_once. A check on the recipient
 * that must wait for headers or the end speaks only if all accepted recipients match. Pure; one
 * owner.
 */
#pragma once

#include "engine/engine.h"

typedef struct CheckRun CheckRun;

CheckRun *check_run_new(const Policy *policy); /* the policy must outlive it */
void check_run_free(CheckRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckRun, check_run_free)

/* A new message of the same session: forgets sender, recipients, headers. */
void check_run_begin_message(CheckRun *run);

/* The MTA and all checks took this recipient. */
void check_run_accept_recipient(CheckRun *run, const char *recipient);

/*
 * Asks the checks that speak at this point, in their order; the first that matches decides. TRUE
 * and a decision, or FALSE: nothing to say.
 */
gboolean check_run_at(CheckRun *run, CheckPoint point, const Facts *facts,
                      const EngineMoment *moment, Decision *decision);

/*
 * At DATA, or at the end of the headers: can any check behind this point still speak about the
 * message? If not, the rest of it need not be sent. What a report says is known only where
 * `report`: this message is read as one.
 */
gboolean check_run_wants_message(const CheckRun *run, CheckPoint point, gboolean report);
