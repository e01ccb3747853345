/*
 * word_index: which of the policy's own texts may have made a line.
 */
#include "policy/word_index.h"

#include <string.h>

#include "policy/gram_index.h"

struct WordIndex {
    GArray *texts;     /* of PolicyText */
    GPtrArray *always; /* of PolicyText *: too short to be told from others */
    GramIndex *grams;
};

static void
add_texts(WordIndex *index, const ReplyTemplate *reply, guint code)
{
    for (guint i = 0; i < reply->text->len; i++) {
        PolicyText text = {.template = g_ptr_array_index(reply->text, i), .code = code};
        g_array_append_val(index->texts, text);
    }
}

static void
end_word(GPtrArray *words, GString *word)
{
    if (word->len > 0)
        g_ptr_array_add(words, g_strdup(word->str));
    g_string_truncate(word, 0);
}

/* What a line certainly holds if the text made it: the words between its variables. */
static char **
words_of_text(const char *text)
{
    g_autoptr(GString) word = g_string_new(NULL);
    GPtrArray *words = g_ptr_array_new();
    for (const char *at = text; *at != '\0' && at < text + POLICY_TEXT_HEAD; at++) {
        const char *end = g_str_has_prefix(at, "%{") ? strchr(at, '}') : NULL;
        if (end != NULL || *at == '\\') {
            end_word(words, word);
            at = end != NULL ? end : at;
            continue;
        }
        g_string_append_c(word, *at);
        at += g_str_has_prefix(at, "%%") ? 1 : 0;
    }
    end_word(words, word);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static void
finish(WordIndex *index)
{
    for (guint i = 0; i < index->texts->len; i++) {
        PolicyText *text = &g_array_index(index->texts, PolicyText, i);
        g_auto(GStrv) words = words_of_text(template_text(text->template));
        if (!gram_index_add(index->grams, i, (const char *const *)words))
            g_ptr_array_add(index->always, text);
    }
    gram_index_finish(index->grams);
}

WordIndex *
word_index_new(const GPtrArray *rules, const GPtrArray *checks)
{
    WordIndex *index = g_new0(WordIndex, 1);
    index->texts = g_array_new(FALSE, FALSE, sizeof(PolicyText));
    index->always = g_ptr_array_new();
    index->grams = gram_index_new();
    for (guint i = 0; i < rules->len; i++)
        add_texts(index, &((const PolicyRule *)g_ptr_array_index(rules, i))->reply, 0);
    for (guint i = 0; i < checks->len; i++) {
        const PolicyCheck *check = g_ptr_array_index(checks, i);
        add_texts(index, &check->reply, check->reply.code);
    }
    finish(index);
    return index;
}

void
word_index_free(WordIndex *index)
{
    if (index == NULL)
        return;
    g_array_unref(index->texts);
    g_ptr_array_unref(index->always);
    gram_index_free(index->grams);
    g_free(index);
}

GPtrArray *
word_index_find(const WordIndex *index, const char *line)
{
    gsize words = (index->texts->len + 63) / 64;
    g_autofree guint64 *bits = g_new0(guint64, words);
    GPtrArray *likely = g_ptr_array_new();
    for (guint i = 0; i < index->always->len; i++)
        g_ptr_array_add(likely, g_ptr_array_index(index->always, i));
    gram_index_find(index->grams, line, bits);
    for (gsize word = 0; word < words; word++)
        for (guint64 left = bits[word]; left != 0; left &= left - 1) {
            guint at = (guint)word * 64 + (guint)__builtin_ctzll(left);
            g_ptr_array_add(likely, &g_array_index(index->texts, PolicyText, at));
        }
    return likely;
}
