/*
 * enhanced_status: an enhanced mail system status code (RFC 3463 section 2), as numbers.
 *
 * A plain value: copy it, compare it. Threads: any.
 */
#pragma once

#include <glib.h>

/* class is 2, 4 or 5; 0 means that there is none (then the others are 0 too). */
typedef struct {
    guint8 class;
    guint16 subject; /* 0 to 999 */
    guint16 detail;  /* 0 to 999 */
} EnhancedStatus;

#define ENHANCED_STATUS_NONE ((EnhancedStatus){0, 0, 0})

/* "999" as three parts with dots and the NUL: 2 + 3 + 3 + 2 dots. */
#define ENHANCED_STATUS_TEXT_SIZE 12

/*
 * Reads a status at the start of `text` (RFC 3463: class "." subject "." detail, no leading zeros).
 * Returns the octets it takes, or 0 if none stands there; what follows must not be a digit, a dot
 * with a digit, or a letter. `status` may be NULL.
 */
gsize enhanced_status_scan(const char *text, EnhancedStatus *status);

/* The whole of `text` is a status? */
gboolean enhanced_status_parse(const char *text, EnhancedStatus *status);

/* Writes "5.1.1", or "" for none, and returns `buffer`. */
const char *enhanced_status_format(EnhancedStatus status, char buffer[ENHANCED_STATUS_TEXT_SIZE]);

gboolean enhanced_status_is_set(EnhancedStatus status);
gboolean enhanced_status_equal(EnhancedStatus a, EnhancedStatus b);

/* The same subject and detail, of the class that a reply code (421, 550) demands. */
EnhancedStatus enhanced_status_with_class(EnhancedStatus status, guint class);
