/*
 * layout_text: the text of a report, as lines and as one folded text to look for phrases in.
 *
 * Read are the text parts before the original (HTML where there is no plain text). In the folded
 * text white space is one space, a blank line a line feed, and letters are plain (letter_fold):
 * phrases are found however the text was wrapped.
 *
 * Hostile input: of more than LAYOUT_TEXT_OCTETS or LAYOUT_TEXT_LINES (of several blank lines one
 * counts) the rest is left out. Memory is at most four times the text and 4 MiB, time linear.
 * Threads: any; a value belongs to its owner.
 */
#pragma once

#include "classify/line_pattern.h"
#include "mail/mime_view.h"

#define LAYOUT_TEXT_OCTETS (2 * 1024 * 1024)
#define LAYOUT_TEXT_LINES  100000

typedef struct {
    GString *text;
    char *lower;    /* the same with ASCII letters small */
    GArray *lines;  /* of Line, white space at their ends left out */
    GArray *places; /* of guint32: where each line begins in the folded text */
    GString *folded;
    gboolean truncated; /* there is more */
} LayoutText;

LayoutText *layout_text_new(const MimeView *view);

/* Takes the text. */
LayoutText *layout_text_take(GString *text);
void layout_text_free(LayoutText *text);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutText, layout_text_free)

const Line *layout_text_line(const LayoutText *text, guint index);

/* The index of the line in which the folded octet `at` stands. */
guint layout_text_line_at(const LayoutText *text, gsize at);
