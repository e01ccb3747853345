/*
 * joins: which table lookup is about a refusal that the milter door saw, and the other way round.
 *
 * Keeps what was noted in the last ten seconds, at most JOINS_MAX notes: status, text, recipient,
 * id. The milter door is told the text without "<address>: " and without the reply code, a table's
 * key has both: the code is not compared, and a lookup's leading "<...>: " is left out. The
 * recipient is compared where both sides know it. A note joins exactly one of the other side, which
 * is then used up. Where there were two candidates nothing joins, then and until the notes that
 * were in doubt have expired. Each note costs O(1), whatever was noted before. A pthread mutex
 * inside; threads: any.
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"
#include "engine/facts.h"

#define JOIN_WINDOW_US (10 * G_USEC_PER_SEC)

/* Beyond it the oldest notes are forgotten early, and what they would have joined stays apart. */
#define JOINS_MAX 8192

typedef struct Joins Joins;

typedef enum {
    JOIN_OBSERVED, /* the milter door saw the MTA refuse a recipient */
    JOIN_LOOKUP,   /* a table was asked about a reply */
} JoinSide;

Joins *joins_new(void);
void joins_free(Joins *joins);

/*
 * Notes one side, and looks for the other: TRUE and the other's id if exactly one is there and not
 * yet joined. `original` is the reply as it was; `now_us` is the same clock's at each call. The
 * caller frees *joined_id, which is NULL where nothing joins.
 */
gboolean joins_note(Joins *joins, JoinSide side, const Facts *facts, const SmtpReply *original,
                    const char *id, gint64 now_us, char **joined_id);
