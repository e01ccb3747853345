/*
 * filter_client: one filter on one connection from the MTA.
 *
 * Negotiates, tells the filter what it wants to know, with the macros that it asked for, takes its
 * answers, and keeps whether it is still in. What it may not say is a failure: an answer where none
 * is due, an action that it did not ask for, a change before the end of the message. After a
 * failure nothing of the connection is kept. Used by filter_chain and filter_message. Threads: one
 * owner.
 */
#pragma once

#include <glib.h>
#include <poll.h>

#include "filters/change.h"
#include "filters/filter_host.h"
#include "filters/filter_state.h"
#include "filters/filter_verdict.h"
#include "policy/policy.h"
#include "wire/milter_command.h"
#include "wire/milter_negotiation.h"

typedef struct FilterClient FilterClient;

/* All of them must outlive the client. */
FilterClient *filter_client_new(const PolicyFilter *filter, FilterState *state, FilterHost *host);
/* Says QUIT, waits for nothing. */
void filter_client_free(FilterClient *client);

/*
 * Connecting and negotiating, side by side with others: start each; then, until none waits, poll()
 * what filter_client_wait() sets and tell each by filter_client_go_on(). `offer` must last until
 * then.
 */
void filter_client_start(FilterClient *client, const MilterNegotiation *offer);
/* FALSE: it is connected, or has failed. Else `until_us` (clock_monotonic_us()): when to go on
 * though nothing was polled. */
gboolean filter_client_wait(const FilterClient *client, struct pollfd *polled, gint64 *until_us);
void filter_client_go_on(FilterClient *client, short polled);

const PolicyFilter *filter_client_filter(const FilterClient *client);

/* What holds: NULL before it has negotiated, and after a failure. */
const MilterNegotiation *filter_client_negotiated(const FilterClient *client);

/* With FAILED: what becomes of the mail. One that it cannot be shown is put off. */
FilterFailure filter_client_on_failure(const FilterClient *client);

/* NULL, or what last happened to it. */
const char *filter_client_failure(const FilterClient *client);

/* Is there anything that it can still say: to this message, or to the next? */
gboolean filter_client_is_in(const FilterClient *client);

/* Would it be sent this command now? */
gboolean filter_client_wants(const FilterClient *client, MilterCommandCode code);

/*
 * Tells it a command, one whole packet, and takes the answer if one is due. What it does not want
 * is not sent, and one that is out gets nothing; one that has refused the connection or failed
 * gives that verdict again: *asked is FALSE where its verdict is not an answer to this.
 */
FilterVerdict filter_client_tell(FilterClient *client, MilterCommandCode code,
                                 const GString *packet, gboolean *asked);

/* The end of the message: as above, and its changes are added to `changes`. */
FilterVerdict filter_client_tell_end(FilterClient *client, ChangeList *changes, gboolean *asked);

/* The text of the last FILTER_VERDICT_REPLY. */
const GString *filter_client_reply(const FilterClient *client);

/* A failure that is not the filter's: this message cannot be shown to it. That is FAILED whatever
 * its on_failure, or a mail could be made that no filter sees. It stays in for the next one. */
FilterVerdict filter_client_give_up(FilterClient *client, const char *why);

/* The transaction is over otherwise than by its answer to the end of the message. */
void filter_client_abort(FilterClient *client);
