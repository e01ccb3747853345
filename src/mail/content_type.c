/*
 * content_type: the Content-Type of a mail or part, read loosely.
 */
#include "mail/content_type.h"

#include <string.h>

#include <gmime/gmime.h>

static char *
lower_copy(const char *text)
{
    return text != NULL ? g_ascii_strdown(text, -1) : NULL;
}

void
content_type_read(ContentType *type, const char *field)
{
    *type = (ContentType){.type = NULL};
    /* "Content-Type: text" of old mail programs names no type. */
    if (field == NULL || strchr(field, '/') == NULL) {
        type->type = g_strdup("");
        return;
    }
    GMimeContentType *parsed = g_mime_content_type_parse(NULL, field);
    g_autofree char *whole = g_mime_content_type_get_mime_type(parsed);
    type->type = lower_copy(whole);
    type->boundary = g_strdup(g_mime_content_type_get_parameter(parsed, "boundary"));
    type->charset = g_strdup(g_mime_content_type_get_parameter(parsed, "charset"));
    type->report_type = lower_copy(g_mime_content_type_get_parameter(parsed, "report-type"));
    g_object_unref(parsed);
}

void
content_type_clear(ContentType *type)
{
    g_free(type->type);
    g_free(type->boundary);
    g_free(type->charset);
    g_free(type->report_type);
    *type = (ContentType){.type = NULL};
}

gboolean
content_type_is_multipart(const ContentType *type)
{
    return g_str_has_prefix(type->type, "multipart/");
}
