/*
 * try_message: the headers and the size of a message in a file, as a milter sees them.
 */
#include "replyctl/try_message.h"

#include <string.h>

#include "replyctl/input.h"

static gboolean
is_mbox_mark(const char *line)
{
    return g_str_has_prefix(line, "From ");
}

/* A line that begins with white space continues the header above it. */
static void
add_header_line(GPtrArray *headers, guint first, const char *line)
{
    gboolean continues = line[0] == ' ' || line[0] == '\t';
    const char *colon = strchr(line, ':');
    if (continues && headers->len > first) {
        char **last = (char **)&g_ptr_array_index(headers, headers->len - 1);
        char *both = g_strconcat(*last, "\n", line, NULL);
        g_free(*last);
        *last = both;
    } else if (colon != NULL) {
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        g_ptr_array_add(headers, g_strdup_printf("%.*s: %s", (int)(colon - line), line, value));
    }
}

gboolean
try_message_read(const char *path, GPtrArray *headers, gint64 *size, GString **whole,
                 GError **error)
{
    g_autoptr(GString) text = input_file(path, INPUT_MESSAGE_MAX, error);
    if (text == NULL)
        return FALSE;
    *whole = g_string_new_len(text->str, (gssize)text->len);
    gboolean in_headers = TRUE;
    guint first = headers->len;
    *size = 0;
    for (char *line = text->str; *line != '\0';) {
        char *end = strchrnul(line, '\n'), *next = *end == '\n' ? end + 1 : end;
        if (end > line && end[-1] == '\r')
            end--;
        gsize length = (gsize)(end - line);
        *end = '\0';
        if (line != text->str || !is_mbox_mark(line)) {
            *size += (gint64)length + 2;
            in_headers = in_headers && length > 0;
            if (in_headers)
                add_header_line(headers, first, line);
        }
        line = next;
    }
    return TRUE;
}
