/*
 * pattern: one element of a condition's value.
 *
 * Regular expressions see octets, not UTF-8, and stop at a match limit: what an outsider sends can
 * neither be invalid nor take long.
 */
#include "policy/pattern.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/category.h"
#include "classify/classifier.h"
#include "classify/mail_kind.h"
#include "mail/enhanced_status.h"
#include "mail/smtp_stage.h"
#include "policy/address_block.h"
#include "policy/key_file.h"
#include "policy/octets.h"
#include "policy/regex_pieces.h"

/* Steps of PCRE2 from one starting point; the verb counts for JIT code as well. */
#define MATCH_LIMIT "(*LIMIT_MATCH=20000)"

/* No more of a value is shown to a regular expression. */
#define REGEX_VALUE_MAX 8192

typedef enum {
    KIND_ANY, /* "*": there is one */
    KIND_EXACT,
    KIND_GLOB,
    KIND_REGEX,
    KIND_BLOCK,
    KIND_FILE,
    KIND_SIZE,
} Kind;

struct Pattern {
    Kind kind;
    char *text;
    GRegex *regex;
    KeyFile *file;
    AddressBlock block;
    gint64 octets;
    int order;       /* of a size to `octets`: -1 less, 0 equal, 1 more */
    gboolean equals; /* ">=", "<=" */
};

static const char *const directions[] = {"inbound", "outbound", "local", NULL};

/* ---- globs ----------------------------------------------------------------------------------- */

/* Only '*' is special. Each star is tried again from one place only, so the time is bounded by the
 * product of the lengths. */
static gboolean
glob_hits(const char *glob, const char *value)
{
    const char *star = NULL, *retry = NULL;
    while (*value != '\0') {
        if (*glob == '*') {
            star = glob++;
            retry = value;
        } else if (g_ascii_tolower(*glob) == g_ascii_tolower(*value)) {
            glob++;
            value++;
        } else if (star != NULL) {
            glob = star + 1;
            value = ++retry;
        } else {
            return FALSE;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

/* ---- what an exact text or a glob may be, for facts with a closed set of values
 * ------------------ */

static const char *const *
fact_choices(Fact fact)
{
    switch (fact) {
    case FACT_STAGE:
        return smtp_stage_names();
    case FACT_CATEGORY:
        return category_names();
    case FACT_PROVIDER:
        return classifier_providers();
    case FACT_KIND:
        return mail_kind_names();
    case FACT_DIRECTION:
        return directions;
    default:
        return NULL;
    }
}

static gboolean
check_choice(Fact fact, const char *text, GError **error)
{
    const char *const *choices = fact_choices(fact);
    for (guint i = 0; choices[i] != NULL; i++)
        if (glob_hits(text, choices[i]))
            return TRUE;
    const char *nearest = text_nearest(text, choices);
    if (nearest != NULL)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "unknown %s \"%s\": did you mean \"%s\"?", fact_name(fact), text,
                          nearest);
    if (fact == FACT_CATEGORY)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "unknown category \"%s\": `replyctl explain categories` lists them",
                          text);
    g_autofree char *all = g_strjoinv(", ", (char **)choices);
    return error_fail(error, REPLYMILTER_ERROR_CONFIG, "unknown %s \"%s\": it can be one of %s",
                      fact_name(fact), text, all);
}

static gboolean
is_made_of(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

static gboolean
check_code(const char *text, GError **error)
{
    for (guint code = 400; code < 600; code++) {
        char digits[] = "000";
        g_snprintf(digits, sizeof(digits), "%u", code);
        if (glob_hits(text, digits))
            return TRUE;
    }
    return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no code of a refusal: 400 to 599, or \"5*\"", text);
}

static gboolean
check_status(const char *text, gboolean glob, GError **error)
{
    EnhancedStatus status;
    gboolean good = glob ? is_made_of(text, "0123456789.*")
                         : *text == '\0' || enhanced_status_parse(text, &status);
    return good ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no enhanced status: write it as \"5.1.1\" or \"5.7.*\"", text);
}

