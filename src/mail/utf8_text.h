/*
 * utf8_text: octets of unknown charset made into UTF-8.
 *
 * Pure. Threads: any.
 */
#pragma once

#include <glib.h>

/* Is there any octet above 0x7f? */
gboolean utf8_text_has_8bit(const char *text, gsize length);

/* Octets that are not UTF-8 are read as Latin-1 (those of 0x80 to 0x9f as Windows-1252, which is
 * what they are meant as); the others stay. NUL is left alone. */
void utf8_text_mend(GString *text);

/* The greatest length up to `limit` at which a valid text can be cut. */
gsize utf8_text_cut(const char *text, gsize length, gsize limit);
