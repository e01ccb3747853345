/*
 * pattern: one element of a condition's value: exact, glob, regular expression, address block,
 * file:PATH, size comparison; see matcher.h for the forms.
 *
 * Immutable after load; threads: any.
 */
#pragma once

#include <glib.h>

#include "policy/fact.h"
#include "policy/matcher.h"

typedef struct Pattern Pattern;

/* `text` without the `!`. NULL and an error without place. */
Pattern *pattern_new(Fact fact, const char *text, const char *folder, GError **error);
void pattern_free(Pattern *pattern);

/* captures may be NULL. */
gboolean pattern_hits(const Pattern *pattern, const char *value, MatchCaptures *captures);

/*
 * What a value must have to be hit. TRUE and either `exact`, which it equals but for ASCII case
 * (belongs to the pattern), or `pieces`, which all occur in it but for ASCII case (freed by the
 * caller with g_strfreev(), may be empty). FALSE: nothing can be said.
 */
gboolean pattern_needs(const Pattern *pattern, const char **exact, char ***pieces);

/* As it would be written again: a relative file has its folder before it. */
const char *pattern_text(const Pattern *pattern);

/* How many groups a regular expression leaves; 0 for all else. */
guint pattern_groups(const Pattern *pattern);

/* A file with values behind its keys? */
gboolean pattern_has_values(const Pattern *pattern);

/* Does the regular expression run into the match limit on a trial text? Takes some milliseconds. */
gboolean pattern_is_slow(const Pattern *pattern);
