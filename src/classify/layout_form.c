/*
 * layout_form: makes forms and one pattern set of the generated rows.
 */
#include "classify/layout_form.h"

#include <string.h>

#include "classify/compiled_patterns.h"

typedef enum {
    ROW_LAYOUT,   /* text: the name; value: the weight */
    ROW_FIELD,    /* value: LayoutFieldKind */
    ROW_LINE,     /* value: LayoutLineKind */
    ROW_PHRASE,   /* value: LayoutSection */
    ROW_WHY,      /* value: LayoutWhy */
    ROW_AGAIN,    /* value: LayoutAgain */
    ROW_AS,       /* value: LayoutVerdict */
    ROW_FALLBACK, /* text: a field's name */
    ROW_LOCAL,    /* text: a field's name */
    ROW_ANY_SENDER,
    ROW_JSON,
    ROW_NAMELESS,
    ROW_CLEAR,
} LayoutRowKind;

typedef struct {
    LayoutRowKind kind;
    guint value;
    const char *field;
    const char *text;
    const char *where; /* "qmail.layout:12" */
} LayoutRow;

#include "classify/layout_table.h" /* generated */

/* ---- forms --------------------------------------------------------------------------------- */

static void
field_clear(void *data)
{
    line_pattern_free(((LayoutField *)data)->pattern);
}

static void
pattern_free(void *data)
{
    line_pattern_free(data);
}

static LayoutForm *
form_new(const LayoutRow *row)
{
    LayoutForm *form = g_new0(LayoutForm, 1);
    form->name = row->text;
    form->weight = row->value;
    form->fields = g_array_new(FALSE, FALSE, sizeof(LayoutField));
    g_array_set_clear_func(form->fields, field_clear);
    for (guint i = 0; i < LAYOUT_LINE_COUNT; i++)
        form->lines[i] = g_ptr_array_new_with_free_func(pattern_free);
    form->fallbacks = g_ptr_array_new();
    return form;
}

static void
form_free(void *data)
{
    LayoutForm *form = data;
    g_array_unref(form->fields);
    for (guint i = 0; i < LAYOUT_LINE_COUNT; i++)
        g_ptr_array_unref(form->lines[i]);
    g_ptr_array_unref(form->fallbacks);
    g_free(form);
}

static LinePattern *
row_pattern(const LayoutRow *row, GError **error)
{
    LinePattern *pattern = line_pattern_new(row->text, error);
    if (pattern == NULL)
        g_prefix_error(error, "%s: ", row->where);
    return pattern;
}

/* The index of a field's name, which is added if it is new. */
static guint
field_name(GPtrArray *names, const char *name)
{
    for (guint i = 0; i < names->len; i++)
        if (g_ascii_strcasecmp(g_ptr_array_index(names, i), name) == 0)
            return i;
    g_ptr_array_add(names, (gpointer)name);
    return names->len - 1;
}

static gboolean
form_add_field(LayoutForm *form, GPtrArray *names, const LayoutRow *row, GError **error)
{
    LayoutField field = {row->value, field_name(names, row->field), row_pattern(row, error)};
    if (field.pattern != NULL)
        g_array_append_val(form->fields, field);
    return field.pattern != NULL;
}

static gboolean
form_add_line(LayoutForm *form, const LayoutRow *row, GError **error)
{
    LinePattern *pattern = row_pattern(row, error);
    if (pattern != NULL)
        g_ptr_array_add(form->lines[row->value], pattern);
    return pattern != NULL;
}

static void
form_add_phrase(LayoutForm *form, const LayoutRow *row)
{
    LayoutSection section = row->value;
    gboolean makes_known = section <= LAYOUT_SECTION_NOTHING || section == LAYOUT_SECTION_KNOWN;
    form->has_phrases = form->has_phrases || makes_known;
    form->has_known = form->has_known || section == LAYOUT_SECTION_KNOWN;
    form->has_sections = form->has_sections || section <= LAYOUT_SECTION_DELIVERED;
}

static gboolean
form_add(LayoutForm *form, GPtrArray *names, const LayoutRow *row, GError **error)
{
    switch (row->kind) {
    case ROW_FIELD:
        return form_add_field(form, names, row, error);
    case ROW_LINE:
        return form_add_line(form, row, error);
    case ROW_PHRASE:
        form_add_phrase(form, row);
        break;
    case ROW_WHY:
        form->why = row->value;
        break;
    case ROW_AGAIN:
        form->again = row->value;
        break;
    case ROW_AS:
        form->verdict = row->value;
        break;
    case ROW_FALLBACK:
        g_ptr_array_add(form->fallbacks, (gpointer)row->text);
        break;
    case ROW_LOCAL:
        form->local = row->text;
        break;
    case ROW_ANY_SENDER:
        form->any_sender = TRUE;
        break;
    case ROW_JSON:
        form->json = TRUE;
        break;
    case ROW_NAMELESS:
        form->nameless = TRUE;
        break;
    case ROW_CLEAR:
        form->clear = TRUE;
        break;
    case ROW_LAYOUT:
        break;
    }
    return TRUE;
}

/* ---- all of them --------------------------------------------------------------------------- */

static gboolean
forms_read(LayoutForms *forms, GArray *specs, GError **error)
{
    LayoutForm *form = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(layout_rows); i++) {
        const LayoutRow *row = &layout_rows[i];
        if (row->kind == ROW_LAYOUT) {
            form = form_new(row);
            g_ptr_array_add(forms->forms, form);
        } else if (!form_add(form, forms->field_names, row, error)) {
            return FALSE;
        }
        if (row->kind == ROW_PHRASE) {
            LayoutPhrase phrase = {forms->forms->len - 1, row->value};
            PatternSpec spec = {row->where, row->text, TRUE};
            g_array_append_val(forms->phrases, phrase);
            g_array_append_val(specs, spec);
        }
    }
    return TRUE;
}

LayoutForms *
layout_forms_new(GError **error)
{
    g_autoptr(LayoutForms) forms = g_new0(LayoutForms, 1);
    g_autoptr(GArray) specs = g_array_new(FALSE, FALSE, sizeof(PatternSpec));
    forms->forms = g_ptr_array_new_with_free_func(form_free);
    forms->field_names = g_ptr_array_new();
    forms->phrases = g_array_new(FALSE, FALSE, sizeof(LayoutPhrase));
    if (!forms_read(forms, specs, error))
        return NULL;
    forms->set = compiled_patterns_load(
        COMPILED_LAYOUT_PHRASES, (const PatternSpec *)(const void *)specs->data, specs->len, error);
    return forms->set != NULL ? g_steal_pointer(&forms) : NULL;
}

void
layout_forms_free(LayoutForms *forms)
{
    if (forms == NULL)
        return;
    g_ptr_array_unref(forms->forms);
    g_ptr_array_unref(forms->field_names);
    g_array_unref(forms->phrases);
    pattern_set_free(forms->set);
    g_free(forms);
}

const LayoutForm *
layout_form(const LayoutForms *forms, guint index)
{
    return g_ptr_array_index(forms->forms, index);
}

gboolean
layout_form_match(const LayoutForm *form, LayoutLineKind kind, const Line *line, LineMatch *match)
{
    const GPtrArray *patterns = form->lines[kind];
    for (guint i = 0; i < patterns->len; i++)
        if (line_pattern_match(g_ptr_array_index(patterns, i), line, match))
            return TRUE;
    return FALSE;
}
