/*
 * regex_pieces: texts that must occur wherever a regular expression matches.
 *
 * Reads the outermost level only: a group, a class, a dot or a class escape ends a piece, a
 * quantifier takes the octet before it back, an alternative or anything that changes how the rest
 * is read ends the attempt.
 */
#include "policy/regex_pieces.h"

#include <string.h>

typedef struct {
    const char *at;
    GString *piece;
    GPtrArray *pieces;
} Reader;

static void
end_piece(Reader *reader)
{
    if (reader->piece->len > 0)
        g_ptr_array_add(reader->pieces, g_strdup(reader->piece->str));
    g_string_truncate(reader->piece, 0);
}

/* Quoting changes how the rest is read. */
static gboolean
is_plain_escape(const char *at)
{
    return at[1] != '\0' && at[1] != 'Q' && at[1] != 'E';
}

/* "[...]": a bracket right behind the opening one, or behind a caret, belongs to the class. */
static gboolean
skip_class(Reader *reader)
{
    const char *at = reader->at + 1;
    at += *at == '^' ? 1 : 0;
    at += *at == ']' ? 1 : 0;
    while (*at != '\0' && *at != ']') {
        if (at[0] == '[' && at[1] == ':') {
            const char *end = strstr(at + 2, ":]");
            at = end != NULL ? end + 2 : at + 1;
        } else if (*at == '\\') {
            if (!is_plain_escape(at))
                return FALSE;
            at += 2;
        } else {
            at++;
        }
    }
    reader->at = at + 1;
    return *at == ']';
}

/* "(...)" with all in it. Settings, verbs, comments and the like are not for us. */
static gboolean
skip_group(Reader *reader)
{
    guint depth = 0;
    do {
        switch (*reader->at) {
        case '\0':
            return FALSE;
        case '(':
            if (reader->at[1] == '*' || (reader->at[1] == '?' && reader->at[2] != ':'))
                return FALSE;
            depth++;
            reader->at++;
            break;
        case ')':
            depth--;
            reader->at++;
            break;
        case '[':
            if (!skip_class(reader))
                return FALSE;
            break;
        case '\\':
            if (!is_plain_escape(reader->at))
                return FALSE;
            reader->at += 2;
            break;
        default:
            reader->at++;
        }
    } while (depth > 0);
    return TRUE;
}

/* An escaped letter or digit is more than itself: known ones end a piece. */
static gboolean
read_escape(Reader *reader)
{
    char octet = reader->at[1];
    if (octet == '\0' || (g_ascii_isalnum(octet) && strchr("dDwWsSbBAzZ", octet) == NULL))
        return FALSE;
    if (g_ascii_isalnum(octet))
        end_piece(reader);
    else
        g_string_append_c(reader->piece, octet);
    reader->at += 2;
    return TRUE;
}

/* What stands before "*", "?" or "{" need not be there; what stands before "+" may come again. */
static gboolean
read_quantifier(Reader *reader)
{
    if (*reader->at != '+' && reader->piece->len > 0)
        g_string_truncate(reader->piece, reader->piece->len - 1);
    end_piece(reader);
    if (*reader->at == '{') {
        const char *end = strchr(reader->at, '}');
        if (end == NULL)
            return FALSE;
        reader->at = end;
    }
    reader->at++;
    while (*reader->at == '?' || *reader->at == '+') /* lazy, possessive */
        reader->at++;
    return TRUE;
}

static gboolean
read_one(Reader *reader)
{
    switch (*reader->at) {
    case '|':
    case ')':
        return FALSE;
    case '(':
        end_piece(reader);
        return skip_group(reader);
    case '[':
        end_piece(reader);
        return skip_class(reader);
    case '\\':
        return read_escape(reader);
    case '*':
    case '?':
    case '+':
    case '{':
        return read_quantifier(reader);
    case '.':
    case '^':
    case '$':
        end_piece(reader);
        break;
    default:
        g_string_append_c(reader->piece, *reader->at);
    }
    reader->at++;
    return TRUE;
}

char **
regex_pieces(const char *expression, gboolean extended)
{
    g_autoptr(GString) piece = g_string_new(NULL);
    g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(g_free);
    Reader reader = {.at = expression, .piece = piece, .pieces = pieces};
    if (extended) /* white space and comments in it mean nothing */
        return NULL;
    while (*reader.at != '\0')
        if (!read_one(&reader))
            return NULL;
    end_piece(&reader);
    g_ptr_array_add(pieces, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&pieces), FALSE);
}
