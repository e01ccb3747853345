/*
 * milter_changes: what is to be done to a message, told to the MTA through libmilter.
 */
#include "server/milter_changes.h"

/* libmilter takes no quarantine without a reason. */
static const char *
quarantine_reason(const Change *change)
{
    return change->reason[0] != '\0' ? change->reason : "quarantined by a filter";
}

/* libmilter's functions take what they only read without const. */
static int
tell(SMFICTX *context, const Change *change, gboolean leading_space)
{
    char *value = (char *)change_value(change, leading_space);
    switch (change->kind) {
    case CHANGE_ADD_HEADER:
        return smfi_addheader(context, change->name, value);
    case CHANGE_INSERT_HEADER:
        return smfi_insheader(context, (int)change->index, change->name, value);
    case CHANGE_SET_HEADER:
    case CHANGE_DELETE_HEADER:
        return smfi_chgheader(context, change->name, (int)change->index, value);
    case CHANGE_ADD_RECIPIENT:
        return smfi_addrcpt(context, change->address);
    case CHANGE_ADD_RECIPIENT_PAR:
        return smfi_addrcpt_par(context, change->address, change->arguments);
    case CHANGE_DELETE_RECIPIENT:
        return smfi_delrcpt(context, change->address);
    case CHANGE_SENDER:
        return smfi_chgfrom(context, change->address, change->arguments);
    case CHANGE_QUARANTINE:
        return smfi_quarantine(context, (char *)quarantine_reason(change));
    case CHANGE_BODY: /* all of them at once, at the end */
        return MI_SUCCESS;
    }
    g_assert_not_reached();
}

/* An empty one, too, needs one call. */
static gboolean
tell_body(SMFICTX *context, Spool *body)
{
    guint64 at = 0;
    gsize count;
    do {
        const char *piece = spool_piece(body, at, &count, NULL);
        if (piece == NULL ||
            smfi_replacebody(context, (unsigned char *)piece, (int)count) != MI_SUCCESS)
            return FALSE;
        at += count;
    } while (at < spool_length(body));
    return TRUE;
}

gboolean
milter_changes_apply(SMFICTX *context, const MilterSession *session)
{
    const ChangeList *changes = milter_session_changes(session);
    Spool *body = milter_session_new_body(session);
    gboolean leading_space = milter_session_leading_space(session);
    gboolean done = TRUE;
    for (guint i = 0; changes != NULL && i < change_list_count(changes); i++)
        done &= tell(context, change_list_get(changes, i), leading_space) == MI_SUCCESS;
    if (body != NULL)
        done &= tell_body(context, body);
    return done;
}
