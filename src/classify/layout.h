/*
 * layout: what stands in the reports of MTAs that have no DSN part, or a useless one.
 *
 * A layout (data/layouts/, data/layouts/README) is a row of text: by what the report is known
 * (header, phrases of its text), what begins and ends the interesting part, how the line of a
 * recipient looks, and what is said about it. One scan over the text finds the layouts that could
 * be meant; the heaviest that finds a recipient reads it. Threads: any; a reading belongs to its
 * owner.
 */
#pragma once

#include "mail/mime_view.h"

typedef struct Layouts Layouts; /* compiled; immutable and counted by its classifier */

typedef enum {
    LAYOUT_FAILED,
    LAYOUT_DELAYED,
    LAYOUT_DELIVERED,
} LayoutVerdict;

typedef struct {
    char *recipient;  /* "" if the report does not say */
    char *text;       /* what was said: one line; "" if nothing */
    char *remote_mta; /* "" if it does not say */
    LayoutVerdict verdict;
} LayoutFinding;

typedef struct {
    const char *name;    /* "qmail"; constant */
    GPtrArray *findings; /* of LayoutFinding *; at least one */
} LayoutReading;

#define LAYOUT_MAX_FINDINGS 10000

/* NULL and an error that names the line at fault. */
Layouts *layouts_new(GError **error);
void layouts_free(Layouts *layouts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Layouts, layouts_free)

/* NULL: no layout that is known. Reads header and text parts (plain, html), not the original. */
LayoutReading *layout_read(const Layouts *layouts, const MimeView *view);
void layout_reading_free(LayoutReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutReading, layout_reading_free)
