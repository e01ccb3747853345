/*
 * auto_reply: has a machine answered this mail for its owner (RFC 3834, and what real systems
 * send)?
 *
 * An absence notice, an automatic confirmation, a challenge; a delivery report is none. Judged by
 * the header alone: Auto-Submitted: auto-replied, X-Autoreply and its like, Precedence, the first
 * words of the Subject in many languages. List mail and notices that answer nobody are none. Pure;
 * threads: any.
 */
#pragma once

#include "mail/header_fields.h"

gboolean auto_reply_is(const HeaderFields *header);
