/*
 * input: what a command is given to read, bounded.
 */
#include "replyctl/input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static gboolean
is_stdin(const char *path)
{
    return strcmp(path, "-") == 0;
}

static void
replace_nul(GString *text)
{
    for (gsize i = 0; i < text->len; i++)
        if (text->str[i] == '\0')
            text->str[i] = ' ';
}

/* FALSE: `errno` says why, or is 0 where there is too much. */
static gboolean
read_all(FILE *file, gsize most, GString *text)
{
    char block[16384];
    gsize count;
    errno = 0;
    while (text->len <= most && (count = fread(block, 1, sizeof(block), file)) > 0)
        g_string_append_len(text, block, (gssize)count);
    if (ferror(file))
        return FALSE;
    errno = 0;
    return text->len <= most;
}

GString *
input_file(const char *path, gsize most, GError **error)
{
    const char *name = is_stdin(path) ? "standard input" : path;
    FILE *file = is_stdin(path) ? stdin : fopen(path, "re");
    g_autoptr(GString) text = g_string_new(NULL);
    gboolean whole = file != NULL && read_all(file, most, text);
    int fault = errno;
    if (file != NULL && file != stdin)
        fclose(file);
    if (whole) {
        replace_nul(text);
        return g_steal_pointer(&text);
    }
    if (fault != 0)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "%s: %s", name,
                    g_strerror(fault));
    else
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_LIMIT,
                    "%s: more than %" G_GSIZE_FORMAT " octets", name, most);
    return NULL;
}

/* What ends a file, or what `echo` writes, is not the reply's own. */
static void
drop_last_line_end(GString *text)
{
    if (text->len > 0 && text->str[text->len - 1] == '\n')
        g_string_truncate(text, text->len - 1);
    if (text->len > 0 && text->str[text->len - 1] == '\r')
        g_string_truncate(text, text->len - 1);
}

GString *
input_words_or_stdin(int argc, char **argv, GError **error)
{
    if (argc == 2 && is_stdin(argv[1])) {
        GString *text = input_file(argv[1], INPUT_REPLY_MAX, error);
        if (text != NULL)
            drop_last_line_end(text);
        return text;
    }
    g_autofree char *joined = g_strjoinv(" ", argv + 1);
    return g_string_new(joined);
}
