/*
 * content_type: the Content-Type of a mail or part, read loosely.
 */
#include "mail/content_type.h"

#include <string.h>

#include <gmime/gmime.h>

/* The first word, in lower case: a ';' may be missing behind it. NULL for NULL. */
static char *
word_copy(const char *text)
{
    return text != NULL ? g_ascii_strdown(text, (gssize)strcspn(text, " \t;,(")) : NULL;
}

/* GMime keeps a quote that nothing closes. */
static char *
boundary_copy(const char *text)
{
    return g_strdup(text != NULL && text[0] == '"' ? text + 1 : text);
}

/* "Content-Type: text" of old mail programs names no type, nor does "text/". */
static gboolean
names_type(const char *field)
{
    const char *slash = field != NULL ? strchr(field, '/') : NULL;
    return slash != NULL && slash > field && slash[1 + strspn(slash + 1, " \t;\"")] != '\0';
}

void
content_type_read(ContentType *type, const char *field)
{
    *type = (ContentType){.type = NULL};
    if (!names_type(field)) {
        type->type = g_strdup("");
        return;
    }
    GMimeContentType *parsed = g_mime_content_type_parse(NULL, field);
    g_autofree char *whole = g_mime_content_type_get_mime_type(parsed);
    type->type = g_ascii_strdown(whole, -1);
    type->boundary = boundary_copy(g_mime_content_type_get_parameter(parsed, "boundary"));
    type->charset = word_copy(g_mime_content_type_get_parameter(parsed, "charset"));
    type->report_type = word_copy(g_mime_content_type_get_parameter(parsed, "report-type"));
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
