/*
 * milter_changes: what is to be done to a message, told to the MTA through libmilter.
 *
 * Only within the callback for the end of a message, once.
 */
#pragma once

#include <libmilter/mfapi.h>

#include "server/milter_session.h"

/* In their order, the body last. FALSE: not all of it was taken. */
gboolean milter_changes_apply(SMFICTX *context, const MilterSession *session);
