/*
 * matcher: a condition's value: patterns, each negated or not.
 */
#include "policy/matcher.h"

#include <string.h>

#include "base/error.h"
#include "policy/pattern.h"
#include "policy/syntax.h"

typedef struct {
    Pattern *pattern;
    gboolean negated;
} Element;

struct Matcher {
    GArray *elements; /* of Element */
    gboolean has_plain;
    char *text;
};

void
match_captures_clear(MatchCaptures *captures)
{
    g_clear_pointer(&captures->value, g_free);
    g_clear_pointer(&captures->captures, g_ptr_array_unref);
}

static void
clear_element(gpointer element)
{
    pattern_free(((Element *)element)->pattern);
}

static gboolean
add_element(Matcher *matcher, Fact fact, const char *text, const char *folder, GError **error)
{
    Element element = {.negated = text[0] == '!'};
    element.pattern = pattern_new(fact, text + (element.negated ? 1 : 0), folder, error);
    if (element.pattern == NULL)
        return FALSE;
    matcher->has_plain = matcher->has_plain || !element.negated;
    g_array_append_val(matcher->elements, element);
    return TRUE;
}

/* The value as the policy's syntax has it: a string, or a list of them. */
static char *
written_again(const Matcher *matcher)
{
    g_autoptr(GString) out = g_string_new(NULL);
    guint count = matcher->elements->len;
    for (guint i = 0; i < count; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        g_autofree char *plain =
            g_strconcat(element->negated ? "!" : "", pattern_text(element->pattern), NULL);
        g_autofree char *quoted = syntax_quote(plain);
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", quoted);
    }
    return count == 1 ? g_strdup(out->str) : g_strdup_printf("[ %s ]", out->str);
}

Matcher *
matcher_new(Fact fact, const char *const *texts, guint count, const char *folder, GError **error)
{
    if (count == 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                    "the list of \"%s\" is empty, so it could never match", fact_name(fact));
        return NULL;
    }
    Matcher *matcher = g_new0(Matcher, 1);
    matcher->elements = g_array_new(FALSE, FALSE, sizeof(Element));
    g_array_set_clear_func(matcher->elements, clear_element);
    for (guint i = 0; i < count; i++) {
        if (!add_element(matcher, fact, texts[i], folder, error)) {
            matcher_free(matcher);
            return NULL;
        }
    }
    matcher->text = written_again(matcher);
    return matcher;
}

void
matcher_free(Matcher *matcher)
{
    if (matcher == NULL)
        return;
    g_array_unref(matcher->elements);
    g_free(matcher->text);
    g_free(matcher);
}

static gboolean
hits_any(const Pattern *pattern, const char *const *values, MatchCaptures *captures)
{
    for (; *values != NULL; values++)
        if (pattern_hits(pattern, *values, captures))
            return TRUE;
    return FALSE;
}

gboolean
matcher_match(const Matcher *matcher, const char *const *values, MatchCaptures *captures)
{
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (element->negated && hits_any(element->pattern, values, NULL))
            return FALSE;
    }
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (!element->negated && hits_any(element->pattern, values, captures))
            return TRUE;
    }
    return !matcher->has_plain;
}

const Pattern *
matcher_plain(const Matcher *matcher, guint index)
{
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (!element->negated && index-- == 0)
            return element->pattern;
    }
    return NULL;
}

const char *
matcher_text(const Matcher *matcher)
{
    return matcher->text;
}

/* The most that one of the plain elements leaves. */
guint
matcher_groups(const Matcher *matcher)
{
    guint most = 0;
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (!element->negated)
            most = MAX(most, pattern_groups(element->pattern));
    }
    return most;
}

gboolean
matcher_has_values(const Matcher *matcher)
{
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (!element->negated && pattern_has_values(element->pattern))
            return TRUE;
    }
    return FALSE;
}

const char *
matcher_slow_pattern(const Matcher *matcher)
{
    for (guint i = 0; i < matcher->elements->len; i++) {
        const Element *element = &g_array_index(matcher->elements, Element, i);
        if (pattern_is_slow(element->pattern))
            return pattern_text(element->pattern);
    }
    return NULL;
}
