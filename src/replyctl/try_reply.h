/*
 * try_reply: what becomes of somebody else's reply at a door, and why.
 */
#pragma once

#include "engine/decision.h"
#include "replyctl/try_options.h"

typedef struct {
    Door door;
    char *key;         /* what a table is asked; NULL: no table */
    char *answer;      /* what it answers; NULL: not found, or no table */
    Facts facts;       /* what the door knows */
    Decision decision; /* without `original`: this is no refusal */
    GPtrArray *trace;  /* of TraceStep: the rules up to the one that speaks; NULL: none was asked */
    const char *why_unchanged; /* NULL: it is changed */
} TryReply;

/* The policy must outlive it; the caller clears it. */
void try_reply_make(const Policy *policy, const TryOptions *options, TryReply *reply);
void try_reply_clear(TryReply *reply);
