/*
 * decoded_text: a text with its encodings undone, and where each octet came from.
 *
 * Known are: "%40" (also "%2540"), "=40" (quoted-printable), "+40" (xtext, RFC 3461), "\x40",
 * "\u0040", "&#64;", "&#x40;", "&commat;", full-width letters, "[at]", "(dot)", "[.]"; soft hyphens
 * and zero-width letters vanish. Only what decodes to printable ASCII is decoded. For looking for
 * addresses, never for showing. Linear time. Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *octets;   /* as decoded, NUL at the end */
    char *folded;   /* the same in lower case */
    guint *origins; /* where each octet, and the end, stood in the text: size + 1 of them */
    gsize size;
    gboolean differs; /* something was decoded */
} DecodedText;

/* `decode` FALSE: the text as it is. Takes at most G_MAXUINT octets. */
void decoded_text_init(DecodedText *decoded, const char *text, gboolean decode);
void decoded_text_clear(DecodedText *decoded);
