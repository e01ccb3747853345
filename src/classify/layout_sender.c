/*
 * layout_sender: takes the fields that patterns ask for out of a header, once, and matches them.
 */
#include "classify/layout_sender.h"

#include <string.h>

struct LayoutSender {
    const LayoutForms *forms;
    const HeaderFields *header;
    GArray **values; /* of Line: by the index of the field's name */
};

/* ---- values -------------------------------------------------------------------------------- */

static void
value_clear(void *data)
{
    g_free((char *)((Line *)data)->lower);
}

static GArray *
values_of(const HeaderFields *header, const char *name)
{
    GArray *values = g_array_new(FALSE, FALSE, sizeof(Line));
    g_array_set_clear_func(values, value_clear);
    guint at = 0;
    const char *value;
    while ((value = header_fields_next(header, name, &at)) != NULL) {
        gsize length = strnlen(value, LINE_OCTETS);
        Line line = {value, line_lower(value, length), length, FALSE};
        g_array_append_val(values, line);
    }
    return values;
}

LayoutSender *
layout_sender_new(const LayoutForms *forms, const HeaderFields *header)
{
    LayoutSender *sender = g_new0(LayoutSender, 1);
    const GPtrArray *names = forms->field_names;
    sender->forms = forms;
    sender->header = header;
    sender->values = g_new(GArray *, names->len);
    for (guint i = 0; i < names->len; i++)
        sender->values[i] = values_of(header, g_ptr_array_index(names, i));
    return sender;
}

void
layout_sender_free(LayoutSender *sender)
{
    if (sender == NULL)
        return;
    for (guint i = 0; i < sender->forms->field_names->len; i++)
        g_array_unref(sender->values[i]);
    g_free(sender->values);
    g_free(sender);
}

/* ---- matching ------------------------------------------------------------------------------ */

static gboolean
field_matches(const LayoutSender *sender, const LayoutField *field)
{
    const GArray *values = sender->values[field->name];
    for (guint i = 0; i < values->len; i++) {
        LineMatch match;
        if (line_pattern_match(field->pattern, &g_array_index(values, Line, i), &match))
            return TRUE;
    }
    return FALSE;
}

static gboolean
any_matches(const LayoutSender *sender, const LayoutForm *form, LayoutFieldKind kind)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == kind && field_matches(sender, field))
            return TRUE;
    }
    return FALSE;
}

/* Some MTAs write MAILER-DAEMON for it. */
static gboolean
has_null_return_path(const HeaderFields *header)
{
    const char *path = header_fields_get(header, "Return-Path");
    return path != NULL && (strcmp(path, "<>") == 0 || *path == '\0' ||
                            g_ascii_strncasecmp(path, "<mailer-daemon", 14) == 0);
}

/* Lists put their fields into the reports, too, that reach them. */
static gboolean
is_contradicted(const LayoutSender *sender, const LayoutForm *common, gboolean for_reports)
{
    if (any_matches(sender, common, LAYOUT_FIELD_AGAINST))
        return TRUE;
    if (for_reports)
        return FALSE;
    return any_matches(sender, common, LAYOUT_FIELD_ANSWER) ||
           (any_matches(sender, common, LAYOUT_FIELD_LIST) &&
            !any_matches(sender, common, LAYOUT_FIELD_MANAGER));
}

gboolean
layout_sender_is_system(const LayoutSender *sender)
{
    const LayoutForm *common = layout_form(sender->forms, LAYOUT_FORM_COMMON);
    if (any_matches(sender, common, LAYOUT_FIELD_STRONG))
        return TRUE;
    gboolean for_reports = any_matches(sender, common, LAYOUT_FIELD_BOUNCES);
    guint signs = for_reports || has_null_return_path(sender->header) ? 1u : 0u;
    signs += any_matches(sender, common, LAYOUT_FIELD_WEAK) ? 1u : 0u;
    if (signs == 1)
        signs += any_matches(sender, common, LAYOUT_FIELD_SIGN) ? 1u : 0u;
    return signs >= 2 && !is_contradicted(sender, common, for_reports);
}

/* Of the patterns for a field's name one must match. */
static gboolean
name_fits(const LayoutSender *sender, const LayoutForm *form, guint name)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == LAYOUT_FIELD_NEEDED && field->name == name &&
            field_matches(sender, field))
            return TRUE;
    }
    return FALSE;
}

gboolean
layout_sender_fits(const LayoutSender *sender, const LayoutForm *form)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == LAYOUT_FIELD_NEEDED && !name_fits(sender, form, field->name))
            return FALSE;
    }
    return TRUE;
}

LayoutVerdict
layout_sender_verdict(const LayoutSender *sender, const LayoutForm *form)
{
    const LayoutForm *told[] = {form, layout_form(sender->forms, LAYOUT_FORM_COMMON)};
    for (guint i = 0; i < G_N_ELEMENTS(told); i++) {
        if (any_matches(sender, told[i], LAYOUT_FIELD_FAILED))
            return LAYOUT_FAILED;
        if (any_matches(sender, told[i], LAYOUT_FIELD_DELAYED))
            return LAYOUT_DELAYED;
        if (any_matches(sender, told[i], LAYOUT_FIELD_DELIVERED))
            return LAYOUT_DELIVERED;
    }
    return form->verdict;
}
