/*
 * proof: what shows that the mail of which a report speaks was ours.
 */
#include "engine/proof.h"

#include <string.h>

/* Between the sender's own local part and the recipient in it. */
#define VERP_DELIMITERS "+-._=/"

const char *
proof_name(Proof proof)
{
    static const char *const names[] = {
        [PROOF_NOT_ASKED] = NULL, [PROOF_NONE] = "none",       [PROOF_MESSAGE_ID] = "message-id",
        [PROOF_VERP] = "verp",    [PROOF_OWN_MTA] = "own-mta",
    };
    g_assert((guint)proof < G_N_ELEMENTS(names));
    return names[proof];
}

static gboolean
same_host(const char *host, const char *own)
{
    gsize length = strlen(host);
    if (length > 0 && host[length - 1] == '.')
        length--;
    return length > 0 && own != NULL && strlen(own) == length &&
           g_ascii_strncasecmp(host, own, length) == 0;
}

static gboolean
is_from_own_mta(const Policy *policy, const ReportWay *way, const Bounce *bounce)
{
    return way->own || (way->client != NULL && policy_is_inside(policy, way->client) &&
                        same_host(bounce->reporting_mta, way->hostname));
}

static gboolean
has_own_message_id(const ReportWay *way, const Bounce *bounce)
{
    const char *at = strrchr(bounce->message_id, '@');
    return at != NULL && same_host(at + 1, way->hostname);
}

/* ---- addresses with a recipient in them ------------------------------------------------------ */

/* Do reports come to this address, or to what it is without the recipient in it? */
static gboolean
takes_reports(const Policy *policy, const char *address, gsize base, const char *at)
{
    const Matcher *recipients = policy_settings(policy)->bounces.recipients;
    if (recipients == NULL)
        return FALSE;
    g_autofree char *bare = g_strdup_printf("%.*s%s", (int)base, address, at);
    const char *const whole[] = {address, NULL}, *const without[] = {bare, NULL};
    return matcher_match(recipients, whole, NULL) || matcher_match(recipients, without, NULL);
}

/* Where "user=example.org" begins at the end of the local part, or -1. */
static gssize
place_of_recipient(const char *address, const char *at, const char *recipient)
{
    g_autofree char *coded = g_strdup(recipient);
    char *sign = strrchr(coded, '@');
    gsize local = (gsize)(at - address), length = strlen(coded);
    if (sign == NULL || local < length + 2)
        return -1;
    *sign = '=';
    const char *start = at - length;
    if (g_ascii_strncasecmp(start, coded, length) != 0 ||
        strchr(VERP_DELIMITERS, start[-1]) == NULL)
        return -1;
    return start - address;
}

static gboolean
names_recipient(const Policy *policy, const char *address, const char *recipient)
{
    const char *at = strrchr(address, '@');
    gssize place = at != NULL ? place_of_recipient(address, at, recipient) : -1;
    return place > 0 && takes_reports(policy, address, (gsize)place - 1, at);
}

/* What stands behind the first '+', or else the first '-', read as "user=example.org". */
static char *
recipient_in(const Policy *policy, const char *address)
{
    const char *at = strrchr(address, '@');
    gsize local = at != NULL ? (gsize)(at - address) : 0;
    const char *delimiter = memchr(address, '+', local);
    if (delimiter == NULL)
        delimiter = memchr(address, '-', local);
    const char *sign = delimiter != NULL ? memrchr(delimiter, '=', (gsize)(at - delimiter)) : NULL;
    if (sign == NULL || sign == delimiter + 1 || sign + 1 == at ||
        !takes_reports(policy, address, (gsize)(delimiter - address), at))
        return NULL;
    return g_strdup_printf("%.*s@%.*s", (int)(sign - delimiter - 1), delimiter + 1,
                           (int)(at - sign - 1), sign + 1);
}

static gboolean
is_named(const Policy *policy, const ReportWay *way, const char *recipient)
{
    for (const char *const *address = way->recipients; address != NULL && *address != NULL;
         address++)
        if (names_recipient(policy, *address, recipient))
            return TRUE;
    return FALSE;
}

gboolean
proof_address_takes_reports(const Policy *policy, const char *address)
{
    const Matcher *recipients = policy_settings(policy)->bounces.recipients;
    const char *const whole[] = {address, NULL};
    if (recipients == NULL)
        return FALSE;
    if (matcher_match(recipients, whole, NULL))
        return TRUE;
    g_autofree char *named = recipient_in(policy, address);
    return named != NULL;
}

char *
proof_verp_recipient(const Policy *policy, const ReportWay *way)
{
    char *found = NULL;
    for (const char *const *address = way->recipients;
         address != NULL && *address != NULL && found == NULL; address++)
        found = recipient_in(policy, *address);
    return found;
}

Proof
proof_find(const Policy *policy, const ReportWay *way, const Bounce *bounce, const char *recipient)
{
    if (is_from_own_mta(policy, way, bounce))
        return PROOF_OWN_MTA;
    if (*recipient != '\0' && is_named(policy, way, recipient))
        return PROOF_VERP;
    return has_own_message_id(way, bounce) ? PROOF_MESSAGE_ID : PROOF_NONE;
}
