/*
 * privacy: the settings log.addresses and log.client, applied to whatever an event says.
 *
 * Mail addresses: plain; "domain": the local part becomes "*"; hashed. Clients (address, name, HELO
 * name): plain; "prefix": the network (/24, /48), and of a name its last two labels; hashed.
 * "hashed" is "hash:" and 16 hex digits of an HMAC-SHA256 with the key of log.key_file: the same
 * for the same value, so that events can still be counted by it. Without a key it is "hidden".
 *
 * In texts the addresses are found wherever they stand, in the encodings that decoded_text.h knows,
 * and so is what the event's own facts hold (a local part without its domain, the client's name,
 * its address backwards as DNS lists are asked). Every network address in a text counts as a
 * client's. Linear time. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "engine/facts.h"
#include "policy/policy.h"

typedef struct PrivacyFilter PrivacyFilter;

/* NULL if everything is plain. Both must outlive the filter. */
PrivacyFilter *privacy_filter_new(const PolicySettings *settings, const Facts *facts);
void privacy_filter_free(PrivacyFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PrivacyFilter, privacy_filter_free)

/* Each takes a NULL filter (a copy is returned) and a NULL value (then NULL). The caller frees the
 * result. */
char *privacy_text(const PrivacyFilter *filter, const char *text);
char *privacy_address(const PrivacyFilter *filter, const char *address); /* a whole one, or "" */
char *privacy_client(const PrivacyFilter *filter, const char *address);  /* an IP address */
char *privacy_host(const PrivacyFilter *filter, const char *name);       /* a client's name, HELO */
