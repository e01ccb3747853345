/*
 * input: what a command is given to read.
 */
#include "replyctl/input.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { MAX_STDIN = 1024 * 1024 };

static GString *
read_stdin(GError **error)
{
    GString *text = g_string_new(NULL);
    char block[4096];
    gsize count;
    while ((count = fread(block, 1, sizeof(block), stdin)) > 0 && text->len <= MAX_STDIN)
        g_string_append_len(text, block, (gssize)count);
    if (!ferror(stdin) && text->len <= MAX_STDIN)
        return text;
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "standard input %s",
                ferror(stdin) ? "cannot be read" : "is longer than a reply can be");
    g_string_free(text, TRUE);
    return NULL;
}

GString *
input_words_or_stdin(int argc, char **argv, GError **error)
{
    if (argc == 2 && strcmp(argv[1], "-") == 0)
        return read_stdin(error);
    g_autofree char *joined = g_strjoinv(" ", argv + 1);
    return g_string_new(joined);
}
