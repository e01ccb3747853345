/*
 * address: a mailbox or path as it stands in an SMTP command (RFC 5321 section 4.1.2), read
 * loosely.
 *
 * Threads: any. Returned strings belong to the caller.
 */
#pragma once

#include <glib.h>

/*
 * The address inside "<a@b>", "a@b", "<@relay:a@b>" (the route is dropped) or "rfc822; a@b",
 * without white space around it. "" for the null path "<>" and for an empty text.
 */
char *address_parse(const char *path);

/* What stands behind the last '@' of a parsed address, in lower case; "" if there is none. */
char *address_domain(const char *address);
