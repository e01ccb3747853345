/*
 * layout: which forms could be meant, and the first that finds somebody reads the report.
 */
#include "classify/layout.h"

#include <string.h>

#include "classify/layout_form.h"
#include "classify/layout_reader.h"
#include "classify/layout_sender.h"
#include "classify/layout_text.h"
#include "mail/json_lines.h"

struct Layouts {
    LayoutForms *forms;
};

Layouts *
layouts_new(GError **error)
{
    LayoutForms *forms = layout_forms_new(error);
    if (forms == NULL)
        return NULL;
    Layouts *layouts = g_new0(Layouts, 1);
    layouts->forms = forms;
    return layouts;
}

void
layouts_free(Layouts *layouts)
{
    if (layouts == NULL)
        return;
    layout_forms_free(layouts->forms);
    g_free(layouts);
}

guint
layouts_count(const Layouts *layouts)
{
    return layouts->forms->forms->len - 1;
}

const char *
layouts_name(const Layouts *layouts, guint index)
{
    return layout_form(layouts->forms, index + 1)->name;
}

gboolean
layouts_sender_is_system(const Layouts *layouts, const HeaderFields *header)
{
    g_autoptr(LayoutSender) sender = layout_sender_new(layouts->forms, header);
    return layout_sender_is_system(sender);
}

/* ---- one mail ------------------------------------------------------------------------------ */

/* A mail while it is being read. */
typedef struct {
    const LayoutForms *forms;
    const MimeView *view;
    LayoutSender *sender;
    gboolean system; /* a mail system has sent it */
    LayoutText *text;
    GArray *hits;   /* of PatternHit */
    gboolean guess; /* nobody is named: take what is likely */
    LayoutReading *reading;
} Search;

static gboolean
may_be_meant(const Search *search, guint index)
{
    const LayoutForm *form = layout_form(search->forms, index);
    return (search->system || form->any_sender) && layout_sender_fits(search->sender, form);
}

static gint
place_compare(gconstpointer a, gconstpointer b)
{
    const LayoutPlace *left = a, *right = b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return (left->section > right->section) - (left->section < right->section);
}

/* Where phrases of this form stand, and those of the common one that end the text. */
static GArray *
places_of(const LayoutForms *forms, const LayoutText *text, const GArray *hits, guint index)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(LayoutPlace));
    for (guint i = 0; i < hits->len; i++) {
        const PatternHit *hit = &g_array_index(hits, PatternHit, i);
        const LayoutPhrase *phrase = &g_array_index(forms->phrases, LayoutPhrase, hit->index);
        if (phrase->form != index && phrase->form != LAYOUT_FORM_COMMON)
            continue;
        LayoutPlace place = {phrase->section, layout_text_line_at(text, hit->start),
                             layout_text_line_at(text, hit->end - 1)};
        g_array_append_val(places, place);
    }
    g_array_sort(places, place_compare);
    return places;
}

static gboolean
form_is_known(const Search *search, guint index)
{
    const LayoutForm *form = layout_form(search->forms, index);
    gboolean known = FALSE, begun = FALSE, barred = FALSE;
    for (guint i = 0; i < search->hits->len; i++) {
        guint hit = g_array_index(search->hits, PatternHit, i).index;
        const LayoutPhrase *phrase = &g_array_index(search->forms->phrases, LayoutPhrase, hit);
        barred = barred || (phrase->form == index && phrase->section == LAYOUT_SECTION_UNLESS);
        if (phrase->form != index || phrase->section == LAYOUT_SECTION_END ||
            phrase->section == LAYOUT_SECTION_WARNING)
            continue;
        known = known || phrase->section == LAYOUT_SECTION_KNOWN || !form->has_known;
        begun = begun || phrase->section <= LAYOUT_SECTION_DELIVERED;
    }
    return !barred && (known || !form->has_phrases) && (begun || !form->has_sections);
}

/* The header of the original: that of its part, or the one quoted at the end of the text. */
static HeaderFields *
quoted_header(const LayoutForm *common, const LayoutText *text, const GArray *places)
{
    guint first = layout_reader_original_line(common, text, places);
    for (guint i = first; i < text->lines->len; i++) {
        const Line *line = layout_text_line(text, i);
        LineMatch match;
        if (!layout_form_match(common, LAYOUT_LINE_ORIGINAL, line, &match))
            continue;
        const char *end = text->text->str + text->text->len;
        return header_fields_parse(line->text, (gsize)(end - line->text), TRUE, NULL);
    }
    return NULL;
}

