/*
 * layout_sender: matches header fields with the patterns of a form.
 */
#include "classify/layout_sender.h"

#include <string.h>

static gboolean
value_matches(const LayoutField *field, const char *value)
{
    gsize length = MIN(strlen(value), LINE_OCTETS);
    g_autofree char *lower = g_ascii_strdown(value, (gssize)length);
    Line line = {value, lower, length, FALSE};
    LineMatch match;
    return line_pattern_match(field->pattern, &line, &match);
}

static gboolean
field_matches(const LayoutField *field, const HeaderFields *header)
{
    guint at = 0;
    const char *value;
    while ((value = header_fields_next(header, field->name, &at)) != NULL)
        if (value_matches(field, value))
            return TRUE;
    return FALSE;
}

static gboolean
any_matches(const LayoutForm *form, LayoutFieldKind kind, const HeaderFields *header)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == kind && field_matches(field, header))
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

gboolean
layout_sender_is_system(const LayoutForm *common, const HeaderFields *header)
{
    if (any_matches(common, LAYOUT_FIELD_STRONG, header))
        return TRUE;
    if (any_matches(common, LAYOUT_FIELD_AGAINST, header))
        return FALSE;
    guint signs = has_null_return_path(header) ? 1u : 0u;
    signs += any_matches(common, LAYOUT_FIELD_WEAK, header) ? 1u : 0u;
    if (signs < 2)
        signs += any_matches(common, LAYOUT_FIELD_SIGN, header) ? 1u : 0u;
    return signs >= 2;
}

/* Of the patterns for a field's name one must match. */
static gboolean
name_fits(const LayoutForm *form, const char *name, const HeaderFields *header)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == LAYOUT_FIELD_NEEDED && strcmp(field->name, name) == 0 &&
            field_matches(field, header))
            return TRUE;
    }
    return FALSE;
}

gboolean
layout_sender_fits(const LayoutForm *form, const HeaderFields *header)
{
    for (guint i = 0; i < form->fields->len; i++) {
        const LayoutField *field = &g_array_index(form->fields, LayoutField, i);
        if (field->kind == LAYOUT_FIELD_NEEDED && !name_fits(form, field->name, header))
            return FALSE;
    }
    return TRUE;
}

LayoutVerdict
layout_sender_verdict(const LayoutForm *form, const HeaderFields *header, LayoutVerdict otherwise)
{
    if (any_matches(form, LAYOUT_FIELD_FAILED, header))
        return LAYOUT_FAILED;
    if (any_matches(form, LAYOUT_FIELD_DELAYED, header))
        return LAYOUT_DELAYED;
    if (any_matches(form, LAYOUT_FIELD_DELIVERED, header))
        return LAYOUT_DELIVERED;
    return otherwise;
}
