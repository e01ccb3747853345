/*
 * layout: what stands in the reports of MTAs that have no DSN part, or a useless one.
 *
 * A layout (data/layouts/, data/layouts/README) is a few rows of text: by what the report is known
 * (header, phrases of its text), what begins and ends the interesting part, how the line of a
 * recipient looks, and which lines say why. One scan over the text finds the layouts that could be
 * meant; the heaviest that finds a recipient reads it. A mail that no mail system has sent is
 * never read, whatever it quotes.
 *
 * Hostile input: time is linear in the text, of which LAYOUT_TEXT_OCTETS are read; at most
 * LAYOUT_MAX_FINDINGS of 2000 octets of text each. Threads: any; a reading belongs to its owner.
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
    const char *name;       /* "qmail"; constant */
    GPtrArray *findings;    /* of LayoutFinding *; at least one */
    HeaderFields *original; /* header of an original that the text quotes; NULL: it quotes none */
    gboolean only_if_clear; /* no words of a report were found: the reasons must tell */
    gboolean truncated;     /* not all of the text was read, or there are more findings */
} LayoutReading;

#define LAYOUT_MAX_FINDINGS 10000

/* NULL and an error that names the line at fault. */
Layouts *layouts_new(GError **error);
void layouts_free(Layouts *layouts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Layouts, layouts_free)

guint layouts_count(const Layouts *layouts);
const char *layouts_name(const Layouts *layouts, guint index);

/* Has a mail system sent the mail, as far as its header says (classify/layout_sender.h)? */
gboolean layouts_sender_is_system(const Layouts *layouts, const HeaderFields *header);

/* NULL: no layout that is known. Reads header and text parts (plain, html), not the original. */
LayoutReading *layout_read(const Layouts *layouts, const MimeView *view);
void layout_reading_free(LayoutReading *reading);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutReading, layout_reading_free)