static gboolean
check_client(const char *text, gboolean glob, GError **error)
{
    if (glob && is_made_of(text, "0123456789abcdefABCDEF.:*"))
        return TRUE;
    return error_fail(error, REPLYMILTER_ERROR_CONFIG, "\"%s\" is no address and no address block",
                      text);
}

static gboolean
check_header(const char *text, GError **error)
{
    return strchr(text, ':') != NULL || text[0] == '*' ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" can match no header: write it as \"Subject: *text*\"", text);
}

static gboolean
check_plain(Fact fact, const char *text, gboolean glob, GError **error)
{
    switch (fact) {
    case FACT_STAGE:
    case FACT_CATEGORY:
    case FACT_KIND:
    case FACT_DIRECTION:
        return check_choice(fact, text, error);
    case FACT_PROVIDER:
        return *text == '\0' || check_choice(fact, text, error);
    case FACT_CODE:
        return check_code(text, error);
    case FACT_STATUS:
        return check_status(text, glob, error);
    case FACT_CLIENT:
        return check_client(text, glob, error);
    case FACT_HEADER:
        return check_header(text, error);
    default:
        return TRUE;
    }
}

/* ---- compiling
 * ------------------------------------------------------------------------------------ */

/* The letters behind the closing slash. */
static gboolean
read_flags(const char *letters, GRegexCompileFlags *flags, GError **error)
{
    for (; *letters != '\0'; letters++) {
        if (*letters == 'i')
            *flags |= G_REGEX_CASELESS;
        else if (*letters == 'm')
            *flags |= G_REGEX_MULTILINE;
        else if (*letters == 's')
            *flags |= G_REGEX_DOTALL;
        else if (*letters == 'x')
            *flags |= G_REGEX_EXTENDED;
        else
            return error_fail(
                error, REPLYMILTER_ERROR_CONFIG,
                "unknown flag \"%c\" behind the regular expression: i, m, s and x exist", *letters);
    }
    return TRUE;
}

/* GRegex's message without the pattern that it repeats, limit included. */
static gboolean
fail_regex(GError **error, const char *text, const GError *fault)
{
    const char *reason = strstr(fault->message, MATCH_LIMIT);
    const char *at = reason != NULL ? strstr(fault->message, ": ") : NULL;
    const char *last = fault->message;
    for (; at != NULL; at = strstr(at + 2, ": "))
        last = at + 2;
    return error_fail(error, REPLYMILTER_ERROR_CONFIG, "\"%s\" is no regular expression: %s", text,
                      last);
}

static gboolean
compile_regex(Pattern *pattern, const char *text, GError **error)
{
    const char *end = strrchr(text, '/');
    if (end == text)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                          "\"%s\" begins a regular expression that no second \"/\" ends", text);
    GRegexCompileFlags flags = G_REGEX_RAW | G_REGEX_OPTIMIZE;
    if (!read_flags(end + 1, &flags, error))
        return FALSE;
    for (const char *at = text; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            return error_fail(
                error, REPLYMILTER_ERROR_CONFIG,
                "the regular expression holds a control octet: a backslash is written "
                "twice, as in \"\\\\b\"");
    g_autofree char *limited = g_strdup_printf(MATCH_LIMIT "%.*s", (int)(end - text - 1), text + 1);
    g_autoptr(GError) fault = NULL;
    pattern->kind = KIND_REGEX;
    pattern->regex = g_regex_new(limited, flags, 0, &fault);
    return pattern->regex != NULL || fail_regex(error, text, fault);
}

