/*
 * event: what happened to one reply or recipient, as one JSON object (doc/events.md, "v": 1).
 *
 * An Event is built from a decision and its facts and serialised once. Privacy settings are applied
 * to every field while it is built, texts and evidence included. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "engine/decision.h"
#include "engine/facts.h"

/* 26 characters: time and chance; the same in the log line, in `joins` and in the store. */
#define EVENT_ID_SIZE 27

typedef struct {
    const char *id;    /* of this event, from event_id() */
    const char *joins; /* id of the event that it repeats; NULL: none */
    gint64 now_us;
} EventMark;

/* Writes a new id from the time and 64 random bits; ids sort by time. */
const char *event_id(gint64 now_us, guint64 random, char buffer[EVENT_ID_SIZE]);

/* The line without its newline, at most EVENT_LINE_MAX octets, 7-bit ASCII. The caller frees it. */
#define EVENT_LINE_MAX 32768
char *event_line(const Policy *policy, const Facts *facts, const Decision *decision,
                 const EventMark *mark);
