/*
 * screen: text for people.
 */
#include "replyctl/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "replyctl/columns.h"

enum { WIDEST = 80, NARROWEST = 40 };

static const char *const styles[] = {
    [STYLE_PLAIN] = "",       [STYLE_HEADING] = "\033[1m", [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[31m", [STYLE_FAINT] = "\033[2m",
};

static gboolean
is_coloured(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (refused == NULL || refused[0] == '\0') &&
           g_strcmp0(terminal, "dumb") != 0;
}

static gsize
width(void)
{
    return CLAMP(columns_of_terminal(STDOUT_FILENO, WIDEST), NARROWEST, WIDEST);
}

static void
style_begin(ScreenStyle style)
{
    if (style != STYLE_PLAIN && is_coloured())
        fputs(styles[style], stdout);
}

static void
style_end(ScreenStyle style)
{
    if (style != STYLE_PLAIN && is_coloured())
        fputs("\033[0m", stdout);
}

/* Printable text stands as it is, so that a pattern or a template reads as it was written. */
static char *
harmless(const char *text)
{
    return text_is_printable(text) ? g_strdup(text) : text_escape(text);
}

/* Prints words from column `at`, where the cursor is; later lines begin at `indent`. */
static void
put_words(gsize at, guint indent, const char *text)
{
    g_autofree char *escaped = harmless(text);
    g_auto(GStrv) words = g_strsplit(escaped, " ", -1);
    gsize limit = width();
    gboolean first = TRUE;
    for (char **word = words; *word != NULL; word++) {
        gsize wide = columns_count(*word);
        if (wide == 0)
            continue;
        if (!first && at + 1 + wide > limit) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        fputs(*word, stdout);
        at += wide;
        first = FALSE;
    }
}

static void
put_wrapped(ScreenStyle style, gsize at, guint indent, const char *text)
{
    style_begin(style);
    put_words(at, indent, text);
    style_end(style);
    putchar('\n');
}

void
screen_heading(const char *format, ...)
{
    static gboolean printed;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (printed)
        putchar('\n');
    printed = TRUE;
    put_wrapped(STYLE_HEADING, 0, SCREEN_INDENT, text);
}

void
screen_paragraph(ScreenStyle style, guint indent, const char *text)
{
    printf("%*s", (int)indent, "");
    put_wrapped(style, indent, indent, text);
}

void
screen_field(guint indent, guint column, const char *label, const char *text)
{
    g_autofree char *escaped = text_escape(label);
    gsize used = indent + columns_count(escaped);
    /* A label that reaches into the text's column pushes the text by one space. */
    gsize gap = used < column ? column - used : 1;
    printf("%*s", (int)indent, "");
    style_begin(STYLE_FAINT);
    fputs(escaped, stdout);
    style_end(STYLE_FAINT);
    printf("%*s", (int)gap, "");
    put_wrapped(STYLE_PLAIN, used + gap, column, text);
}

void
screen_labelled(const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0')
        screen_field(SCREEN_INDENT, SCREEN_COLUMN, label, text);
}

void
screen_labelledf(const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    screen_labelled(label, text);
}

char *
screen_time(const char *text, const char *format)
{
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, NULL) : NULL;
    g_autoptr(GDateTime) local = time != NULL ? g_date_time_to_local(time) : NULL;
    return local != NULL ? g_date_time_format(local, format) : g_strdup(text != NULL ? text : "-");
}

/* Octets of "550-5.1.1 " at the start of a line of the wire. */
static guint
marks_length(const char *line)
{
    guint length = (guint)strspn(line, "0123456789");
    if (line[length] == ' ' || line[length] == '-')
        length++;
    EnhancedStatus status;
    gsize taken = enhanced_status_scan(line + length, &status);
    if (taken > 0)
        length += (guint)taken + (line[length + taken] == ' ' ? 1 : 0);
    return length;
}

void
screen_reply(ScreenStyle style, guint indent, const SmtpReply *reply)
{
    g_autofree char *wire = smtp_reply_to_wire(reply);
    g_auto(GStrv) lines = g_strsplit(wire, "\r\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        printf("%*s", (int)indent, "");
        put_wrapped(style, indent, indent + marks_length(*line), *line);
    }
}
