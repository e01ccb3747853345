/*
 * explanation: the lines that a decision puts into a reply.
 */
#include "engine/explanation.h"

#include <string.h>

#include "engine/fit.h"
#include "engine/own_reply.h"
#include "engine/reference.h"

static gboolean
has_text(const Explanation *explanation)
{
    return explanation->template != NULL && explanation->template->text->len > 0 &&
           explanation->disclosure == DISCLOSURE_FULL;
}

static const CategoryInfo *
category_of(const Explanation *explanation)
{
    return category_info(explanation->values->cause->category);
}

/* "Here" is a remote server's at the delivery door. */
static char *
sentence_line(const Explanation *explanation, const char *advice)
{
    gboolean remote = explanation->values->facts->door == DOOR_DELIVERY;
    return g_strconcat(remote ? OWN_REPLY_MEANING : "", category_of(explanation)->sentence,
                       advice == NULL ? NULL : " ", advice, NULL);
}

/* The sentence of `unclassified` says nothing beside a reply that says something; the rbl reply has
 * its own words for what is the matter. */
static gboolean
sentence_is_empty_talk(const Explanation *explanation)
{
    return explanation->values->cause->category == CATEGORY_UNCLASSIFIED ||
           explanation->values->facts->door == DOOR_RBL;
}

static void
add_why(const Explanation *explanation, gboolean with_advice, GPtrArray *lines)
{
    const char *advice = category_of(explanation)->advice;
    if (explanation->disclosure == DISCLOSURE_BRIEF)
        g_ptr_array_add(lines, sentence_line(explanation, NULL));
    else if (!sentence_is_empty_talk(explanation))
        g_ptr_array_add(lines, sentence_line(explanation, with_advice ? advice : NULL));
    else if (with_advice)
        g_ptr_array_add(lines, g_strdup(advice));
}

/* "Help: https://mail.example.net/why/5.1.1 or postmaster@example.net". */
static void
add_help(const Explanation *explanation, GPtrArray *lines)
{
    const char *url = template_values_lookup(VARIABLE_HELP_URL, explanation->values);
    const char *contact = template_values_lookup(VARIABLE_CONTACT, explanation->values);
    if (explanation->disclosure == DISCLOSURE_BRIEF || (url == NULL && contact == NULL))
        return;
    g_ptr_array_add(lines,
                    g_strconcat("Help: ", url != NULL ? url : contact,
                                url != NULL && contact != NULL ? " or " : NULL, contact, NULL));
}

/* Will the next door know the reply again by this line? */
static gboolean
is_known_again(const Template *template, const char *line)
{
    return reference_ends(line) || own_reply_line_from(template_text(template), line);
}

/* `reference_shown`: the text has the reference, and words by which the next door knows it. */
static GPtrArray *
text_lines(const ReplyTemplate *reply, TemplateValues *values, gboolean *reference_shown)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    gboolean has_reference = FALSE, known_again = FALSE;
    for (guint i = 0; i < reply->text->len; i++) {
        const Template *template = g_ptr_array_index(reply->text, i);
        char *line = template_expand(template, template_values_lookup, values);
        if (line != NULL && *g_strstrip(line) != '\0') {
            has_reference = has_reference || template_uses(template, VARIABLE_REFERENCE);
            known_again = known_again || is_known_again(template, line);
            g_ptr_array_add(lines, line);
        } else {
            g_free(line);
        }
    }
    *reference_shown = has_reference && known_again;
    return lines;
}

GPtrArray *
explanation_text(const ReplyTemplate *reply, TemplateValues *values)
{
    gboolean reference_shown = FALSE;
    return text_lines(reply, values, &reference_shown);
}

/* TRUE if the reference stands in it. */
static gboolean
add_text(const Explanation *explanation, GPtrArray *lines)
{
    gboolean reference_shown = FALSE;
    GPtrArray *text = text_lines(explanation->template, explanation->values, &reference_shown);
    if (text->len == 0)
        g_ptr_array_add(lines, sentence_line(explanation, NULL));
    g_ptr_array_extend_and_steal(lines, text);
    return reference_shown;
}

