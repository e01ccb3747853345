/*
 * joins: which table lookup is about a refusal that the milter door saw, and the other way round.
 *
 * Keeps the last ten seconds (bounded): status, text, recipient, id. A lookup joins exactly one;
 * with two candidates there is no join. Either order. A pthread mutex inside; threads: any.
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"
#include "engine/facts.h"

#define JOIN_WINDOW_US (10 * G_USEC_PER_SEC)

typedef struct Joins Joins;

typedef enum {
    JOIN_OBSERVED, /* the milter door saw the MTA refuse a recipient */
    JOIN_LOOKUP,   /* a table was asked about a reply */
} JoinSide;

Joins *joins_new(void);
void joins_free(Joins *joins);

/*
 * Notes one side, and looks for the other: TRUE and the other's id if exactly one is there and not
 * yet joined. `original` is the reply as it was.
 */
gboolean joins_note(Joins *joins, JoinSide side, const Facts *facts, const SmtpReply *original,
                    const char *id, gint64 now_us, char **joined_id);
