/*
 * layout_form: the rows of data/layouts/ (data/layouts/README), compiled.
 *
 * scripts/generate-layouts makes one table of rows; here each layout becomes a form: what must
 * stand in the header, how its lines look, and which phrases belong to it. The phrases of all
 * layouts are one pattern set. Immutable once made. Threads: any.
 */
#pragma once

#include <glib.h>

#include "classify/layout.h"
#include "classify/line_pattern.h"
#include "match/pattern_set.h"

/* What a stretch of a report's text is. */
typedef enum {
    LAYOUT_SECTION_FAILED, /* recipients, with the verdict on them */
    LAYOUT_SECTION_DELAYED,
    LAYOUT_SECTION_DELIVERED,
    LAYOUT_SECTION_TRANSCRIPT, /* of the session: no new recipients */
    LAYOUT_SECTION_NOTHING,    /* not read */
    LAYOUT_SECTION_END,        /* what follows is the original */
    LAYOUT_SECTION_KNOWN,      /* no stretch: a phrase by which the layout is known */
    LAYOUT_SECTION_WARNING,    /* no stretch: what the text calls failed is delayed */
    LAYOUT_SECTION_UNLESS,     /* no stretch: the text is not for this layout */
} LayoutSection;

/* Which lines below a recipient say why. */
typedef enum {
    LAYOUT_WHY_PARAGRAPH, /* up to a blank line */
    LAYOUT_WHY_NEXT,      /* blank lines first, then the same */
    LAYOUT_WHY_REST,      /* all, up to the next recipient or section */
    LAYOUT_WHY_ALL,       /* the same, and those of the sections' phrases */
    LAYOUT_WHY_LINE,      /* none: only what patterns name */
} LayoutWhy;

/* A recipient who is named a second time. */
typedef enum {
    LAYOUT_AGAIN_KEEP,    /* is the same; its first text stays */
    LAYOUT_AGAIN_REPLACE, /* is the same; its last text counts */
    LAYOUT_AGAIN_NEW,     /* is told of on its own */
} LayoutAgain;

typedef enum {
    LAYOUT_LINE_RECIPIENT, /* names a recipient, and perhaps says why */
    LAYOUT_LINE_HEADING,   /* the same, where a section's phrase stands */
    LAYOUT_LINE_TEXT,      /* says why */
    LAYOUT_LINE_REPLY,     /* the remote host's own words: they count instead of all others */
    LAYOUT_LINE_HOST,      /* names the remote host */
    LAYOUT_LINE_CURRENT,   /* of a transcript: tells of whom the next lines speak */
    LAYOUT_LINE_ACTUAL,    /* another address of the recipient, which counts */
    LAYOUT_LINE_HIDDEN,    /* a recipient whose address is not told; */
    LAYOUT_LINE_ALIAS,     /* but what was expanded to it is */
    LAYOUT_LINE_SKIP,      /* says nothing */
    LAYOUT_LINE_STOP,      /* ends the section */
    LAYOUT_LINE_ORIGINAL,  /* common: a field of the original's header, which begins there */
    LAYOUT_LINE_COUNT
} LayoutLineKind;

typedef enum {
    LAYOUT_FIELD_NEEDED, /* one of those with this name must match */
    LAYOUT_FIELD_FAILED, /* tells the verdict */
    LAYOUT_FIELD_DELAYED,
    LAYOUT_FIELD_DELIVERED,
    LAYOUT_FIELD_STRONG,  /* common: written by mail systems alone */
    LAYOUT_FIELD_WEAK,    /* common: written by mail systems, and by people */
    LAYOUT_FIELD_SIGN,    /* common: words of a report */
    LAYOUT_FIELD_BOUNCES, /* common: was sent to an address that takes reports alone */
    LAYOUT_FIELD_MANAGER, /* common: was sent to one that takes the reports of a list */
    LAYOUT_FIELD_AGAINST, /* common: not a report, whatever else */
    LAYOUT_FIELD_ANSWER,  /* common: the same, but where it went to the address for reports */
    LAYOUT_FIELD_LIST     /* common: the same, but where it went to such an address of a list */
} LayoutFieldKind;

typedef struct {
    LayoutFieldKind kind;
    guint name; /* of the header field: index in the forms' names */
    LinePattern *pattern;
} LayoutField;

typedef struct {
    const char *name;
    guint weight;
    gboolean any_sender; /* known by its header; else a mail system must have sent the mail */
    gboolean json;       /* the text is JSON: read as "path: value" lines (json_lines.h) */
    gboolean nameless;   /* read even where nothing tells a recipient */
    gboolean clear;      /* counts only if what it says of a recipient is clear */
    gboolean has_phrases;
    gboolean has_known; /* phrases of its own by which it is known; else any of them */
    gboolean has_sections;
    LayoutWhy why;
    LayoutAgain again;
    LayoutVerdict verdict;               /* what it tells where nothing tells it otherwise */
    GArray *fields;                      /* of LayoutField */
    GPtrArray *lines[LAYOUT_LINE_COUNT]; /* of LinePattern * */
    GPtrArray *fallbacks;                /* of const char *: header fields, or "original" */
    const char *local; /* header field whose domain a bare local part has; NULL: not known */
} LayoutForm;

/* What a phrase of the pattern set means. */
typedef struct {
    guint form; /* index in the forms */
    LayoutSection section;
} LayoutPhrase;

typedef struct {
    GPtrArray *forms;       /* of LayoutForm *; the first is "common", the others by weight */
    GPtrArray *field_names; /* of const char *: each once */
    GArray *phrases;        /* of LayoutPhrase: in the order of the set */
    PatternSet *set;
} LayoutForms;

/* NULL and an error that names the line at fault. */
LayoutForms *layout_forms_new(GError **error);
void layout_forms_free(LayoutForms *forms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LayoutForms, layout_forms_free)

const LayoutForm *layout_form(const LayoutForms *forms, guint index);
#define LAYOUT_FORM_COMMON 0

/* Does one of the form's patterns of this kind match the line? */
gboolean layout_form_match(const LayoutForm *form, LayoutLineKind kind, const Line *line,
                           LineMatch *match);
