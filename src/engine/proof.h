/*
 * proof: what shows that the mail of which a report speaks was ours.
 *
 * Anybody can send a report that somebody else's address is dead. own-mta: our own MTA made it.
 * verp: it came to an address of bounces.recipients that names the failed recipient
 * (bounces+user=example.org@example.net). message-id: the original's Message-ID was made on this
 * host. The last two are no secret to who has got such a mail before, and not known to anybody
 * else. Pure; threads: any.
 */
#pragma once

#include "classify/bounce.h"
#include "policy/policy.h"

typedef enum {
    PROOF_NOT_ASKED, /* no report */
    PROOF_NONE,
    PROOF_MESSAGE_ID,
    PROOF_VERP,
    PROOF_OWN_MTA,
} Proof;

/* "none", "message-id", "verp", "own-mta"; NULL for PROOF_NOT_ASKED. */
const char *proof_name(Proof proof);

/* How the report has come. Everything is borrowed. */
typedef struct {
    gboolean own;                  /* made by our own MTA, by its own account */
    const char *client;            /* address of who brought it; NULL: not known */
    const char *hostname;          /* ours */
    const char *const *recipients; /* to whom, ending with NULL; NULL: not known */
} ReportWay;

/* `recipient` is the one that was not reached; "": the report does not say. */
Proof proof_find(const Policy *policy, const ReportWay *way, const Bounce *bounce,
                 const char *recipient);

/* Is it, or what it is without the recipient in it, among bounces.recipients? */
gboolean proof_address_takes_reports(const Policy *policy, const char *address);

/*
 * The recipient that one of the addresses to which the report came names, for a report that does
 * not say it; NULL: none of them does. The caller frees it.
 */
char *proof_verp_recipient(const Policy *policy, const ReportWay *way);
