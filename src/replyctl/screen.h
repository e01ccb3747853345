/*
 * screen: text for people: wrapped, labelled, coloured only on a terminal and not with NO_COLOR.
 *
 * At most 80 columns, fewer on a narrower terminal; a word that is longer, such as a URL, is never
 * broken. What came from outside is escaped: no octet of it can steer the terminal. Main thread.
 */
#pragma once

#include <glib.h>

#include "mail/smtp_reply.h"

typedef enum {
    STYLE_PLAIN,
    STYLE_HEADING, /* bold */
    STYLE_GOOD,    /* green */
    STYLE_BAD,     /* red */
    STYLE_FAINT,   /* dim */
} ScreenStyle;

/* Where most labels and the texts behind them begin. */
enum { SCREEN_INDENT = 2, SCREEN_COLUMN = 16 };

/* Paragraphs of their own, wrapped, an empty line before each unless it is the first. */
void screen_heading(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Wrapped at words, every line behind `indent` spaces. */
void screen_paragraph(ScreenStyle style, guint indent, const char *text);

/* "  label   text", the text wrapped in its own column, which begins at `column`. */
void screen_field(guint indent, guint column, const char *label, const char *text);

/* The same in the usual columns; nothing where there is no text. */
void screen_labelled(const char *label, const char *text);
void screen_labelledf(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* An RFC 3339 time as the clock on the wall of this host has it; as it came if it cannot be read,
 * "-" for NULL. `format`: of g_date_time_format(). The caller frees it. */
char *screen_time(const char *time, const char *format);

/* The reply as the client gets it: a line of the wire begins with its code, what is wrapped stands
 * below its text. `bare`: as it was written, codes that differ or lack included. */
void screen_reply(ScreenStyle style, guint indent, const SmtpReply *reply);
