/*
 * regex_pieces: texts that must occur wherever a regular expression matches.
 *
 * For an index of rules: what cannot match need not be tried. Only what is certain is said; of an
 * expression with anything unusual nothing is. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/*
 * `expression` in PCRE syntax, without slashes and flags; `extended`: with the flag x. NULL:
 * nothing can be said. Ends with NULL, may be empty; the caller frees it with g_strfreev().
 */
char **regex_pieces(const char *expression, gboolean extended);
