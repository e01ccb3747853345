/*
 * columns: texts in columns of a terminal.
 */
#include "replyctl/columns.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/text.h"

guint
columns_of_terminal(int fd, guint otherwise)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

static gsize
letter_columns(const char *at)
{
    gunichar letter = g_utf8_get_char(at);
    return g_unichar_iszerowidth(letter) ? 0 : g_unichar_iswide(letter) ? 2 : 1;
}

gsize
columns_count(const char *text)
{
    gsize count = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        count += letter_columns(at);
    return count;
}

/* As much of the text as takes at most `width` columns. */
static gsize
append_within(GString *out, const char *text, gsize width)
{
    gsize used = 0;
    const char *at = text;
    while (*at != '\0' && used + letter_columns(at) <= width) {
        used += letter_columns(at);
        at = g_utf8_next_char(at);
    }
    g_string_append_len(out, text, at - text);
    return used;
}

/* Of a long text only as much is escaped as can be shown. */
static char *
escape_start(const char *text, gsize width)
{
    gsize most = width * 4 + 8; /* octets of so many letters */
    gsize length = strnlen(text, most);
    g_autofree char *start = g_strndup(text, length);
    return text_is_printable(start) ? g_steal_pointer(&start) : text_escape(start);
}

void
columns_append(GString *out, const char *text, gsize width, gboolean last)
{
    g_autofree char *escaped = escape_start(text, width);
    gsize wide = columns_count(escaped), used = wide;
    if (wide > width) {
        used = append_within(out, escaped, width - MIN(width, 2));
        g_string_append(out, "..");
        used += 2;
    } else {
        g_string_append(out, escaped);
    }
    for (; used < width && !last; used++)
        g_string_append_c(out, ' ');
}
