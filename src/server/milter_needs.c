/*
 * milter_needs: what the policy's needs are in the milter protocol.
 */
#include "server/milter_needs.h"

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

/*
 * A stage at which nothing of ours can answer gets a no-reply flag: it then costs no round trip.
 * RCPT never does: Postfix keeps what needs no reply in its buffer, and if the client leaves after
 * a refused recipient, sends it while it closes; libmilter then sees the close first and reads
 * nothing.
 */
static const struct {
    CheckPoint point;
    unsigned long no_reply;
} stages[] = {
    {CHECK_POINT_CONNECT, SMFIP_NR_CONN},
    {CHECK_POINT_HELO, SMFIP_NR_HELO},
    {CHECK_POINT_MAIL, SMFIP_NR_MAIL},
    {CHECK_POINT_HEADERS, SMFIP_NR_EOH},
};

unsigned long
milter_needs_steps(const PolicyNeeds *needs, unsigned long offered)
{
    unsigned long steps = SMFIP_RCPT_REJ | SMFIP_NOUNKNOWN | SMFIP_NR_UNKN | SMFIP_NR_HDR;
    for (gsize i = 0; i < G_N_ELEMENTS(stages); i++)
        if (!(needs->points & 1u << stages[i].point))
            steps |= stages[i].no_reply;
    /* DATA is always answered: that is where a message need not be read any further. */
    gboolean end_of_headers = (needs->points & 1u << CHECK_POINT_HEADERS) != 0;
    gboolean body = needs->body || needs->reports;
    if (!needs->headers && !body)
        steps |= SMFIP_NOHDRS;
    if (!end_of_headers)
        steps |= SMFIP_NOEOH;
    steps |= body ? SMFIP_NR_BODY : SMFIP_NOBODY;
    return milter_needs_whole(steps) & offered;
}

unsigned long
milter_needs_whole(unsigned long steps)
{
    return steps & SMFIP_NOHDRS ? steps : steps & ~(unsigned long)SMFIP_NOEOH;
}

unsigned long
milter_needs_actions(const PolicyNeeds *needs, unsigned long offered)
{
    unsigned long actions = SMFIF_SETSYMLIST;
    if (needs->message_action)
        actions |= SMFIF_QUARANTINE;
    if (needs->header_changes)
        actions |= SMFIF_ADDHDRS | SMFIF_CHGHDRS;
    return actions & offered;
}
