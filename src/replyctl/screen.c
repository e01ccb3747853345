/*
 * screen: text for people.
 */
#include "replyctl/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { WIDEST = 80, NARROWEST = 40 };

static const char *const styles[] = {
    [STYLE_PLAIN] = "",       [STYLE_HEADING] = "\033[1m", [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[31m", [STYLE_FAINT] = "\033[2m",
};

static gboolean
is_coloured(void)
{
    const char *refused = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (refused == NULL || refused[0] == '\0');
}

static guint
width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return CLAMP(size.ws_col, NARROWEST, WIDEST);
    return WIDEST;
}

static void
put_styled(ScreenStyle style, const char *text)
{
    if (style != STYLE_PLAIN && is_coloured())
        printf("%s%s\033[0m", styles[style], text);
    else
        fputs(text, stdout);
}

void
screen_heading(const char *format, ...)
{
    static gboolean printed;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = text_escape(raw);
    if (printed)
        putchar('\n');
    printed = TRUE;
    put_styled(STYLE_HEADING, line);
    putchar('\n');
}

/* Prints words from the column where the cursor is; later lines begin at `indent`. */
static void
put_wrapped(guint indent, const char *text)
{
    g_autofree char *escaped = text_escape(text);
    g_auto(GStrv) words = g_strsplit(escaped, " ", -1);
    gsize at = indent, limit = width();
    gboolean first = TRUE;
    for (char **word = words; *word != NULL; word++) {
        gsize letters = (gsize)g_utf8_strlen(*word, -1);
        if (letters == 0)
            continue;
        if (!first && at + 1 + letters > limit) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        fputs(*word, stdout);
        at += letters;
        first = FALSE;
    }
    putchar('\n');
}

void
screen_paragraph(guint indent, const char *text)
{
    printf("%*s", (int)indent, "");
    put_wrapped(indent, text);
}

void
screen_field(guint indent, guint column, const char *label, const char *text)
{
    gsize used = indent + strlen(label);
    printf("%*s", (int)indent, "");
    put_styled(STYLE_FAINT, label);
    /* A label that reaches into the text's column pushes the text by one space. */
    printf("%*s", used < column ? (int)(column - used) : 1, "");
    put_wrapped(column, text);
}

void
screen_line(ScreenStyle style, guint indent, const char *text)
{
    g_autofree char *line = text_escape(text);
    printf("%*s", (int)indent, "");
    put_styled(style, line);
    putchar('\n');
}
