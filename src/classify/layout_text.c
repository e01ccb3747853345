/*
 * layout_text: chooses a report's text parts, splits them into lines and folds them.
 */
#include "classify/layout_text.h"

#include <string.h>

#include "match/letter_fold.h"

/* ---- the text ------------------------------------------------------------------------------ */

static gboolean
is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* Adds the parts of this kind before the original; parts behind it if there are none before. FALSE:
 * not all of them. */
static gboolean
add_parts(GString *text, const MimeView *view, MimePartKind kind)
{
    for (guint i = 0; i < view->parts->len; i++) {
        const MimePart *part = g_ptr_array_index(view->parts, i);
        if (part->kind == MIME_PART_ORIGINAL && text->len > 0)
            return TRUE;
        if (part->kind != kind || is_blank(part->text))
            continue;
        gsize room = LAYOUT_TEXT_OCTETS - MIN(text->len, LAYOUT_TEXT_OCTETS);
        g_string_append_len(text, part->text, (gssize)MIN(part->length, room));
        if (part->length > room)
            return FALSE;
        g_string_append_c(text, '\n');
    }
    return TRUE;
}

LayoutText *
layout_text_new(const MimeView *view)
{
    GString *octets = g_string_new(NULL);
    gboolean whole = add_parts(octets, view, MIME_PART_TEXT);
    if (octets->len == 0)
        whole = add_parts(octets, view, MIME_PART_HTML);
    LayoutText *text = layout_text_take(octets);
    text->truncated = text->truncated || !whole;
    return text;
}

/* ---- folding ------------------------------------------------------------------------------- */

/* White space between words is one space, a line feed where a blank line is in it. */
static void
fold_gap(GString *folded, gboolean blank_line)
{
    if (folded->len == 0)
        return;
    char *last = &folded->str[folded->len - 1];
    if (*last == ' ' && blank_line)
        *last = '\n';
    else if (*last != ' ' && *last != '\n')
        g_string_append_c(folded, blank_line ? '\n' : ' ');
}

/* One letter that is not plain ASCII, or white space; the octets read. */
static gsize
fold_letter(GString *folded, const char *text, gsize length)
{
    char letters[LETTER_FOLD_SIZE] = " ";
    gsize count = 1, used = 1;
    if ((guchar)*text >= 0x80)
        used = letter_fold(text, length, letters, &count);
    if (count == 1 && letters[0] == ' ')
        fold_gap(folded, FALSE);
    else
        g_string_append_len(folded, letters, (gssize)count);
    return used;
}

static gboolean
is_plain(char octet)
{
    return (guchar)octet < 0x80 && !g_ascii_isspace(octet);
}

static void
fold_line(GString *folded, const Line *line)
{
    for (gsize i = 0; i < line->length;) {
        gsize start = i;
        while (i < line->length && is_plain(line->text[i]))
            i++;
        g_string_append_len(folded, line->text + start, (gssize)(i - start));
        if (i < line->length)
            i += fold_letter(folded, line->text + i, line->length - i);
    }
    fold_gap(folded, line->length == 0);
}

/* ---- lines --------------------------------------------------------------------------------- */

static void
add_line(LayoutText *text, gsize start, gsize end)
{
    const char *octets = text->text->str;
    gsize margin = start;
    while (start < end && g_ascii_isspace(octets[start]))
        start++;
    while (end > start && g_ascii_isspace(octets[end - 1]))
        end--;
    Line line = {octets + start, text->lower + start, end - start, start > margin};
    if (line.length == 0 && text->lines->len > 0 &&
        layout_text_line(text, text->lines->len - 1)->length == 0)
        return;
    guint32 place = (guint32)text->folded->len;
    g_array_append_val(text->lines, line);
    g_array_append_val(text->places, place);
    fold_line(text->folded, &line);
}

LayoutText *
layout_text_take(GString *octets)
{
    LayoutText *text = g_new0(LayoutText, 1);
    text->text = octets;
    text->lower = line_lower(octets->str, octets->len);
    text->lines = g_array_new(FALSE, FALSE, sizeof(Line));
    text->places = g_array_new(FALSE, FALSE, sizeof(guint32));
    text->folded = g_string_sized_new(octets->len + 1);
    gsize at = 0;
    while (at < octets->len && text->lines->len < LAYOUT_TEXT_LINES) {
        const char *end = memchr(octets->str + at, '\n', octets->len - at);
        gsize length = end != NULL ? (gsize)(end - octets->str) - at : octets->len - at;
        add_line(text, at, at + length);
        at += length + 1;
    }
    text->truncated = at < octets->len;
    return text;
}

void
layout_text_free(LayoutText *text)
{
    if (text == NULL)
        return;
    g_string_free(text->text, TRUE);
    g_free(text->lower);
    g_array_unref(text->lines);
    g_array_unref(text->places);
    g_string_free(text->folded, TRUE);
    g_free(text);
}

const Line *
layout_text_line(const LayoutText *text, guint index)
{
    return &g_array_index(text->lines, Line, index);
}

guint
layout_text_line_at(const LayoutText *text, gsize at)
{
    guint first = 0, end = text->places->len;
    while (end - first > 1) {
        guint middle = first + (end - first) / 2;
        if (g_array_index(text->places, guint32, middle) <= at)
            first = middle;
        else
            end = middle;
    }
    return first;
}
