/*
 * matcher: the value of a condition in `when`, compiled at load.
 *
 * An exact string, a `*` glob, /regex/flags, an address block, file:PATH, a size comparison, a list
 * of these, each with `!` before it or not. A list matches if no `!` element hits and, where there
 * are others, one of them does. Exact strings and globs ignore ASCII case; "*" alone means "there
 * is one", so "!*" means that there is none; "" matches the empty value only. Regular expressions
 * are PCRE2 through GRegex with a match limit: one that runs into it does not match.
 *
 * Immutable after load; any thread may match.
 */
#pragma once

#include <glib.h>

#include "policy/fact.h"

typedef struct Matcher Matcher;

/* What a match leaves for the templates. */
typedef struct {
    char *value;         /* %{value}: what stood behind the key in a file; NULL if none */
    GPtrArray *captures; /* %{1}...: char *, the regex's groups; NULL if no regex matched */
} MatchCaptures;

void match_captures_clear(MatchCaptures *captures);

/*
 * Compiles `count` texts for a fact. `folder` is what a relative file:PATH is relative to. NULL and
 * an error without place (the caller knows file and line).
 */
Matcher *matcher_new(Fact fact, const char *const *texts, guint count, const char *folder,
                     GError **error);
void matcher_free(Matcher *matcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Matcher, matcher_free)

/*
 * Does the fact's value match? Several values (headers): a plain element hits if one of them does,
 * a
 * `!` element if one of them does (and then nothing matches). `values` ends with NULL; captures may
 * be NULL, else it is added to.
 */
gboolean matcher_match(const Matcher *matcher, const char *const *values, MatchCaptures *captures);

/* As it stood in the policy, for `replyctl config` and `try`. Belongs to the matcher. */
const char *matcher_text(const Matcher *matcher);
