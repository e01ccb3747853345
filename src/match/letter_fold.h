/*
 * letter_fold: an 8-bit letter as the plainest letters that mean the same.
 *
 * Accents are dropped, typographic quotes, dashes and spaces become ASCII, full-width letters
 * ASCII, Cyrillic and Greek capitals small. Octets that are not UTF-8 are read as Latin-1. Letters
 * that have no plainer form are left as they are. Pure; threads: any.
 */
#pragma once

#include <glib.h>

#define LETTER_FOLD_SIZE 4

/*
 * Reads the letter that begins at `text` (`length` > 0 octets, the first one >= 0x80), writes what
 * it folds to (0 to 4 octets, never more than twice what was read) and returns the octets read.
 */
gsize letter_fold(const char *text, gsize length, char folded[LETTER_FOLD_SIZE], gsize *count);
