/*
 * screen: text for people: wrapped, labelled, coloured only on a terminal and not with NO_COLOR.
 *
 * At most 80 columns, fewer on a narrower terminal. What came from outside is escaped. Main thread.
 */
#pragma once

#include <glib.h>

typedef enum {
    STYLE_PLAIN,
    STYLE_HEADING, /* bold */
    STYLE_GOOD,    /* green */
    STYLE_BAD,     /* red */
    STYLE_FAINT,   /* dim */
} ScreenStyle;

/* A line of its own, an empty one before it unless it is the first. */
void screen_heading(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Wrapped at words, every line behind `indent` spaces. */
void screen_paragraph(guint indent, const char *text);

/* "  label   text", the text wrapped in its own column, which begins at `column`. */
void screen_field(guint indent, guint column, const char *label, const char *text);

/* One line in a style, escaped, not wrapped (replies, file lines). */
void screen_line(ScreenStyle style, guint indent, const char *text);
