/*
 * try_held: the message that is tried, as filters are shown it.
 */
#pragma once

#include "filters/held_message.h"
#include "replyctl/try_options.h"

/* What --message and --header give, octet for octet, lines with CR LF; without both an empty
 * message. The caller frees it. */
HeldMessage *try_held_new(const TryOptions *options, const Policy *policy);
