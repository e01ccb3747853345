/*
 * quoted_status: the enhanced status of what a text reports, wherever in it that stands.
 *
 * "554 4.4.7 Message expired <421 4.4.2 Connection timed out>" is the second's; "501 RCPT TO not
 * accepted: 5.7.1 no relaying", "mailbox full [#4.2.2]" and "(#5.1.1)" have it in their midst.
 * Versions and addresses ("Exim 4.80.1", "192.0.2.1") are none. Pure; threads: any.
 */
#pragma once

#include "mail/enhanced_status.h"

/* `own` is what the text itself begins with; returned where it quotes no other. */
EnhancedStatus quoted_status(const char *text, EnhancedStatus own);

/* The code of a reply that a sentence names: "SMTP error code 550", "(response code: 452)"; else 0.
 */
guint quoted_code(const char *text);

/* Says more than its class: neither none nor X.0.0? */
gboolean status_is_telling(EnhancedStatus status);