/* Behind the last line where there are `most` already. */
static void
add_reference(const Explanation *explanation, guint most, GPtrArray *lines)
{
    g_autofree char *line = reference_line(explanation->values->reference);
    if (lines->len < most) {
        g_ptr_array_add(lines, g_steal_pointer(&line));
        return;
    }
    g_ptr_array_set_size(lines, (gint)most);
    char **last = (char **)&g_ptr_array_index(lines, most - 1);
    char *both = g_strjoin(" ", *last, line, NULL);
    g_free(*last);
    *last = both;
}

/* Returns how many of the last lines matter most: help and reference. */
static guint
add_all(const Explanation *explanation, gboolean with_advice, guint most, GPtrArray *lines)
{
    const TemplateValues *values = explanation->values;
    gboolean reference =
        values->reference != NULL && policy_settings(values->policy)->site.reference;
    gboolean own_text = has_text(explanation);
    if (own_text)
        reference = !add_text(explanation, lines) && reference;
    else
        add_why(explanation, with_advice, lines);
    guint text = MIN(lines->len, most - (reference ? 1 : 0));
    if (!own_text)
        add_help(explanation, lines);
    if (reference)
        add_reference(explanation, most, lines);
    return lines->len > text ? lines->len - text : 0;
}

/* Whole sentences, or none: has nothing been shortened or left out? */
static gboolean
is_whole(const GPtrArray *fitted, const GPtrArray *lines)
{
    if (fitted->len < lines->len)
        return FALSE;
    for (guint i = 0; i < lines->len; i++)
        if (strcmp(g_ptr_array_index(fitted, i), g_ptr_array_index(lines, i)) != 0)
            return FALSE;
    return TRUE;
}

GPtrArray *
explanation_added(const Explanation *explanation, const SmtpReply *reply)
{
    for (gboolean with_advice = TRUE;; with_advice = FALSE) {
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        guint kept = add_all(explanation, with_advice, FIT_MAX_ADDED_LINES, lines);
        g_autoptr(GPtrArray) fitted = fit_added_lines(reply, lines, kept);
        if (!with_advice || has_text(explanation) || is_whole(fitted, lines))
            return g_steal_pointer(&fitted);
    }
}

GPtrArray *
explanation_instead(const Explanation *explanation)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    add_all(explanation, TRUE, FIT_MAX_LINES, lines);
    if (!has_text(explanation) && explanation->disclosure == DISCLOSURE_FULL &&
        sentence_is_empty_talk(explanation)) /* there it is all that is said */
        g_ptr_array_insert(lines, 0, sentence_line(explanation, NULL));
    return lines;
}

/* The reference is sure of its place; the others come in while they fit. */
static char *
join_within(const GPtrArray *lines, gsize limit, gboolean *whole)
{
    GString *words = g_string_new(NULL);
    const char *last = g_ptr_array_index(lines, lines->len - 1);
    gsize reserved = strlen(last) + 1;
    *whole = TRUE;
    for (guint i = 0; i + 1 < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        if (words->len + strlen(line) + 1 + reserved <= limit)
            g_string_append_printf(words, "%s ", line);
        else
            *whole = FALSE;
    }
    if (words->len + strlen(last) <= limit)
        g_string_append(words, last);
    return g_string_free(words, FALSE);
}

char *
explanation_words(const Explanation *explanation, gsize limit)
{
    for (gboolean with_advice = TRUE;; with_advice = FALSE) {
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
        add_all(explanation, with_advice, G_MAXUINT16, lines);
        if (lines->len == 0)
            return NULL;
        gboolean whole = FALSE;
        g_autofree char *words = join_within(lines, limit, &whole);
        if (whole || !with_advice || has_text(explanation))
            return *g_strstrip(words) == '\0' ? NULL : g_steal_pointer(&words);
    }
}
