/*
 * forged_headers: which headers of a mail speak in our name, though we have not said that.
 */
#include "server/forged_headers.h"

#include "engine/report_headers.h"

/* At least as many as report_header_names() has. */
#define NAMES 8

struct ForgedHeaders {
    char *hostname;
    guint seen[NAMES]; /* of each name, whoever says it */
    GArray *found;     /* of ForgedHeader */
    gboolean too_many;
};

ForgedHeaders *
forged_headers_new(const char *hostname)
{
    ForgedHeaders *forged = g_new0(ForgedHeaders, 1);
    forged->hostname = g_strdup(hostname);
    forged->found = g_array_new(FALSE, FALSE, sizeof(ForgedHeader));
    return forged;
}

void
forged_headers_free(ForgedHeaders *forged)
{
    if (forged == NULL)
        return;
    g_array_unref(forged->found);
    g_free(forged->hostname);
    g_free(forged);
}

void
forged_headers_look(ForgedHeaders *forged, const char *name, const char *value)
{
    int which = report_header_find(name);
    if (which < 0)
        return;
    g_assert(which < NAMES);
    forged->seen[which]++;
    if (!report_header_is_from(value, forged->hostname))
        return;
    ForgedHeader header = {.name = report_header_names()[which], .index = forged->seen[which]};
    if (forged->found->len < FORGED_HEADERS_MAX)
        g_array_append_val(forged->found, header);
    else
        forged->too_many = TRUE;
}

guint
forged_headers_count(const ForgedHeaders *forged)
{
    return forged->found->len;
}

const ForgedHeader *
forged_headers_get(const ForgedHeaders *forged, guint index)
{
    g_assert(index < forged->found->len);
    return &g_array_index(forged->found, ForgedHeader, index);
}

gboolean
forged_headers_too_many(const ForgedHeaders *forged)
{
    return forged->too_many;
}
