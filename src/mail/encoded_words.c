/*
 * encoded_words: text in a header field that is not ASCII.
 */
#include "mail/encoded_words.h"

#include <string.h>

#include "mail/charset_text.h"

/* Longer than any charset's name. */
enum { CHARSET_OCTETS = 60 };

typedef struct {
    char charset[CHARSET_OCTETS + 1];
    char encoding; /* 'q' or 'b' */
    const char *text, *text_end;
    const char *behind;
} EncodedWord;

/* strstr() for two octets; sanitizers let that one measure the whole text in each call. */
static const char *
find_pair(const char *text, const char pair[2])
{
    while ((text = strchr(text, pair[0])) != NULL && text[1] != pair[1])
        text++;
    return text;
}

/* Reads the word that begins with "=?" at `at`; FALSE: it is none. */
static gboolean
read_word(const char *at, EncodedWord *word)
{
    const char *charset = at + 2;
    gsize length = strcspn(charset, "?= \t");
    if (length == 0 || length > CHARSET_OCTETS || charset[length] != '?')
        return FALSE;
    const char *encoding = charset + length + 1;
    word->encoding = g_ascii_tolower(encoding[0]);
    if ((word->encoding != 'q' && word->encoding != 'b') || encoding[1] != '?')
        return FALSE;
    word->text = encoding + 2;
    word->text_end = find_pair(word->text, "?=");
    if (word->text_end == NULL)
        return FALSE;
    word->behind = word->text_end + 2;
    /* "utf-8*en" names a language too. */
    const char *star = memchr(charset, '*', length);
    gsize name = star != NULL ? (gsize)(star - charset) : length;
    memcpy(word->charset, charset, name);
    word->charset[name] = '\0';
    return TRUE;
}

static void
decode_q(const EncodedWord *word, GString *octets)
{
    for (const char *at = word->text; at < word->text_end; at++) {
        gboolean is_hex = *at == '=' && word->text_end - at > 2 && g_ascii_isxdigit(at[1]) &&
                          g_ascii_isxdigit(at[2]);
        if (is_hex) {
            g_string_append_c(
                octets, (char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
            at += 2;
        } else {
            g_string_append_c(octets, *at == '_' ? ' ' : *at);
        }
    }
}

static void
decode_b(const EncodedWord *word, GString *octets)
{
    g_autoptr(GString) letters = g_string_sized_new((gsize)(word->text_end - word->text) + 4);
    for (const char *at = word->text; at < word->text_end; at++)
        if (g_ascii_isalnum(*at) || *at == '+' || *at == '/')
            g_string_append_c(letters, *at);
    while (letters->len % 4 != 0)
        g_string_append_c(letters, '=');
    gsize from = octets->len;
    int state = 0;
    guint save = 0;
    g_string_set_size(octets, from + letters->len / 4 * 3 + 3);
    gsize decoded = g_base64_decode_step(letters->str, letters->len, (guchar *)octets->str + from,
                                         &state, &save);
    g_string_set_size(octets, from + decoded);
}

/* The word that follows `behind`, with nothing but white space between. */
static gboolean
read_next_word(const char *behind, EncodedWord *word)
{
    behind += strspn(behind, " \t");
    return behind[0] == '=' && behind[1] == '?' && read_word(behind, word);
}

/* Decodes the word and those of its charset that follow it; `*word` is the last of them. */
static void
decode_run(EncodedWord *word, GString *decoded)
{
    g_autoptr(GString) octets = g_string_new(NULL);
    EncodedWord next = *word;
    do {
        *word = next;
        if (word->encoding == 'q')
            decode_q(word, octets);
        else
            decode_b(word, octets);
    } while (read_next_word(word->behind, &next) &&
             g_ascii_strcasecmp(next.charset, word->charset) == 0);
    charset_text_to_utf8(octets, word->charset);
    g_string_append_len(decoded, octets->str, (gssize)octets->len);
}

GString *
encoded_words_decode(const char *value)
{
    GString *decoded = g_string_sized_new(strlen(value));
    const char *at = value, *last_end = g_strrstr(value, "?=");
    for (const char *begin; (begin = find_pair(at, "=?")) != NULL;) {
        EncodedWord word;
        g_string_append_len(decoded, at, begin - at);
        at = begin;
        if (!read_word(at, &word)) {
            /* No word ends behind here, so none begins. */
            if (at > last_end)
                break;
            g_string_append_len(decoded, at, 2);
            at += 2;
            continue;
        }
        decode_run(&word, decoded);
        EncodedWord next;
        at = word.behind;
        if (read_next_word(at, &next))
            at += strspn(at, " \t");
    }
    g_string_append(decoded, at);
    return decoded;
}
