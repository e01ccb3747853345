/*
 * netstring: "5:hello,": octets with their length before them and a comma behind.
 *
 * The decoder works on what a connection has buffered so far and keeps nothing between calls: it
 * is asked again when more has come. It is strict: decimal digits without leading zeros, a colon,
 * the payload, a comma; it says so at the first octet that cannot be right. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* Longest length field: "4294967295:". */
#define NETSTRING_HEAD_MAX 11

typedef enum {
    NETSTRING_MORE,   /* right so far, but not whole */
    NETSTRING_WHOLE,  /* payload, length and size are set */
    NETSTRING_BROKEN, /* nothing behind this can be read either */
} NetstringState;

typedef struct {
    const char *payload; /* points into what was decoded; no NUL behind it */
    gsize length;        /* octets of the payload */
    gsize size;          /* octets of the whole netstring; with NETSTRING_MORE, 0: not known yet */
} Netstring;

/*
 * Reads the netstring at the start of `data`. `limit`: the longest payload taken, at most
 * G_MAXUINT32. The error of NETSTRING_BROKEN names the octets at fault (REPLYMILTER_ERROR_PROTOCOL)
 * or the length (REPLYMILTER_ERROR_LIMIT).
 */
NetstringState netstring_decode(const char *data, gsize length, gsize limit, Netstring *found,
                                GError **error);

/* Appends `length` octets of `payload` (-1: up to the NUL) as a netstring. */
void netstring_append(GString *out, const char *payload, gssize length);
