/*
 * line_pattern: a pattern is a list of tokens; each takes what it can from where the last one
 * ended.
 *
 * Only "{*}" has a choice. It takes the leftmost place at which the token behind it fits, and where
 * that is a text with a token like {address} behind it, the place at which both fit. {text} takes
 * the rightmost place of the text behind it.
 */
#include "classify/line_pattern.h"

#include <string.h>

#include "base/error.h"

typedef enum {
    TOKEN_LITERAL,
    TOKEN_ADDRESS,
    TOKEN_ADDRESSES,
    TOKEN_USER,
    TOKEN_HOST,
    TOKEN_CODE,
    TOKEN_TEXT,
    TOKEN_ANY,
} TokenKind;

typedef struct {
    TokenKind kind;
    char *text; /* of a literal: small letters, white space as one space */
    gsize length;
    gsize word; /* octets before its first space */
} Token;

struct LinePattern {
    GArray *tokens; /* of Token */
};

static const struct {
    const char *name;
    TokenKind kind;
} token_names[] = {
    {"address", TOKEN_ADDRESS}, {"addresses", TOKEN_ADDRESSES}, {"user", TOKEN_USER},
    {"host", TOKEN_HOST},       {"code", TOKEN_CODE},           {"text", TOKEN_TEXT},
    {"*", TOKEN_ANY},
};

/* ---- building ------------------------------------------------------------------------------ */

static void
token_clear(void *data)
{
    g_free(((Token *)data)->text);
}

static gboolean
is_white(char octet)
{
    return octet == ' ' || octet == '\t';
}

static void
add_literal(LinePattern *pattern, const char *text, gsize length)
{
    GString *literal = g_string_new(NULL);
    for (gsize i = 0; i < length; i++) {
        if (!is_white(text[i]))
            g_string_append_c(literal, g_ascii_tolower(text[i]));
        else if (literal->len == 0 || literal->str[literal->len - 1] != ' ')
            g_string_append_c(literal, ' ');
    }
    Token token = {.kind = TOKEN_LITERAL, .length = literal->len};
    token.word = strcspn(literal->str, " ");
    token.text = g_string_free(literal, FALSE);
    g_array_append_val(pattern->tokens, token);
}

static gboolean
add_named(LinePattern *pattern, const char *name, gsize length)
{
    for (guint i = 0; i < G_N_ELEMENTS(token_names); i++) {
        if (strlen(token_names[i].name) == length &&
            memcmp(token_names[i].name, name, length) == 0) {
            Token token = {.kind = token_names[i].kind};
            g_array_append_val(pattern->tokens, token);
            return TRUE;
        }
    }
    return FALSE;
}

LinePattern *
line_pattern_new(const char *text, GError **error)
{
    g_autoptr(LinePattern) pattern = g_new0(LinePattern, 1);
    pattern->tokens = g_array_new(FALSE, FALSE, sizeof(Token));
    g_array_set_clear_func(pattern->tokens, token_clear);
    const char *at = text;
    while (*at != '\0') {
        gsize length = strcspn(at, "{");
        if (length > 0)
            add_literal(pattern, at, length);
        at += length;
        if (*at == '\0')
            break;
        gsize inner = strcspn(at + 1, "}");
        if (at[1 + inner] == '\0' || !add_named(pattern, at + 1, inner)) {
            error_fail(error, REPLYMILTER_ERROR_SYNTAX, "\"%s\": cannot read \"%.16s\"", text, at);
            return NULL;
        }
        at += inner + 2;
    }
    if (pattern->tokens->len == 0) {
        error_fail(error, REPLYMILTER_ERROR_SYNTAX, "an empty pattern");
        return NULL;
    }
    return g_steal_pointer(&pattern);
}

void
line_pattern_free(LinePattern *pattern)
{
    if (pattern == NULL)
        return;
    g_array_unref(pattern->tokens);
    g_free(pattern);
}

