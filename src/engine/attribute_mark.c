/*
 * attribute_mark: where Postfix is to put an attribute of its own into an answer.
 */
#include "engine/attribute_mark.h"

#include <string.h>

char *
attribute_mark_new(const char *name)
{
    return g_strdup_printf("%c%s%c", ATTRIBUTE_MARK, name, ATTRIBUTE_MARK);
}

/* A name that a letter follows needs braces. */
static const char *
append_name(GString *out, const char *mark, gboolean braces)
{
    const char *name = mark + 1, *end = strchr(name, ATTRIBUTE_MARK);
    if (end == NULL)
        end = name + strlen(name);
    const char *rest = *end == '\0' ? end : end + 1;
    gboolean joined = braces && (g_ascii_isalnum(*rest) || *rest == '_');
    g_string_append(out, joined ? "${" : "$");
    g_string_append_len(out, name, end - name);
    if (joined)
        g_string_append_c(out, '}');
    return rest;
}

static char *
translate(const char *text, gboolean for_postfix)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    while (*text != '\0') {
        if (*text == ATTRIBUTE_MARK) {
            text = append_name(out, text, for_postfix);
            continue;
        }
        if (*text == '$' && for_postfix)
            g_string_append_c(out, '$');
        g_string_append_c(out, *text++);
    }
    return g_string_free(out, FALSE);
}

char *
attribute_mark_show(const char *text)
{
    return translate(text, FALSE);
}

char *
attribute_mark_encode(const char *text)
{
    return translate(text, TRUE);
}
