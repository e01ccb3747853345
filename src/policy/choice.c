/*
 * choice: one of a few words.
 */
#include "policy/choice.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

int
choice_find(const char *what, const char *text, const char *const *choices, GError **error)
{
    for (int i = 0; choices[i] != NULL; i++)
        if (strcmp(choices[i], text) == 0)
            return i;
    const char *nearest = text_nearest(text, choices);
    g_autofree char *all = g_strjoinv(", ", (char **)choices);
    if (nearest != NULL)
        error_fail(error, REPLYMILTER_ERROR_CONFIG, "unknown %s \"%s\": did you mean \"%s\"? (%s)",
                   what, text, nearest, all);
    else
        error_fail(error, REPLYMILTER_ERROR_CONFIG, "unknown %s \"%s\": it can be one of %s", what,
                   text, all);
    return -1;
}
