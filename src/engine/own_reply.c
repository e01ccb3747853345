/*
 * own_reply: has one of our doors made this reply already?
 */
#include "engine/own_reply.h"

#include <string.h>

#include "engine/reference.h"

/* A template with fewer octets of its own could be anybody's. */
#define OWN_OCTETS_MIN 12
/* One of a check may have fewer ("Now at %{value}"): it comes with one code only. */
#define CHECK_OCTETS_MIN 6
/* A longer line is not ours; at the delivery door a remote server's words stand before our own. */
#define OWN_LINE_MAX 2048

/* The length of the "%{name}" that stands at `text`, or 0. */
static gsize
variable_length(const char *text)
{
    const char *end = text[0] == '%' && text[1] == '{' ? strchr(text, '}') : NULL;
    return end == NULL ? 0 : (gsize)(end - text) + 1;
}

/* Octets of the template that must stand in the line; "%%" is one. */
static gsize
own_octets(const char *template_text)
{
    gsize octets = 0;
    for (gsize step = 0; *template_text != '\0'; template_text += step) {
        step = variable_length(template_text);
        if (step > 0)
            continue;
        step = g_str_has_prefix(template_text, "%%") ? 2 : 1;
        octets++;
    }
    return octets;
}

/* A backslash goes out of the footer table as a slash. */
static gboolean
is_same(char in_template, char in_line)
{
    return in_template == in_line || (in_template == '\\' && in_line == '/');
}

/* A glob match in which each variable is the star: back to the last one when an octet differs. */
static gboolean
fits(const char *template_text, const char *line)
{
    const char *after_star = NULL, *star_line = NULL;
    for (;;) {
        gsize variable = variable_length(template_text);
        if (variable > 0) {
            template_text += variable;
            after_star = template_text;
            star_line = line;
            continue;
        }
        if (*template_text == '\0' && *line == '\0')
            return TRUE;
        if (*line != '\0' && is_same(*template_text, *line)) {
            template_text += g_str_has_prefix(template_text, "%%") ? 2 : 1;
            line++;
        } else if (after_star != NULL && *star_line != '\0') {
            template_text = after_star;
            line = ++star_line;
        } else {
            return FALSE;
        }
    }
}

gboolean
own_reply_line_from(const char *template_text, const char *line)
{
    return fits(template_text, line) && own_octets(template_text) >= OWN_OCTETS_MIN;
}

static const char *
words_behind(const char *line, const char *mark)
{
    const char *at = strstr(line, mark);
    return at == NULL ? NULL : at + strlen(mark);
}

/* The last blank of one mark may be the first of the next. */
static const char *
next_words(const char *words, const char *mark)
{
    return words_behind(words - 1, mark);
}

/* Where a template stops to be looked at: what is longer may have been wrapped or shortened. */
static gsize
looked_at(const char *template_text)
{
    gsize at = 0;
    while (template_text[at] != '\0' && at < POLICY_TEXT_HEAD) {
        gsize variable = variable_length(template_text + at);
        at += variable > 0 ? variable : (g_str_has_prefix(template_text + at, "%%") ? 2 : 1);
    }
    return at;
}

/* The beginning of a template, as one of which the rest does not matter. */
static char *
open_ended(const char *template_text)
{
    return g_strdup_printf("%.*s%%{}", (int)looked_at(template_text), template_text);
}

static gboolean
stands_behind_dash(const char *template_text, const char *line)
{
    g_autofree char *beginning = open_ended(template_text);
    for (const char *words = words_behind(line, OWN_REPLY_DASH); words != NULL;
         words = next_words(words, OWN_REPLY_DASH))
        if (fits(beginning, words))
            return TRUE;
    return FALSE;
}

/* A check says it with one code only, and it is the whole line: without variables that may be as
 * short as it likes. */
static gboolean
is_line_of_check(const PolicyText *text, const char *line)
{
    const char *words = template_text(text->template);
    gboolean enough = strstr(words, "%{") == NULL || own_octets(words) >= CHECK_OCTETS_MIN;
    return text->code != 0 && enough && fits(words, line);
}

static gboolean
line_is_from(const char *template_text, const char *line)
{
    if (own_reply_line_from(template_text, line))
        return TRUE;
    gboolean dash = strstr(line, OWN_REPLY_DASH) != NULL;
    gboolean longer = template_text[looked_at(template_text)] != '\0';
    if ((!dash && !longer) || own_octets(template_text) < OWN_OCTETS_MIN)
        return FALSE;
    g_autofree char *beginning = longer ? open_ended(template_text) : NULL;
    return (longer && fits(beginning, line)) || (dash && stands_behind_dash(template_text, line));
}

static gboolean
is_text_of_policy(const Policy *policy, const SmtpReply *reply)
{
    for (guint at = 0; at < smtp_reply_line_count(reply); at++) {
        const char *line = smtp_reply_line(reply, at)->text;
        if (strnlen(line, OWN_LINE_MAX + 1) > OWN_LINE_MAX)
            continue;
        g_autoptr(GPtrArray) likely = policy_likely_texts(policy, line);
        for (guint i = 0; i < likely->len; i++) {
            const PolicyText *text = g_ptr_array_index(likely, i);
            if (text->code != 0 && text->code != reply->code)
                continue;
            if (is_line_of_check(text, line) || line_is_from(template_text(text->template), line))
                return TRUE;
        }
    }
    return FALSE;
}

static gboolean
begins_with_sentence(const char *words)
{
    for (guint i = 0; i < CATEGORY_COUNT; i++)
        if (g_str_has_prefix(words, category_info((Category)i)->sentence))
            return TRUE;
    return FALSE;
}

/* Where nothing says which category it is, and where the sentence would repeat what stands there,
 * there is only advice. */
static gboolean
begins_with_advice(const char *words)
{
    return g_str_has_prefix(words, category_info(CATEGORY_UNCLASSIFIED)->advice) ||
           g_str_has_prefix(words, category_info(CATEGORY_HOST_BLOCKED)->advice);
}

static gboolean
line_explains(const char *line)
{
    if (begins_with_sentence(line) || begins_with_advice(line))
        return TRUE;
    for (const char *words = words_behind(line, OWN_REPLY_DASH); words != NULL;
         words = next_words(words, OWN_REPLY_DASH))
        if (begins_with_advice(words))
            return TRUE;
    return FALSE;
}

/* The remote server may run replymilter too: what counts is what stands behind its words. */
static gboolean
is_own_delivery(const Policy *policy, const SmtpReply *reply)
{
    const char *text = smtp_reply_line(reply, 0)->text;
    for (const char *words = words_behind(text, OWN_REPLY_MEANING); words != NULL;
         words = next_words(words, OWN_REPLY_MEANING))
        if (begins_with_sentence(words))
            return TRUE;
    for (const char *words = words_behind(text, OWN_REPLY_DASH); words != NULL;
         words = next_words(words, OWN_REPLY_DASH))
        if (g_str_has_prefix(words, category_info(CATEGORY_UNCLASSIFIED)->advice))
            return TRUE;
    return reference_ends(text) || is_text_of_policy(policy, reply);
}

gboolean
own_reply_is(const Policy *policy, Door door, const SmtpReply *reply)
{
    guint count = smtp_reply_line_count(reply);
    if (door == DOOR_DELIVERY)
        return is_own_delivery(policy, reply);
    if (reference_ends(smtp_reply_line(reply, count - 1)->text))
        return TRUE;
    for (guint i = 0; i < count; i++)
        if (line_explains(smtp_reply_line(reply, i)->text))
            return TRUE;
    return is_text_of_policy(policy, reply);
}
