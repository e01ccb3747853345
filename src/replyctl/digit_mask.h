/*
 * digit_mask: "5xx", "x5x", "5.7.X", "X.7.26": reply codes and statuses of which not all digits are
 * said. Values; threads: any.
 */
#pragma once

#include <glib.h>

#include "catalog/catalog.h"

#define DIGIT_MASK_ANY G_MAXUINT

typedef struct {
    gboolean is_status;
    guint parts[3]; /* the three digits, or class, subject and detail; DIGIT_MASK_ANY where x */
} DigitMask;

/* FALSE if `text` is no such thing; a code or status with all its digits is not one either. */
gboolean digit_mask_parse(const char *text, DigitMask *mask);

/* "x5x", "5.7.X". The caller frees it. */
char *digit_mask_format(const DigitMask *mask);

/* The meaning of a digit that is said; NULL for the others, or where a digit means nothing. */
const char *digit_mask_sentence(const DigitMask *mask, guint part);

/* Only the class is open ("X.7.26"), and the catalogue knows such a status: `status` is it. */
gboolean digit_mask_any_class(const DigitMask *mask, EnhancedStatus *status);

gboolean digit_mask_has_code(const DigitMask *mask, const CatalogReplyCode *row);
gboolean digit_mask_has_status(const DigitMask *mask, const CatalogStatus *row);
