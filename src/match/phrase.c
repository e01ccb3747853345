/*
 * phrase: a small recursive reader of regular expressions; each part gives its list of strings.
 *
 * Boundaries are kept as octets of their own until the whole string is known, then checked where
 * letters stand on both sides.
 */
#include "match/phrase.h"

#include <string.h>

#define BOUNDARY    '\1'
#define TEXT_START  '\2'
#define TEXT_END    '\3'
#define MAX_DEPTH   16
#define MAX_REPEATS 3

typedef struct {
    const char *at;
    guint depth;
    gboolean failed;
} Reader;

/* ---- lists of strings ---------------------------------------------------------------------- */

static GPtrArray *
list_new(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

static GPtrArray *
list_of(const char *text, gsize length)
{
    GPtrArray *list = list_new();
    g_ptr_array_add(list, g_strndup(text, length));
    return list;
}

/* Each of `first` followed by each of `second`; both are taken. */
static GPtrArray *
list_product(Reader *reader, GPtrArray *first, GPtrArray *second)
{
    GPtrArray *product = list_new();
    reader->failed |= first->len * second->len > PHRASE_MAX_LITERALS;
    for (guint i = 0; i < first->len && !reader->failed; i++)
        for (guint j = 0; j < second->len; j++)
            g_ptr_array_add(product, g_strconcat(first->pdata[i], second->pdata[j], NULL));
    g_ptr_array_unref(first);
    g_ptr_array_unref(second);
    return product;
}

static void
list_extend(Reader *reader, GPtrArray *list, GPtrArray *more)
{
    reader->failed |= list->len + more->len > PHRASE_MAX_LITERALS;
    for (guint i = 0; i < more->len && !reader->failed; i++)
        g_ptr_array_add(list, g_strdup(more->pdata[i]));
}

/* ---- reading ------------------------------------------------------------------------------- */

static GPtrArray *read_alternatives(Reader *reader);

static GPtrArray *
fail(Reader *reader)
{
    reader->failed = TRUE;
    return list_new();
}

static GPtrArray *
read_escape(Reader *reader)
{
    char octet = reader->at[1];
    reader->at += octet != '\0' ? 2 : 1;
    if (octet == 'b')
        return list_of((char[]){BOUNDARY}, 1);
    if (octet == '\0' || g_ascii_isalnum(octet) || (guchar)octet < ' ')
        return fail(reader);
    return list_of(&octet, 1);
}

/* "[ae]", "[0-9]": no negation, no classes in it. */
static GPtrArray *
read_class(Reader *reader)
{
    GPtrArray *list = list_new();
    const char *at = reader->at + 1;
    gboolean understood = *at != '^' && *at != ']';
    while (*at != ']' && understood && list->len < 40) {
        char from = at[0], to = at[0];
        understood = g_ascii_isprint(from) && from != '[' && from != '\\';
        if (understood && at[1] == '-' && at[2] != ']') {
            to = at[2];
            at += 2;
            understood = g_ascii_isalnum(from) && g_ascii_isalnum(to);
        }
        for (int octet = from; understood && octet <= to; octet++)
            g_ptr_array_add(list, g_strndup((char[]){(char)octet}, 1));
        at += understood ? 1 : 0;
    }
    reader->failed |= !understood || *at != ']';
    reader->at = at + (*at == ']' ? 1 : 0);
    return list;
}

static GPtrArray *
read_group(Reader *reader)
{
    if (reader->at[1] == '?' && reader->at[2] != ':')
        return fail(reader);
    reader->at += reader->at[1] == '?' ? 3 : 1;
    if (++reader->depth > MAX_DEPTH)
        return fail(reader);
    GPtrArray *list = read_alternatives(reader);
    reader->depth--;
    reader->failed |= *reader->at != ')';
    reader->at += *reader->at != '\0' ? 1 : 0;
    return list;
}

static GPtrArray *
read_atom(Reader *reader)
{
    switch (*reader->at) {
    case '\\':
        return read_escape(reader);
    case '[':
        return read_class(reader);
    case '(':
        return read_group(reader);
    case '^':
        reader->at++;
        return list_of((char[]){TEXT_START}, 1);
    case '$':
        reader->at++;
        return list_of((char[]){TEXT_END}, 1);
    case '.':
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(reader);
    default:
        return (guchar)*reader->at < ' ' ? fail(reader) : list_of(reader->at++, 1);
    }
}

/* "?", "{2}", "{0,2}" behind an atom: how often it may stand. */
static void
read_repeat(Reader *reader, guint *least, guint *most)
{
    const char *at = reader->at;
    *least = *most = 1;
    if (*at == '?') {
        *least = 0;
        at++;
    } else if (*at == '{' && g_ascii_isdigit(at[1])) {
        *least = *most = (guint)(at[1] - '0');
        at += 2;
        if (at[0] == ',' && g_ascii_isdigit(at[1])) {
            *most = (guint)(at[1] - '0');
            at += 2;
        }
        reader->failed |= *at != '}' || *most > MAX_REPEATS || *least > *most;
        at += *at != '\0' ? 1 : 0;
    }
    reader->failed |= *at != '\0' && strchr("*+?{", *at) != NULL;
    reader->at = at;
}

static GPtrArray *
repeated(Reader *reader, GPtrArray *atom, guint least, guint most)
{
    GPtrArray *all = list_new();
    GPtrArray *so_far = list_of("", 0);
    for (guint times = 0; times <= most && !reader->failed; times++) {
        if (times >= least)
            list_extend(reader, all, so_far);
        so_far = list_product(reader, so_far, g_ptr_array_ref(atom));
    }
    g_ptr_array_unref(so_far);
    g_ptr_array_unref(atom);
    return all;
}

static GPtrArray *
read_sequence(Reader *reader)
{
    GPtrArray *list = list_of("", 0);
    while (!reader->failed && *reader->at != '\0' && *reader->at != '|' && *reader->at != ')') {
        guint least, most;
        GPtrArray *atom = read_atom(reader);
        read_repeat(reader, &least, &most);
        if (least != 1 || most != 1)
            atom = repeated(reader, atom, least, most);
        list = list_product(reader, list, atom);
    }
    return list;
}

static GPtrArray *
read_alternatives(Reader *reader)
{
    GPtrArray *list = read_sequence(reader);
    while (!reader->failed && *reader->at == '|') {
        reader->at++;
        g_autoptr(GPtrArray) more = read_sequence(reader);
        list_extend(reader, list, more);
    }
    return list;
}

/* ---- boundaries ---------------------------------------------------------------------------- */

const guint8 phrase_word[256] = {
    ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['<'] = 1, ['>'] = 1,
};

/* A boundary before the octet `next` of the literal so far, or at its end ('\0'). FALSE if it
 * cannot be. */
static gboolean
literal_bound(PhraseLiteral *literal, char bound, char next)
{
    if (bound == TEXT_START) {
        literal->bounds |= PHRASE_TEXT_START;
        return literal->length == 0;
    }
    if (bound == TEXT_END) {
        literal->bounds |= PHRASE_TEXT_END;
        return next == '\0';
    }
    if (literal->length == 0)
        literal->bounds |= PHRASE_WORD_LEFT;
    else if (next == '\0')
        literal->bounds |= PHRASE_WORD_RIGHT;
    else
        return phrase_word[(guchar)literal->text[literal->length - 1]] != phrase_word[(guchar)next];
    return TRUE;
}

/* Takes the boundaries out of `text`. FALSE if one stands where none can be, or nothing is left. */
static gboolean
literal_finish(char *text, PhraseLiteral *literal)
{
    *literal = (PhraseLiteral){.text = text};
    for (const char *at = text; *at != '\0'; at++) {
        const char *next = at;
        while (*next != '\0' && *next <= TEXT_END && *next >= BOUNDARY)
            next++;
        if (next == at)
            text[literal->length++] = *at;
        else if (!literal_bound(literal, *at, *next))
            return FALSE;
    }
    text[literal->length] = '\0';
    return literal->length > 0;
}

static void
literal_clear(void *data)
{
    PhraseLiteral *literal = data;
    g_free(literal->text);
}

static gboolean
is_repeated(const GArray *literals, const PhraseLiteral *literal)
{
    for (guint i = 0; i < literals->len; i++) {
        const PhraseLiteral *other = &g_array_index(literals, PhraseLiteral, i);
        if (other->bounds == literal->bounds && strcmp(other->text, literal->text) == 0)
            return TRUE;
    }
    return FALSE;
}

GArray *
phrase_literals(const char *expression)
{
    Reader reader = {.at = expression};
    g_autoptr(GPtrArray) list = read_alternatives(&reader);
    if (reader.failed || *reader.at != '\0')
        return NULL;
    GArray *literals = g_array_new(FALSE, FALSE, sizeof(PhraseLiteral));
    g_array_set_clear_func(literals, literal_clear);
    for (guint i = 0; i < list->len; i++) {
        PhraseLiteral literal;
        gboolean possible = literal_finish(list->pdata[i], &literal);
        if (!possible && literal.length == 0 && *literal.text == '\0') {
            g_array_unref(literals);
            return NULL;
        }
        if (!possible || is_repeated(literals, &literal))
            continue;
        literal.text = g_strdup(literal.text);
        g_array_append_val(literals, literal);
    }
    if (literals->len == 0)
        g_clear_pointer(&literals, g_array_unref);
    return literals;
}
