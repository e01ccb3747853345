/*
 * encoded_words: text in a header field that is not ASCII (RFC 2047, RFC 2231 section 5).
 *
 * Words of one charset that stand together are put together before they are converted, since real
 * programs cut within a letter. Base64 may lack its padding. Not GMime's decoder: that one loses
 * what follows a padded word. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* UTF-8, perhaps with control octets in it. What is no encoded word stays. */
GString *encoded_words_decode(const char *value);
