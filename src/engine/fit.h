/*
 * fit: texts made to fit the wire.
 *
 * A reply line has at most 512 octets with code, status and CRLF (RFC 5321 section 4.5.3.1.5), in
 * printable 7-bit characters (UTF-8 where SMTPUTF8 is known); a reply has at most 32 lines of at
 * most 980 octets with '%' doubled, which is what libmilter takes. Lines are wrapped at words; a
 * URL is never broken: one that no line can hold is left out and said to be. Pure; threads: any.
 */
#pragma once

#include "engine/lint.h"

#define FIT_MAX_LINES       32
#define FIT_MAX_MILTER_TEXT 980

/* What annotation may add: lines, and octets with code, status and CRLF of each. */
#define FIT_MAX_ADDED_LINES  3
#define FIT_MAX_ADDED_OCTETS 400

typedef struct {
    gsize first; /* octets of text that line 1 may have */
    gsize other; /* and each other line */
} FitWidth;

/* What code and status leave; `context` (NULL: nothing known) says what Sendmail puts before the
 * text of line 1. */
FitWidth fit_width(guint code, EnhancedStatus status, const LintContext *context);

/*
 * One line of clean text: no CR, LF, control octets, format characters; blanks become spaces and
 * are trimmed. Without `smtputf8` letters become their nearest 7-bit ones, what has none '?'. The
 * caller frees it.
 */
char *fit_clean(const char *text, gboolean smtputf8);

/* A clean text in lines of at most this width: GPtrArray of char *, at least one. */
GPtrArray *fit_wrap(const char *text, FitWidth width);

/* Octets at the start of a text that were meant as an enhanced status and are none: "5.7.1234",
 * "5.07.1"; 0 if there are none. */
gsize fit_malformed_status(const char *text);

/*
 * Cleans, wraps and shortens the reply's lines in place, drops empty ones; code and status are
 * right already. A status that the text repeats is cut off. `context` and `findings` may be NULL.
 */
void fit_reply(SmtpReply *reply, const LintContext *context, GPtrArray *findings);

/*
 * Which of `lines` (GPtrArray of char *, clean) may be added to `reply`, whole or shortened at a
 * word: GPtrArray of char *. The last `kept` of them (help link, reference) are given room
 * first; a line with a URL is left out rather than shortened. The caller unrefs it.
 */
GPtrArray *fit_added_lines(const SmtpReply *reply, const GPtrArray *lines, guint kept);
