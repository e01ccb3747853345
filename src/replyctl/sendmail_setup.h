/*
 * sendmail_setup: the lines of sendmail.mc that make Sendmail ask replymilter.
 *
 * Sockets are looked for in the file system; all else is pure. Threads: any.
 */
#pragma once

#include "policy/policy.h"

/*
 * As Sendmail has it: "local:/run/replymilter.sock", "inet:8891@127.0.0.1". With a link to it
 * Sendmail does not start, so it is the link's name only where systemd has the socket there (as on
 * a host without Postfix), or would have, as its place in the policy is not on this host. NULL: the
 * policy has no name of it (unset, or "fd:3"). The caller frees it.
 */
char *sendmail_setup_socket(const SocketSettings *settings);

/* INPUT_MAIL_FILTER, for a socket as above: how long Sendmail waits, and what becomes of the mail
 * while nobody answers, follow from the filters behind us. The caller frees it. */
char *sendmail_setup_milter(const Policy *policy, const char *socket);

/* The rule set by which the table "sendmail" at that socket words what check_rcpt refuses. The
 * caller frees it. */
char *sendmail_setup_ruleset(const char *socket);

/*
 * Why Sendmail would not trust a local socket, and so not start: "/run is writable by all". NULL:
 * nothing speaks against it, as far as it is there already. The caller frees it.
 */
char *sendmail_setup_distrusts(const char *socket);
