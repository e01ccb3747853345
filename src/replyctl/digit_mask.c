/*
 * digit_mask: reply codes and statuses of which not all digits are said.
 */
#include "replyctl/digit_mask.h"

#include <string.h>

static gboolean
is_any(char letter)
{
    return letter == 'x' || letter == 'X';
}

/* "7", "26" or "x"; nothing with more than three digits. */
static gboolean
read_part(const char *text, guint *part)
{
    gsize digits = strspn(text, "0123456789");
    *part = DIGIT_MASK_ANY;
    if (is_any(text[0]) && text[1] == '\0')
        return TRUE;
    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return FALSE;
    *part = (guint)g_ascii_strtoull(text, NULL, 10);
    return TRUE;
}

static gboolean
read_code(const char *text, DigitMask *mask)
{
    if (strlen(text) != 3)
        return FALSE;
    for (guint i = 0; i < 3; i++) {
        if (!is_any(text[i]) && !g_ascii_isdigit(text[i]))
            return FALSE;
        mask->parts[i] = is_any(text[i]) ? DIGIT_MASK_ANY : (guint)(text[i] - '0');
    }
    return TRUE;
}

static gboolean
read_status(const char *text, DigitMask *mask)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 4);
    mask->is_status = TRUE;
    if (g_strv_length(parts) != 3)
        return FALSE;
    for (guint i = 0; i < 3; i++)
        if (!read_part(parts[i], &mask->parts[i]))
            return FALSE;
    return TRUE;
}

gboolean
digit_mask_parse(const char *text, DigitMask *mask)
{
    *mask = (DigitMask){.is_status = FALSE};
    if (!(strchr(text, '.') != NULL ? read_status(text, mask) : read_code(text, mask)))
        return FALSE;
    guint unsaid = 0;
    for (guint i = 0; i < 3; i++)
        unsaid += mask->parts[i] == DIGIT_MASK_ANY;
    return unsaid > 0 && unsaid < 3;
}

char *
digit_mask_format(const DigitMask *mask)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < 3; i++) {
        if (i > 0 && mask->is_status)
            g_string_append_c(text, '.');
        if (mask->parts[i] == DIGIT_MASK_ANY)
            g_string_append_c(text, mask->is_status ? 'X' : 'x');
        else
            g_string_append_printf(text, "%u", mask->parts[i]);
    }
    return g_string_free(text, FALSE);
}

/* What is not said is taken from a code or status that exists: its own sentence is not asked for.
 */
static guint
part_or(const DigitMask *mask, guint part, guint otherwise)
{
    return mask->parts[part] == DIGIT_MASK_ANY ? otherwise : mask->parts[part];
}

const char *
digit_mask_sentence(const DigitMask *mask, guint part)
{
    if (mask->parts[part] == DIGIT_MASK_ANY)
        return NULL;
    guint first = part_or(mask, 0, 5), second = part_or(mask, 1, 5), third = part_or(mask, 2, 0);
    EnhancedStatus status = {(guint8)first, (guint16)second, (guint16)third};
    guint code = first * 100 + second * 10 + third;
    switch (part) {
    case 0:
        return mask->is_status ? catalog_status_class(status) : catalog_first_digit(code);
    case 1:
        return mask->is_status ? catalog_status_subject(status) : catalog_second_digit(code);
    default:
        return mask->is_status ? catalog_status_detail(status) : catalog_third_digit(code);
    }
}

gboolean
digit_mask_any_class(const DigitMask *mask, EnhancedStatus *status)
{
    static const guint8 classes[] = {5, 4, 2};
    if (!mask->is_status || mask->parts[0] != DIGIT_MASK_ANY)
        return FALSE;
    if (mask->parts[1] == DIGIT_MASK_ANY || mask->parts[2] == DIGIT_MASK_ANY)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++) {
        *status = (EnhancedStatus){classes[i], (guint16)mask->parts[1], (guint16)mask->parts[2]};
        const CatalogStatus *row = catalog_status(*status);
        if (row != NULL && (row->classes & 1u << classes[i]) != 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
fits(const DigitMask *mask, guint part, guint first, guint last)
{
    guint wanted = mask->parts[part];
    return wanted == DIGIT_MASK_ANY || (first <= wanted && wanted <= last);
}

gboolean
digit_mask_has_code(const DigitMask *mask, const CatalogReplyCode *row)
{
    guint digits[] = {row->code / 100, row->code / 10 % 10, row->code % 10};
    for (guint i = 0; i < 3; i++)
        if (!fits(mask, i, digits[i], digits[i]))
            return FALSE;
    return !mask->is_status;
}

gboolean
digit_mask_has_status(const DigitMask *mask, const CatalogStatus *row)
{
    gboolean class_fits = mask->parts[0] == DIGIT_MASK_ANY ||
                          (mask->parts[0] < 32 && (row->classes & 1u << mask->parts[0]) != 0);
    return mask->is_status && class_fits && fits(mask, 1, row->subject, row->subject) &&
           fits(mask, 2, row->detail, row->last_detail);
}
