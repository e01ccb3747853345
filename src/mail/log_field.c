/*
 * log_field: the "key=value" fields of a line of a mail log.
 */
#include "mail/log_field.h"

#include <string.h>

gboolean
log_span_begins(LogSpan span, const char *word)
{
    gsize length = strlen(word);
    return span.length >= length && memcmp(span.at, word, length) == 0;
}

gboolean
log_span_is(LogSpan span, const char *word)
{
    return span.length == strlen(word) && log_span_begins(span, word);
}

gboolean
log_span_take(LogSpan *span, const char *word)
{
    if (!log_span_begins(*span, word))
        return FALSE;
    *span = log_span_from(*span, span->at + strlen(word));
    return TRUE;
}

const char *
log_span_find(LogSpan span, const char *word)
{
    return span.length > 0 ? memmem(span.at, span.length, word, strlen(word)) : NULL;
}

const char *
log_span_find_last(LogSpan span, const char *word)
{
    gsize length = strlen(word);
    for (gsize at = span.length; at-- > 0;)
        if (span.at[at] == word[0] && span.length - at >= length &&
            memcmp(span.at + at, word, length) == 0)
            return span.at + at;
    return NULL;
}

LogSpan
log_span_from(LogSpan span, const char *at)
{
    return (LogSpan){at, span.length - (gsize)(at - span.at)};
}

/* Behind the '"' that closes the one at `at`; 0: it is not closed. */
static gsize
behind_quote(LogSpan span, gsize at)
{
    for (at++; at < span.length; at++) {
        if (span.at[at] == '\\')
            at++;
        else if (span.at[at] == '"')
            return at + 1;
    }
    return 0;
}

/* Behind the '>' that closes the '<' at `at`; 0: it is not closed. A quotation that is not closed
 * means nothing, nor does any behind it: then *quotes becomes FALSE. */
static gsize
behind_bracket(LogSpan span, gsize at, gboolean *quotes)
{
    for (at++; at < span.length; at++) {
        gsize quoted = span.at[at] == '"' && *quotes ? behind_quote(span, at) : 0;
        if (quoted > 0)
            at = quoted - 1;
        else if (span.at[at] == '"')
            *quotes = FALSE;
        else if (span.at[at] == '>')
            return at + 1;
    }
    return 0;
}

gsize
log_span_skip(LogSpan span, gsize from, gboolean (*stops)(LogSpan span, gsize at))
{
    gboolean quotes = TRUE, brackets = TRUE;
    for (gsize at = from; at < span.length;) {
        if (stops(span, at))
            return at;
        gsize behind = 0;
        if (span.at[at] == '"' && quotes)
            quotes = (behind = behind_quote(span, at)) > 0;
        else if (span.at[at] == '<' && brackets)
            brackets = (behind = behind_bracket(span, at, &quotes)) > 0;
        at = behind > 0 ? behind : at + 1;
    }
    return span.length;
}

static gsize
key_length(LogSpan span, gsize at)
{
    gsize length = 0;
    while (at + length < span.length &&
           (g_ascii_isalnum(span.at[at + length]) || span.at[at + length] == '_'))
        length++;
    return at + length < span.length && span.at[at + length] == '=' ? length : 0;
}

static gboolean
is_field_end(LogSpan span, gsize at)
{
    if (span.at[at] == ',')
        return at + 1 < span.length && span.at[at + 1] == ' ';
    return span.at[at] == ' ' && key_length(span, at + 1) > 0;
}

static gsize
value_length(LogSpan key, LogSpan value)
{
    if (log_span_is(key, "status") || log_span_is(key, "stat") || log_span_is(key, "reject"))
        return value.length;
    if (log_span_is(key, "reply")) {
        const char *stat = log_span_find_last(value, ", stat=");
        return stat != NULL ? (gsize)(stat - value.at) : value.length;
    }
    return log_span_skip(value, 0, is_field_end);
}

gboolean
log_field_next(LogSpan *rest, LogField *field)
{
    while (rest->length > 0 && (*rest->at == ' ' || *rest->at == ','))
        *rest = log_span_from(*rest, rest->at + 1);
    if (rest->length == 0)
        return FALSE;
    gsize key = key_length(*rest, 0);
    if (key == 0) {
        gsize word = log_span_skip(*rest, 0, is_field_end);
        *field = (LogField){.key = {rest->at, word}, .value = {rest->at + word, 0}};
        *rest = log_span_from(*rest, rest->at + word);
        return TRUE;
    }
    field->key = (LogSpan){rest->at, key};
    field->value = log_span_from(*rest, rest->at + key + 1);
    field->value.length = value_length(field->key, field->value);
    *rest = log_span_from(*rest, field->value.at + field->value.length);
    return TRUE;
}
