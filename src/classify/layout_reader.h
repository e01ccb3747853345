/*
 * layout_reader: a report's text, read by one form -> findings.
 *
 * Line by line: where the form's phrases stand, a section begins; in a section of recipients the
 * form's patterns tell who they are, and which lines say why. Pure. Threads: any.
 */
#pragma once

#include "classify/layout.h"
#include "classify/layout_form.h"
#include "classify/layout_text.h"

/* Where a phrase stands: lines first to last, both included. */
typedef struct {
    LayoutSection section;
    guint first, last;
} LayoutPlace;

typedef struct {
    const LayoutForm *form;
    const LayoutForm *common;
    const LayoutText *text;
    const GArray *places;       /* of LayoutPlace: of this form and of the common one, by `first` */
    LayoutVerdict failed;       /* what LAYOUT_SECTION_FAILED means here */
    const HeaderFields *header; /* of the mail */
    const HeaderFields *original; /* of the original; NULL: none */
    gboolean guess; /* where no line and no field names anybody, take what is likely */
} LayoutSource;

/* LayoutFinding *, at least one; or NULL. The caller owns it. `*truncated` becomes TRUE if there
 * are more than are read, and is left alone otherwise. */
GPtrArray *layout_reader_read(const LayoutSource *source, gboolean *truncated);

/* The index of the line at which the original begins; the count of lines if none is quoted. */
guint layout_reader_original_line(const LayoutForm *common, const LayoutText *text,
                                  const GArray *places);
