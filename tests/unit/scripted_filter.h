/*
 * scripted_filter: a filter on a socket, on threads of its own, that does what a test tells it.
 *
 * It answers CONTINUE to all that is to be answered, but for what its rules say. What it is told it
 * writes down, a line each: "C mx.example.org 4 25 192.0.2.1", "H helo", "M <a@example.org>
 * SIZE=1", "R <b@example.org>", "T", "L Subject: x", "N", "B text" ("B 65535" of a long piece),
 * "E", "A", "Q", "U line", and with `notes_macros` "D M i=42".
 */
#pragma once

#include <glib.h>

#include "wire/milter_negotiation.h"

typedef enum {
    SCRIPT_GO_ON,
    SCRIPT_CLOSE,
    SCRIPT_HANG, /* reads, and says nothing more */
    SCRIPT_DEAF, /* reads nothing more either, until it is stopped */
} ScriptThen;

/*
 * `answers`: packets between newlines, each its code and data, where "|" is a NUL and the last NUL
 * is put there: "y550 5.7.1 no", "hX-Name|value", "m1|Subject|", "+<a@example.org>", "bBody". NULL:
 * none.
 */
typedef struct {
    char command;        /* MILTER_COMMAND_*; 0 ends the rules */
    guint nth;           /* of this command on the connection, from 1; 0: each */
    const char *answers; /* instead of CONTINUE */
    ScriptThen then;
    gsize cut;        /* octets left out at the end of the answers */
    const char *raw;  /* octets behind the answers */
    gsize raw_length; /* of them */
    guint pause_ms;   /* before each answer */
} ScriptRule;

typedef struct {
    guint32 version; /* 0: 6 */
    guint32 actions, steps;
    const char *macros[MILTER_STAGES];
    const ScriptRule *rules; /* NULL: none */
    gboolean notes_macros;
    gboolean tcp;  /* on 127.0.0.1 */
    guint backlog; /* 0: long */
    guint late_ms; /* before it takes its first connection */
    gboolean mute; /* listens, and never takes a connection */
} Script;

typedef struct ScriptedFilter ScriptedFilter;

/* `script` must outlive it. */
ScriptedFilter *scripted_filter_start(const Script *script);

/* As in a policy: "unix:/path". */
const char *scripted_filter_socket(const ScriptedFilter *filter);

/* Connections that were taken so far. */
guint scripted_filter_connections(ScriptedFilter *filter);

/* Waits until every connection is over, and gives what was written down; the caller frees it. */
char *scripted_filter_stop(ScriptedFilter *filter);

/* The octets of answers in the form above. */
GString *scripted_octets(const char *answers);