char *
line_lower(const char *text, gsize length)
{
    char *lower = g_malloc(length + 1);
    for (gsize i = 0; i < length; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    lower[length] = '\0';
    return lower;
}

/* ---- what tokens take ---------------------------------------------------------------------- */

static gboolean
is_local(char octet)
{
    return g_ascii_isalnum(octet) || (guchar)octet >= 0x80 ||
           (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", octet) != NULL);
}

static gboolean
is_domain(char octet)
{
    return g_ascii_isalnum(octet) || (guchar)octet >= 0x80 || octet == '.' || octet == '-' ||
           octet == '_';
}

/* Chinese and Japanese put no space between an address and their own words: a letter from U+2000
 * on beside an ASCII letter is one of theirs. */
static gboolean
is_far_letter(char octet)
{
    return (guchar)octet >= 0xe2;
}

/* Octets of the domain or address literal at `text`; 0: none. */
static gsize
domain_length(const char *text, gsize length)
{
    if (length > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', MIN(length, 64));
        return end != NULL && end > text + 1 ? (gsize)(end - text) + 1 : 0;
    }
    gsize used = 0;
    while (used < length && used < 255 && is_domain(text[used]) &&
           !(used > 0 && is_far_letter(text[used]) && g_ascii_isalnum(text[used - 1])))
        used++;
    while (used > 0 && !g_ascii_isalnum(text[used - 1]) && (guchar)text[used - 1] < 0x80)
        used--;
    return used;
}

/* Octets of the "quoted user" at `text`; 0: none. */
static gsize
quoted_length(const char *text, gsize length)
{
    for (gsize i = 1; i < length && i < LINE_ADDRESS_OCTETS && text[0] == '"'; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Does an ASCII letter follow one from U+2000 on, which ends before `at`? */
static gboolean
is_far_start(const char *from, const char *at)
{
    const char *lead = at - 1;
    if (!g_ascii_isalnum(*at))
        return FALSE;
    while (lead > from && ((guchar)*lead & 0xc0) == 0x80)
        lead--;
    return is_far_letter(*lead);
}

/* Octets of the address at `text`, a route before it included; 0: none. */
static gsize
address_length(const char *text, gsize length)
{
    gsize used = 0;
    if (length > 0 && text[0] == '@') {
        while (used < length && used < 255 &&
               (is_domain(text[used]) || text[used] == '@' || text[used] == ','))
            used++;
        if (used == length || text[used] != ':')
            return 0;
        used++;
    }
    gsize local = quoted_length(text + used, length - used);
    while (local == 0 && used < length && used < LINE_ADDRESS_OCTETS && is_local(text[used])) {
        if (used > 0 && is_far_start(text, text + used))
            return 0;
        used++;
    }
    used += local;
    if (used == 0 || used >= length || text[used] != '@')
        return 0;
    gsize domain = domain_length(text + used + 1, length - used - 1);
    return domain > 0 && used + 1 + domain <= LINE_ADDRESS_OCTETS ? used + 1 + domain : 0;
}

gboolean
line_address_find(const char *text, gsize length, LinePiece *address)
{
    const char *end = text + length, *from = text, *at = text;
    while ((at = memchr(at, '@', (gsize)(end - at))) != NULL) {
        const char *start = at;
        while (start > from && at - start < LINE_ADDRESS_OCTETS && is_local(start[-1]) &&
               !is_far_start(from, start))
            start--;
        while (start < at && strchr("'`=*/|{", *start) != NULL)
            start++;
        gsize domain = domain_length(at + 1, (gsize)(end - at) - 1);
        if (start < at && domain > 0) {
            *address = (LinePiece){start, (gsize)(at - start) + 1 + domain};
            return TRUE;
        }
        from = ++at;
    }
    return FALSE;
}

/* Octets of addresses with nothing but separators between them. */
static gsize
addresses_length(const char *text, gsize length)
{
    gsize used = 0, taken = 0;
    while (used < length) {
        while (used < length && strchr(" \t,;<>'\"", text[used]) != NULL && text[used] != '\0')
            used++;
        gsize one = address_length(text + used, length - used);
        if (one == 0)
            break;
        used += one;
        taken = used;
    }
    while (taken > 0 && taken < length && strchr(">'\",;", text[taken]) != NULL)
        taken++;
    return taken;
}

static gsize
user_length(const char *text, gsize length)
{
    gsize used = quoted_length(text, length);
    while (used < length && used < LINE_ADDRESS_OCTETS && !is_white(text[used]) &&
           text[used] != '<' && text[used] != '>' && text[used] != '\0')
        used++;
    return used;
}

static gsize
host_length(const char *text, gsize length)
{
    if (length > 0 && text[0] == '[')
        return domain_length(text, length);
    gsize used = 0;
    while (used < length && used < 255 && is_domain(text[used]))
        used++;
    return used;
}

/* Octets of " 5.1.1" or "-5.1.1" at `text`; 0: none. */
static gsize
status_length(const char *text, gsize length)
{
    if (length < 6 || (text[0] != ' ' && text[0] != '-') || strchr("245", text[1]) == NULL)
        return 0;
    guint dots = 0;
    gsize used = 2;
    while (used < length && (g_ascii_isdigit(text[used]) || text[used] == '.'))
        dots += text[used++] == '.' ? 1u : 0u;
    return dots == 2 && text[2] == '.' && text[used - 1] != '.' ? used : 0;
}

static gsize
code_length(const char *text, gsize length)
{
    if (length < 3 || text[0] < '2' || text[0] > '5' || !g_ascii_isdigit(text[1]) ||
        !g_ascii_isdigit(text[2]) || (length > 3 && g_ascii_isalnum(text[3])))
        return 0;
    return 3 + status_length(text + 3, length - 3);
}

/* ---- matching ------------------------------------------------------------------------------ */

/* A line, and how far it has been taken. */
typedef struct {
    const Line *line;
    gsize length, at;
    LineMatch *match;
} Scan;

/* Octets of the literal at this place; 0: it does not stand there. */
static gsize
literal_length(const Scan *scan, const Token *token, gsize at)
{
    const char *text = scan->line->lower;
    gsize used = at;
    for (gsize i = 0; i < token->length; i++) {
        if (used >= scan->length) /* the line's end is as good as white space */
            return i > 0 && i + 1 == token->length && token->text[i] == ' ' ? used - at : 0;
        if (token->text[i] == ' ') {
            if (!is_white(text[used]))
                return 0;
            while (used < scan->length && is_white(text[used]))
                used++;
        } else if (text[used++] != token->text[i]) {
            return 0;
        }
    }
    return used - at;
}

/* What the token takes at this place; 0: it does not fit. Not for those that may take nothing. */
static gsize
token_length(const Scan *scan, const Token *token, const Token *next, gsize at)
{
    const char *text = scan->line->text + at;
    gsize length = scan->length - at;
    switch (token->kind) {
    case TOKEN_LITERAL:
        return literal_length(scan, token, at);
    case TOKEN_ADDRESS:
        return address_length(text, length);
    case TOKEN_ADDRESSES:
        return addresses_length(text, length);
    case TOKEN_HOST:
        return host_length(text, length);
    case TOKEN_CODE:
        return code_length(text, length);
    default:
        break;
    }
    g_assert(token->kind == TOKEN_USER);
    gsize used = user_length(text, length);
    if (next == NULL || next->kind != TOKEN_LITERAL)
        return used;
    /* "user... text": the name ends where the literal begins. */
    for (gsize i = 1; i <= used; i++)
        if (literal_length(scan, next, at + i) > 0)
            return i;
    return 0;
}

static void
keep(Scan *scan, TokenKind kind, gsize start, gsize length)
{
    LinePiece piece = {scan->line->text + start, length};
    switch (kind) {
    case TOKEN_ADDRESSES:
        scan->match->several = TRUE;
        scan->match->address = piece;
        break;
    case TOKEN_ADDRESS:
    case TOKEN_USER:
        scan->match->address = piece;
        break;
    case TOKEN_HOST:
        scan->match->host = piece;
        break;
    case TOKEN_CODE:
        scan->match->code = piece;
        break;
    case TOKEN_TEXT:
        scan->match->text = piece;
        break;
    default:
        break;
    }
}

static const Token *
token_at(const LinePattern *pattern, guint index)
{
    return index < pattern->tokens->len ? &g_array_index(pattern->tokens, Token, index) : NULL;
}

static gboolean
may_take_nothing(const Token *token)
{
    return token == NULL || token->kind == TOKEN_TEXT || token->kind == TOKEN_ANY;
}

/* Does the token fit here, and if it is a literal also the one behind it? */
static gboolean
fits(const Scan *scan, const LinePattern *pattern, guint index, gsize at)
{
    const Token *token = token_at(pattern, index), *next = token_at(pattern, index + 1);
    gsize used = token_length(scan, token, next, at);
    if (used == 0 || token->kind != TOKEN_LITERAL)
        return used > 0;
    if (next == NULL)
        return at + used == scan->length;
    return may_take_nothing(next) ||
           token_length(scan, next, token_at(pattern, index + 2), at + used) > 0;
}

/* The next place from `at` on where the token could begin; the line's end if there is none. */
static gsize
next_place(const Scan *scan, const Token *token, gsize at)
{
    if (token->kind != TOKEN_LITERAL || token->word == 0)
        return at;
    const char *text = scan->line->lower;
    const char *found = memmem(text + at, scan->length - at, token->text, token->word);
    return found != NULL ? (gsize)(found - text) : scan->length;
}

/* "{*}" before the token `index`: moves to where it ends. */
static gboolean
take_any(Scan *scan, const LinePattern *pattern, guint index)
{
    const Token *token = token_at(pattern, index);
    if (token == NULL) {
        scan->at = scan->length;
        return TRUE;
    }
    if (token->kind == TOKEN_ADDRESS) {
        LinePiece address;
        const char *text = scan->line->text;
        if (!line_address_find(text + scan->at, scan->length - scan->at, &address))
            return FALSE;
        scan->at = (gsize)(address.start - text);
        return TRUE;
    }
    if (may_take_nothing(token))
        return TRUE;
    gsize at = scan->at;
    while ((at = next_place(scan, token, at)) < scan->length && !fits(scan, pattern, index, at))
        at++;
    scan->at = at;
    return at < scan->length;
}

/* "{text}" before the token `index`. */
static gboolean
take_text(Scan *scan, const LinePattern *pattern, guint index)
{
    const Token *token = token_at(pattern, index);
    gsize start = scan->at;
    if (token == NULL) {
        scan->at = scan->length;
    } else {
        gsize at = scan->length + 1;
        while (at > start && !fits(scan, pattern, index, at - 1))
            at--;
        if (at == start)
            return FALSE;
        scan->at = at - 1;
    }
    keep(scan, TOKEN_TEXT, start, scan->at - start);
    return TRUE;
}

static gboolean
take_token(Scan *scan, const LinePattern *pattern, guint index)
{
    const Token *token = token_at(pattern, index);
    if (token->kind == TOKEN_ANY)
        return take_any(scan, pattern, index + 1);
    if (token->kind == TOKEN_TEXT)
        return take_text(scan, pattern, index + 1);
    gsize used = token_length(scan, token, token_at(pattern, index + 1), scan->at);
    if (used == 0)
        return FALSE;
    keep(scan, token->kind, scan->at, used);
    scan->at += used;
    return TRUE;
}

gboolean
line_pattern_match(const LinePattern *pattern, const Line *line, LineMatch *match)
{
    *match = (LineMatch){0};
    Scan scan = {line, MIN(line->length, LINE_OCTETS), 0, match};
    for (guint i = 0; i < pattern->tokens->len; i++)
        if (!take_token(&scan, pattern, i))
            return FALSE;
    return scan.at == scan.length;
}
