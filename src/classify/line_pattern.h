/*
 * line_pattern: how a line of a report looks, "<{address}>: {text}", matched against lines.
 *
 * Text stands for itself, without regard to the case of ASCII letters; a space for one space or
 * tab or more. In braces stands what may vary:
 *
 *   {address}    user@domain, "quoted user"@domain, user@[192.0.2.1]
 *   {addresses}  several of them, and what separates them
 *   {user}       an address, or the name of a local user: no white space, no angle brackets
 *   {host}       a host name, an IP address, with or without square brackets
 *   {code}       the three digits of a reply, with the enhanced status if one follows
 *   {text}       anything, even nothing, up to the last place where the rest of the pattern begins
 *   {*}          anything, even nothing, up to the first place where the rest can begin
 *
 * The pattern must match the whole line, without white space at its ends. Time is linear in the
 * line: of several ways to match the leftmost is taken and nothing is tried twice. Patterns are
 * immutable. Threads: any.
 */
#pragma once

#include <glib.h>

/* A line without white space at its ends; both texts have this length, and need not end there. */
typedef struct {
    const char *text;
    const char *lower; /* the same with ASCII letters small */
    gsize length;
    gboolean indented; /* white space stood before it */
} Line;

/* Octets of a line that are looked at. */
#define LINE_OCTETS 2048

/* Octets that an address may have. */
#define LINE_ADDRESS_OCTETS 320

/* What stood for the last {...} of its kind: a place in the line; `start` is NULL if none did. */
typedef struct {
    const char *start;
    gsize length;
} LinePiece;

typedef struct {
    LinePiece address; /* or user, or addresses */
    LinePiece host;
    LinePiece code;
    LinePiece text;
    gboolean several; /* the address is {addresses} */
} LineMatch;

typedef struct LinePattern LinePattern;

/* NULL and an error that quotes the pattern. */
LinePattern *line_pattern_new(const char *pattern, GError **error);
void line_pattern_free(LinePattern *pattern);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LinePattern, line_pattern_free)

gboolean line_pattern_match(const LinePattern *pattern, const Line *line, LineMatch *match);

/* A copy with ASCII letters small. */
char *line_lower(const char *text, gsize length);

/* The first address in text[0, length); FALSE if there is none. */
gboolean line_address_find(const char *text, gsize length, LinePiece *address);
