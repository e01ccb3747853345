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
    GPtrArray *captures; /* %{1}...: char *, the groups of the regular expressions that matched, in
                            the order of the conditions ("" for one that took no part); NULL if
                            none matched */
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

/* The elements without `!`, one after the other; NULL behind the last. One of them has to hit,
 * where there is any. Belongs to the matcher. */
struct Pattern;
const struct Pattern *matcher_plain(const Matcher *matcher, guint index);

/* As it would be written in a policy, for `replyctl config` and `try`: a string or a list, quotes
 * included; a relative file:PATH has its folder before it. Belongs to the matcher. */
const char *matcher_text(const Matcher *matcher);

/* The most groups that one of its regular expressions leaves: up to which %{1}... there can be. */
guint matcher_groups(const Matcher *matcher);

/* Can it leave a %{value}? */
gboolean matcher_has_values(const Matcher *matcher);

/* The first regular expression that runs into the match limit on a trial text, or NULL. Takes some
 * milliseconds; for warnings. Belongs to the matcher. */
const char *matcher_slow_pattern(const Matcher *matcher);
