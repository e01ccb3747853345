/*
 * delivery_status: the enhanced status that an outbound failure should have.
 */
#include "engine/delivery_status.h"

#include <string.h>

#include "catalog/catalog.h"

/* "Other or undefined": X.0.0, X.3.0, X.7.0. */
static gboolean
is_generic(EnhancedStatus status)
{
    return status.detail == 0;
}

/* Is the category among what the status can mean? */
static gboolean
agrees(EnhancedStatus status, Category category)
{
    const CatalogStatus *entry = catalog_status(status);
    if (entry == NULL || entry->reading_count == 0)
        return TRUE;
    for (guint i = 0; i < entry->reading_count; i++)
        if (entry->readings[i].category == category)
            return TRUE;
    return FALSE;
}

static gboolean
comes_from_text(const Classification *cause)
{
    return cause->match != NULL && strcmp(cause->rule, "status") != 0 &&
           strcmp(cause->rule, "code") != 0 && strcmp(cause->rule, "digit") != 0;
}

static gboolean
is_better(EnhancedStatus known, EnhancedStatus given, const Classification *cause)
{
    if (cause->category == CATEGORY_UNCLASSIFIED || cause->confidence < CONFIDENCE_MEDIUM ||
        !comes_from_text(cause))
        return FALSE;
    if (is_generic(given))
        return !is_generic(known) || given.subject == 0;
    return cause->confidence == CONFIDENCE_HIGH && known.subject != given.subject &&
           !agrees(given, cause->category);
}

EnhancedStatus
delivery_status_for(EnhancedStatus given, EnhancedStatus remote, const Classification *cause)
{
    EnhancedStatus known =
        enhanced_status_with_class(category_info(cause->category)->status, given.class);
    if (is_better(known, given, cause))
        return known;
    gboolean remote_says_more = enhanced_status_is_set(remote) && remote.class == given.class &&
                                is_generic(given) && !is_generic(remote);
    return catalog_status_instead(remote_says_more ? remote : given);
}
