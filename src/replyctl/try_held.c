/*
 * try_held: the message that is tried, as filters are shown it.
 */
#include "replyctl/try_held.h"

#include <string.h>

/* A line of the message: where it ends, and where the next one begins. */
static const char *
line_end(const char *line, const char *end, const char **next)
{
    const char *newline = memchr(line, '\n', (gsize)(end - line));
    *next = newline != NULL ? newline + 1 : end;
    if (newline == NULL)
        return end;
    return newline > line && newline[-1] == '\r' ? newline - 1 : newline;
}

static gboolean
continues(const char *line, const char *end)
{
    return line < end && (*line == ' ' || *line == '\t');
}

/* One header with its folded lines; NULL: none begins here. */
static const char *
add_header(HeldMessage *message, const char *line, const char *end)
{
    const char *next, *stop = line_end(line, end, &next);
    const char *colon = memchr(line, ':', (gsize)(stop - line));
    if (colon == NULL || colon == line)
        return NULL;
    g_autofree char *name = g_strndup(line, (gsize)(colon - line));
    g_autoptr(GString) value = g_string_new_len(colon + 1, stop - colon - 1);
    while (continues(next, end)) {
        const char *more = next;
        stop = line_end(more, end, &next);
        g_string_append_c(value, '\n');
        g_string_append_len(value, more, stop - more);
    }
    held_message_header(message, name, value->str);
    return next;
}

static void
add_body(HeldMessage *message, const char *line, const char *end)
{
    g_autoptr(GString) body = g_string_new(NULL);
    while (line < end) {
        const char *next, *stop = line_end(line, end, &next);
        g_string_append_len(body, line, stop - line);
        g_string_append(body, "\r\n");
        line = next;
    }
    held_message_body(message, body->str, body->len);
}

static void
add_whole(HeldMessage *message, const GString *whole)
{
    const char *line = whole->str, *end = whole->str + whole->len, *next;
    if (g_str_has_prefix(line, "From ")) { /* of an mbox */
        line_end(line, end, &next);
        line = next;
    }
    while (line < end && (next = add_header(message, line, end)) != NULL)
        line = next;
    if (line < end && line_end(line, end, &next) == line)
        line = next; /* the empty line */
    add_body(message, line, end);
}

HeldMessage *
try_held_new(const TryOptions *options, const Policy *policy)
{
    HeldMessage *message = held_message_new(policy_settings(policy)->limits.memory);
    for (char **header = options->headers; header != NULL && *header != NULL; header++)
        (void)add_header(message, *header, *header + strlen(*header));
    if (options->whole != NULL)
        add_whole(message, options->whole);
    return message;
}
