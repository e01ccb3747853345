/*
 * try_json: a session or a reply that was tried, as a JSON object.
 *
 * The caller owns what is returned. replyctl(1) describes the members.
 */
#pragma once

#include <jansson.h>

#include "replyctl/try_reply.h"
#include "replyctl/try_session.h"

json_t *try_json_session(const TrySession *session);
json_t *try_json_reply(const TryReply *reply);
