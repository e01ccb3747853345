/*
 * try_screen: a session or a reply that was tried, for people.
 */
#pragma once

#include "replyctl/try_reply.h"
#include "replyctl/try_session.h"

void try_screen_session(const TrySession *session);
void try_screen_reply(const TryReply *reply);

/* One sentence about how the session ended. */
const char *try_screen_outcome(TryOutcome outcome);