static gboolean
compile_file(Pattern *pattern, Fact fact, const char *path, const char *folder, GError **error)
{
    if (fact == FACT_HEADER || fact == FACT_TEXT || fact == FACT_SIZE)
        return error_fail(error, REPLYMILTER_ERROR_CONFIG, "a %s cannot be looked up in a file",
                          fact_name(fact));
    if (*path == '\0')
        return error_fail(error, REPLYMILTER_ERROR_CONFIG, "\"file:\" needs a path behind it");
    g_autofree char *full = g_path_is_absolute(path) || folder == NULL
                                ? g_strdup(path)
                                : g_build_filename(folder, path, NULL);
    pattern->kind = KIND_FILE;
    g_free(pattern->text);
    pattern->text = g_strconcat("file:", full, NULL);
    pattern->file = key_file_load(full, fact, error);
    return pattern->file != NULL;
}

static gboolean
compile_size(Pattern *pattern, const char *text, GError **error)
{
    const char *at = text;
    if (*at == '>' || *at == '<') {
        pattern->order = *at == '>' ? 1 : -1;
        at++;
    }
    pattern->equals = *at == '=';
    if (*at == '=')
        at++;
    pattern->kind = KIND_SIZE;
    while (*at == ' ')
        at++;
    gboolean compares = pattern->order != 0 || pattern->equals;
    return (compares && octets_parse(at, &pattern->octets)) ||
           error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "\"%s\" is no comparison with a size: write it as \">10M\"", text);
}

static gboolean
compile_plain(Pattern *pattern, Fact fact, const char *text, GError **error)
{
    if (strcmp(text, "*") == 0) {
        pattern->kind = KIND_ANY;
        return TRUE;
    }
    if (fact == FACT_CLIENT && strchr(text, '*') == NULL && *text != '\0') {
        pattern->kind = KIND_BLOCK;
        return address_block_parse(text, &pattern->block, error);
    }
    pattern->kind = strchr(text, '*') != NULL ? KIND_GLOB : KIND_EXACT;
    return check_plain(fact, text, pattern->kind == KIND_GLOB, error);
}

static gboolean
compile(Pattern *pattern, Fact fact, const char *text, const char *folder, GError **error)
{
    if (text[0] == '/')
        return compile_regex(pattern, text, error);
    if (g_str_has_prefix(text, "file:"))
        return compile_file(pattern, fact, text + strlen("file:"), folder, error);
    if (fact == FACT_SIZE)
        return compile_size(pattern, text, error);
    return compile_plain(pattern, fact, text, error);
}

Pattern *
pattern_new(Fact fact, const char *text, const char *folder, GError **error)
{
    Pattern *pattern = g_new0(Pattern, 1);
    pattern->text = g_strdup(text);
    if (compile(pattern, fact, text, folder, error))
        return pattern;
    pattern_free(pattern);
    return NULL;
}

void
pattern_free(Pattern *pattern)
{
    if (pattern == NULL)
        return;
    g_clear_pointer(&pattern->regex, g_regex_unref);
    key_file_free(pattern->file);
    g_free(pattern->text);
    g_free(pattern);
}

/* ---- matching
 * -------------------------------------------------------------------------------------- */

static void
keep_groups(GMatchInfo *match, MatchCaptures *captures)
{
    int count = g_match_info_get_match_count(match);
    if (captures->captures == NULL)
        captures->captures = g_ptr_array_new_with_free_func(g_free);
    for (int i = 1; i < count; i++) {
        char *group = g_match_info_fetch(match, i);
        g_ptr_array_add(captures->captures, group != NULL ? group : g_strdup(""));
    }
}

static gboolean
regex_hits(const Pattern *pattern, const char *value, MatchCaptures *captures)
{
    GMatchInfo *match = NULL;
    gssize length = (gssize)strnlen(value, REGEX_VALUE_MAX);
    /* "$" must not take the cut for the end. */
    GRegexMatchFlags flags = value[length] != '\0' ? G_REGEX_MATCH_NOTEOL : 0;
    /* An error (the limit) is no match. */
    gboolean hit = g_regex_match_full(pattern->regex, value, length, 0, flags, &match, NULL);
    if (hit && captures != NULL)
        keep_groups(match, captures);
    g_match_info_free(match);
    return hit;
}

