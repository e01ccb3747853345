/*
 * letter_fold: tables of letters (see the header).
 */
#include "match/letter_fold.h"

#include <string.h>

/* U+00C0 to U+017F: Latin-1 and Latin Extended-A. */
static const char latin[192][3] = {
    "A", "A", "A",  "A",  "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I",  /* C0 */
    "D", "N", "O",  "O",  "O", "O", "O",  "x", "O", "U", "U", "U", "U", "Y", "Th", "ss", /* D0 */
    "a", "a", "a",  "a",  "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",  /* E0 */
    "d", "n", "o",  "o",  "o", "o", "o",  "/", "o", "u", "u", "u", "u", "y", "th", "y",  /* F0 */
    "A", "a", "A",  "a",  "A", "a", "C",  "c", "C", "c", "C", "c", "C", "c", "D",  "d",  /* 100 */
    "D", "d", "E",  "e",  "E", "e", "E",  "e", "E", "e", "E", "e", "G", "g", "G",  "g",  /* 110 */
    "G", "g", "G",  "g",  "H", "h", "H",  "h", "I", "i", "I", "i", "I", "i", "I",  "i",  /* 120 */
    "I", "i", "IJ", "ij", "J", "j", "K",  "k", "k", "L", "l", "L", "l", "L", "l",  "L",  /* 130 */
    "l", "L", "l",  "N",  "n", "N", "n",  "N", "n", "n", "N", "n", "O", "o", "O",  "o",  /* 140 */
    "O", "o", "OE", "oe", "R", "r", "R",  "r", "R", "r", "S", "s", "S", "s", "S",  "s",  /* 150 */
    "S", "s", "T",  "t",  "T", "t", "T",  "t", "U", "u", "U", "u", "U", "u", "U",  "u",  /* 160 */
    "U", "u", "U",  "u",  "W", "w", "Y",  "y", "Y", "Z", "z", "Z", "z", "Z", "z",  "s",  /* 170 */
};

/* NULL: no plainer form in ASCII. */
static const char *
fold_to_ascii(gunichar letter)
{
    if (letter >= 0xc0 && letter <= 0x17f)
        return latin[letter - 0xc0];
    if (letter == 0xab || letter == 0xbb || (letter >= 0x201c && letter <= 0x201f))
        return "\"";
    if (letter == 0xb4 || (letter >= 0x2018 && letter <= 0x201b))
        return "'";
    if (letter >= 0x2010 && letter <= 0x2015)
        return "-";
    if (letter == 0x2026)
        return "...";
    if (letter == 0xa0 || letter == 0x3000 || letter == 0x202f ||
        (letter >= 0x2000 && letter <= 0x200a))
        return " ";
    /* soft hyphen, combining accents, marks of width nought */
    if (letter == 0xad || (letter >= 0x300 && letter <= 0x36f) || letter == 0xfeff ||
        (letter >= 0x200b && letter <= 0x200f) || letter == 0x2060)
        return "";
    return NULL;
}

/* The same letter, small; of the same length in UTF-8. */
static gunichar
fold_case(gunichar letter)
{
    if (letter >= 0x410 && letter <= 0x42f)
        return letter + 0x20;
    if (letter == 0x401 || letter == 0x451)
        return 0x435; /* yo is mostly written as ye */
    if (letter >= 0x400 && letter <= 0x40f)
        return letter + 0x50;
    if (letter >= 0x391 && letter <= 0x3a9)
        return letter + 0x20;
    return letter;
}

gsize
letter_fold(const char *text, gsize length, char folded[LETTER_FOLD_SIZE], gsize *count)
{
    gunichar letter = g_utf8_get_char_validated(text, (gssize)MIN(length, 6));
    gboolean utf8 = letter != (gunichar)-1 && letter != (gunichar)-2;
    gsize used = utf8 ? (gsize)g_utf8_skip[(guchar)*text] : 1;
    const char *ascii = fold_to_ascii(utf8 ? letter : (guchar)*text);
    if (!utf8 && ascii == NULL) {
        folded[0] = *text;
        *count = 1;
    } else if (ascii != NULL) {
        *count = strlen(ascii);
        memcpy(folded, ascii, *count);
    } else if (letter >= 0xff01 && letter <= 0xff5e) {
        folded[0] = (char)(letter - 0xfee0);
        *count = 1;
    } else {
        *count = (gsize)g_unichar_to_utf8(fold_case(letter), folded);
    }
    return used;
}