static const HeaderFields *
attached_header(const MimeView *view)
{
    const MimePart *part = mime_view_part(view, MIME_PART_ORIGINAL);
    return part != NULL ? part->original : NULL;
}

/* What a failure means in this text. */
static LayoutVerdict
verdict_of(const Search *search, const LayoutForm *form, const GArray *places)
{
    for (guint i = 0; i < places->len; i++)
        if (g_array_index(places, LayoutPlace, i).section == LAYOUT_SECTION_WARNING)
            return LAYOUT_DELAYED;
    return layout_sender_verdict(search->sender, form);
}

static gboolean
read_text(Search *search, guint index, const LayoutText *text, const GArray *hits)
{
    const LayoutForm *form = layout_form(search->forms, index);
    const LayoutForm *common = layout_form(search->forms, LAYOUT_FORM_COMMON);
    g_autoptr(GArray) places = places_of(search->forms, text, hits, index);
    g_autoptr(HeaderFields) quoted = quoted_header(common, text, places);
    const HeaderFields *attached = attached_header(search->view);
    const HeaderFields *header = search->view->header;
    LayoutSource source = {form,
                           common,
                           text,
                           places,
                           verdict_of(search, form, places),
                           header,
                           attached != NULL ? attached : quoted,
                           search->guess};
    gboolean truncated = text->truncated;
    GPtrArray *findings = layout_reader_read(&source, &truncated);
    if (findings == NULL)
        return FALSE;
    search->reading = g_new0(LayoutReading, 1);
    search->reading->name = form->name;
    search->reading->findings = findings;
    search->reading->original = g_steal_pointer(&quoted);
    search->reading->truncated = truncated;
    search->reading->only_if_clear = form->clear;
    return TRUE;
}

static gboolean
read_json(Search *search, guint index)
{
    GString *lines = json_lines_new(search->text->text->str, search->text->text->len);
    if (lines == NULL)
        return FALSE;
    g_autoptr(LayoutText) text = layout_text_take(lines);
    g_autoptr(GArray) hits = pattern_hits_new();
    pattern_set_scan(search->forms->set, text->folded->str, text->folded->len, hits);
    return read_text(search, index, text, hits);
}

static void
read_form(Search *search, guint index)
{
    const LayoutForm *form = layout_form(search->forms, index);
    if (search->guess && !form->nameless && form->fallbacks->len == 0)
        return;
    if (!form_is_known(search, index) || !may_be_meant(search, index))
        return;
    if (form->json)
        read_json(search, index);
    else
        read_text(search, index, search->text, search->hits);
}

/* Could any form be meant, before the text is looked at? */
static gboolean
is_worth_it(const Search *search)
{
    for (guint i = 1; !search->system && i < search->forms->forms->len; i++)
        if (may_be_meant(search, i))
            return TRUE;
    return search->system;
}

static void
search_text(Search *search)
{
    search->text = layout_text_new(search->view);
    search->hits = pattern_hits_new();
    pattern_set_scan(search->forms->set, search->text->folded->str, search->text->folded->len,
                     search->hits);
    for (guint i = 1; i < search->forms->forms->len && search->reading == NULL; i++)
        read_form(search, i);
    search->guess = TRUE;
    for (guint i = 1; i < search->forms->forms->len && search->reading == NULL; i++)
        read_form(search, i);
    g_array_unref(search->hits);
    layout_text_free(search->text);
}

LayoutReading *
layout_read(const Layouts *layouts, const MimeView *view)
{
    g_autoptr(LayoutSender) sender = layout_sender_new(layouts->forms, view->header);
    Search search = {.forms = layouts->forms, .view = view, .sender = sender};
    search.system = layout_sender_is_system(sender);
    if (is_worth_it(&search))
        search_text(&search);
    return search.reading;
}

void
layout_reading_free(LayoutReading *reading)
{
    if (reading == NULL)
        return;
    g_ptr_array_unref(reading->findings);
    header_fields_free(reading->original);
    g_free(reading);
}
