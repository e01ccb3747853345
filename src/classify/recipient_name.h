/*
 * recipient_name: which of the addresses in a report names the one who was not reached.
 *
 * The address that failed, as long as it is one of the Internet: MTAs also write a login, a path of
 * X.400 or an address inside their own network there. Then it is the one that the sender wrote to.
 * Pure; threads: any.
 */
#pragma once

#include "mail/dsn_report.h"

/* Local part, '@', and a domain that could be anybody's? */
gboolean recipient_name_is_real(const char *address);

/* Final-Recipient, Original-Recipient or X-Actual-Recipient: the first that is real, "" if none
 * is. The caller frees it. */
char *recipient_name_of(const DsnRecipient *recipient);