static gboolean
file_hits(const Pattern *pattern, const char *value, MatchCaptures *captures)
{
    const char *found = key_file_find(pattern->file, value);
    if (found == NULL)
        return FALSE;
    if (captures != NULL && captures->value == NULL && *found != '\0')
        captures->value = g_strdup(found);
    return TRUE;
}

static gboolean
size_hits(const Pattern *pattern, const char *value)
{
    gint64 octets;
    if (!octets_parse(value, &octets))
        return FALSE;
    int order = octets < pattern->octets ? -1 : octets > pattern->octets;
    return (order == 0 && pattern->equals) || (order != 0 && order == pattern->order);
}

gboolean
pattern_hits(const Pattern *pattern, const char *value, MatchCaptures *captures)
{
    switch (pattern->kind) {
    case KIND_ANY:
        return *value != '\0';
    case KIND_EXACT:
        return g_ascii_strcasecmp(pattern->text, value) == 0;
    case KIND_GLOB:
        return glob_hits(pattern->text, value);
    case KIND_REGEX:
        return regex_hits(pattern, value, captures);
    case KIND_BLOCK:
        return address_block_contains(&pattern->block, value);
    case KIND_FILE:
        return file_hits(pattern, value, captures);
    case KIND_SIZE:
        return size_hits(pattern, value);
    }
    g_assert_not_reached();
}

static char **
pieces_of_regex(const char *text)
{
    const char *end = strrchr(text, '/');
    g_autofree char *expression = g_strndup(text + 1, (gsize)(end - text - 1));
    return regex_pieces(expression, strchr(end, 'x') != NULL);
}

gboolean
pattern_needs(const Pattern *pattern, const char **exact, char ***pieces)
{
    *exact = NULL;
    *pieces = NULL;
    switch (pattern->kind) {
    case KIND_EXACT:
        *exact = pattern->text;
        return TRUE;
    case KIND_GLOB:
        *pieces = g_strsplit(pattern->text, "*", -1);
        return TRUE;
    case KIND_REGEX:
        *pieces = pieces_of_regex(pattern->text);
        return *pieces != NULL;
    default:
        return FALSE;
    }
}

const char *
pattern_text(const Pattern *pattern)
{
    return pattern->text;
}

guint
pattern_groups(const Pattern *pattern)
{
    return pattern->regex != NULL ? (guint)g_regex_get_capture_count(pattern->regex) : 0;
}

gboolean
pattern_has_values(const Pattern *pattern)
{
    return pattern->file != NULL && key_file_has_values(pattern->file);
}

/* ---- slow regular expressions
 * ---------------------------------------------------------------------- */

/* Does the expression run into its limit on `piece`, repeated, with and without an end that fits?
 */
static gboolean
is_slow_on(const Pattern *pattern, const char *piece)
{
    enum { TRIAL_OCTETS = 1000 };
    g_autoptr(GString) trial = g_string_new(NULL);
    while (trial->len < TRIAL_OCTETS)
        g_string_append(trial, piece);
    g_string_append_c(trial, '\001');
    g_autoptr(GError) fault = NULL;
    g_regex_match_full(pattern->regex, trial->str, (gssize)trial->len, 0, 0, NULL, &fault);
    return fault != NULL;
}

gboolean
pattern_is_slow(const Pattern *pattern)
{
    static const char *const pieces[] = {"a", "0", " ", "a ", "a.", "-", "a@", "<a>", "a=1,", NULL};
    if (pattern->regex == NULL)
        return FALSE;
    for (guint i = 0; pieces[i] != NULL; i++)
        if (is_slow_on(pattern, pieces[i]))
            return TRUE;
    /* What the expression itself spells: each of its own letters, and each word. */
    g_auto(GStrv) words = g_strsplit_set(pattern->text, "/()[]{}*+?|.^$\\", 64);
    for (guint i = 0; words[i] != NULL && i < 64; i++) {
        char letter[2] = {words[i][0], '\0'};
        if (letter[0] != '\0' && (is_slow_on(pattern, letter) || is_slow_on(pattern, words[i])))
            return TRUE;
    }
    return FALSE;
}
