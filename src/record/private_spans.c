/*
 * private_spans: where mail addresses and network addresses stand in a text.
 */
#include "record/private_spans.h"

#include <arpa/inet.h>
#include <string.h>

#define DOMAIN_LITERAL_MAX 64
#define QUOTED_LOCAL_MAX   256
#define PACKED_MIN         12
#define IPV6_TEXT_MAX      45

static void
span_clear(gpointer span)
{
    g_free(((Span *)span)->value);
}

GArray *
private_spans_new(void)
{
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(Span));
    g_array_set_clear_func(spans, span_clear);
    return spans;
}

/* `start`, `at` and `end` as decoded. */
static void
add_span(const DecodedText *text, SpanKind kind, gsize start, gsize at, gsize end, GArray *spans)
{
    Span span = {.kind = kind,
                 .start = text->origins[start],
                 .at = text->origins[at],
                 .end = text->origins[end],
                 .value = g_strndup(text->folded + start, end - start)};
    g_array_append_val(spans, span);
}

/* Letters and digits, those beyond ASCII too. */
static gboolean
is_word(char octet)
{
    return g_ascii_isalnum(octet) || (guchar)octet >= 0x80;
}

/* ---- mail addresses ------------------------------------------------------------------------- */

/* atext and dots of RFC 5322, with RFC 6532's letters. */
static gboolean
is_local(char octet)
{
    return is_word(octet) || (octet != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", octet) != NULL);
}

static gboolean
is_domain(char octet)
{
    return is_word(octet) || octet == '.' || octet == '-' || octet == '_';
}

static gboolean
is_literal(char octet)
{
    return g_ascii_isalnum(octet) || octet == '.' || octet == ':' || octet == '-';
}

static gsize
domain_end(const DecodedText *text, gsize start)
{
    gsize end = start;
    if (text->octets[end] == '[') {
        gsize close = end + 1;
        while (is_literal(text->octets[close]) && close - end < DOMAIN_LITERAL_MAX)
            close++;
        if (text->octets[close] == ']')
            return close + 1;
    }
    while (is_domain(text->octets[end]))
        end++;
    while (end > start && !is_word(text->octets[end - 1]))
        end--;
    return end;
}

static gsize
skip_spaces(const DecodedText *text, gsize i)
{
    gsize spaces = 0;
    while (spaces < 2 && text->octets[i + spaces] == ' ')
        spaces++;
    return i + spaces;
}

/* "user @ example.org": only where what follows can be nothing else. */
static gsize
skip_spaces_back(const DecodedText *text, gsize done, gsize at)
{
    gsize start = skip_spaces(text, at + 1), end = domain_end(text, start), i = at;
    if (memchr(text->octets + start, '.', end - start) == NULL)
        return at;
    while (i > done && at - i < 2 && text->octets[i - 1] == ' ')
        i--;
    return i;
}

/* Inside a URL the address begins behind the path, or behind a parameter's name. */
static gsize
local_start_in_url(const DecodedText *text, gsize start, gsize end)
{
    gsize i = end;
    while (i > start && strchr("/?&", text->octets[i - 1]) == NULL)
        i--;
    if (i > start && text->octets[i - 1] != '/') {
        const char *equals = memchr(text->octets + i, '=', end - i);
        if (equals != NULL)
            i = (gsize)(equals - text->octets) + 1;
    }
    return i;
}

/* `quote` is where the quoted string began that ends right before `end`, else `end`. */
static gsize
local_start(const DecodedText *text, gsize done, gsize end, gsize quote)
{
    if (quote < end)
        return MAX(MAX(quote, done), end > QUOTED_LOCAL_MAX ? end - QUOTED_LOCAL_MAX : 0);
    gsize start = end;
    while (start > done && is_local(text->octets[start - 1]))
        start--;
    if (g_str_has_prefix(text->octets + start, "//") ||
        g_str_has_prefix(text->folded + start, "www."))
        return local_start_in_url(text, start, end);
    return start;
}

/* The last two quotes that were passed. */
typedef struct {
    gsize previous, last;
    gboolean two;
} Quotes;

static void
note_quote(Quotes *quotes, gsize i, gboolean *seen)
{
    quotes->two = *seen;
    quotes->previous = quotes->last;
    quotes->last = i;
    *seen = TRUE;
}

void
private_spans_addresses(const DecodedText *text, GArray *spans)
{
    Quotes quotes = {0};
    gboolean quoted = FALSE;
    gsize done = 0;
    for (gsize i = 0; i < text->size; i++) {
        if (text->octets[i] == '"' && (i == 0 || text->octets[i - 1] != '\\'))
            note_quote(&quotes, i, &quoted);
        if (text->octets[i] != '@' || i < done)
            continue;
        gsize local_end = skip_spaces_back(text, done, i);
        gboolean is_quoted = quotes.two && quotes.last + 1 == local_end;
        gsize start = local_start(text, done, local_end, is_quoted ? quotes.previous : local_end);
        gsize at = local_end, end = domain_end(text, skip_spaces(text, i + 1));
        while (text->octets[end] == '@') { /* "a@b@c": the last one counts */
            at = end;
            end = domain_end(text, end + 1);
        }
        end = MAX(end, i + 1);
        if (start < at)
            add_span(text, SPAN_ADDRESS, start, at, end, spans);
        done = end;
    }
}

/* ---- IPv4 ----------------------------------------------------------------------------------- */

/* Numbers of one to three digits with the same separator between them: "192.0.2.1". */
typedef struct {
    gsize end;
    guint groups; /* all of them */
    guint run;    /* the longest row of groups that are at most 255 */
    char separator;
} NumberChain;

static gsize
digits_at(const DecodedText *text, gsize i)
{
    gsize end = i;
    while (g_ascii_isdigit(text->octets[end]))
        end++;
    return end - i;
}

static gboolean
is_octet_value(const char *digits, gsize length)
{
    guint value = 0;
    for (gsize i = 0; i < length; i++)
        value = MIN(value * 10 + (guint)(digits[i] - '0'), 1000);
    return value <= 255;
}

static NumberChain
number_chain_at(const DecodedText *text, gsize i)
{
    NumberChain chain = {.end = i};
    guint run = 0;
    for (;;) {
        gsize length = digits_at(text, chain.end);
        run = length <= 3 && is_octet_value(text->octets + chain.end, length) ? run + 1 : 0;
        chain.groups++;
        chain.run = MAX(chain.run, run);
        chain.end += length;
        char next = text->octets[chain.end];
        gboolean separates = chain.separator != '\0' ? next == chain.separator
                                                     : next == '.' || next == '-' || next == '_';
        if (!separates || !g_ascii_isdigit(text->octets[chain.end + 1]))
            return chain;
        chain.separator = next;
        chain.end++;
    }
}

/* Not a part of a host name? */
static gboolean
stands_alone(const DecodedText *text, gsize start, gsize end)
{
    if (start > 0 && is_domain(text->octets[start - 1]))
        return FALSE;
    char next = text->octets[end];
    if (next == '.')
        return !is_word(text->octets[end + 1]);
    return !is_domain(next);
}

static void
find_ipv4(const DecodedText *text, GArray *spans)
{
    for (gsize i = 0; i < text->size; i++) {
        if (!g_ascii_isdigit(text->octets[i]))
            continue;
        NumberChain chain = number_chain_at(text, i);
        if (chain.run >= 4) {
            gboolean plain =
                chain.groups == 4 && chain.separator == '.' && stands_alone(text, i, chain.end);
            add_span(text, plain ? SPAN_CLIENT : SPAN_CLIENT_HIDDEN, i, i, chain.end, spans);
        }
        i = chain.end - 1;
    }
}

/* ---- IPv6 ----------------------------------------------------------------------------------- */

static gboolean
is_ipv6_octet(char octet)
{
    return g_ascii_isxdigit(octet) || octet == ':' || octet == '.';
}

static gboolean
is_ipv6(const DecodedText *text, gsize start, gsize end)
{
    char candidate[IPV6_TEXT_MAX + 1];
    struct in6_addr address;
    gsize length = end - start;
    if (length > IPV6_TEXT_MAX)
        return FALSE;
    memcpy(candidate, text->octets + start, length);
    candidate[length] = '\0';
    return inet_pton(AF_INET6, candidate, &address) == 1;
}

static guint
count_colons(const DecodedText *text, gsize start, gsize end)
{
    guint colons = 0;
    for (gsize i = start; i < end; i++)
        colons += text->octets[i] == ':';
    return colons;
}

/* A run of hex digits, colons and dots with what belongs to the words around it cut off:
 * "IPv6:2001:db8::1:" */
static void
find_ipv6_in(const DecodedText *text, gsize start, gsize end, GArray *spans)
{
    if (start > 0 && is_word(text->octets[start - 1])) {
        const char *colon = memchr(text->octets + start, ':', end - start);
        start = colon != NULL ? (gsize)(colon - text->octets) + 1 : end;
    }
    if (end - start > 1 && text->octets[start] == ':' && text->octets[start + 1] != ':')
        start++;
    guint colons = count_colons(text, start, end);
    gboolean glued = is_word(text->octets[end]);
    for (gsize cut = 0; colons >= 2 && !glued && cut < 3 && end - cut > start + 2; cut++)
        if (is_ipv6(text, start, end - cut)) {
            add_span(text, SPAN_CLIENT, start, start, end - cut, spans);
            return;
        }
    if (colons >= (glued ? 3 : 4))
        add_span(text, SPAN_CLIENT_HIDDEN, start, start, end, spans);
}

static void
find_ipv6(const DecodedText *text, GArray *spans)
{
    for (gsize i = 0; i < text->size; i++) {
        gsize end = i;
        while (is_ipv6_octet(text->octets[end]))
            end++;
        if (end - i > 2)
            find_ipv6_in(text, i, end, spans);
        i = MAX(end, i + 1) - 1;
    }
}

/* Hex groups as host names have them: nibbles of ip6.arpa, or dashes for colons. */
static gboolean
is_hex_chain(guint groups, guint longest, gboolean gap, char separator)
{
    if (separator == '.')
        return groups >= 16 && longest == 1;
    return separator == '-' && longest <= 4 && (groups >= 8 || (gap && groups >= 3));
}

static gsize
hex_chain_at(const DecodedText *text, gsize i, gboolean *is_address)
{
    guint groups = 0, longest = 0, length = 0;
    gboolean gap = FALSE;
    char separator = '\0';
    for (;; i++) {
        char octet = text->octets[i];
        if (g_ascii_isxdigit(octet)) {
            groups += length++ == 0;
            longest = MAX(longest, length);
        } else if ((octet == '.' || octet == '-') && (separator == '\0' || separator == octet)) {
            gap |= length == 0;
            length = 0;
            separator = octet;
        } else {
            break;
        }
    }
    *is_address = is_hex_chain(groups, longest, gap, separator);
    return i;
}

static void
find_hex_chains(const DecodedText *text, GArray *spans)
{
    for (gsize i = 0; i < text->size; i++) {
        if (!g_ascii_isxdigit(text->octets[i]))
            continue;
        gboolean is_address;
        gsize end = hex_chain_at(text, i, &is_address);
        if (is_address)
            add_span(text, SPAN_CLIENT_HIDDEN, i, i, end, spans);
        i = end - 1;
    }
}

void
private_spans_clients(const DecodedText *text, GArray *spans)
{
    find_ipv4(text, spans);
    find_ipv6(text, spans);
    find_hex_chains(text, spans);
}

/* ---- base64 and hex ------------------------------------------------------------------------- */

static gboolean
is_printable(const guchar *octets, gsize size)
{
    for (gsize i = 0; i < size; i++)
        if (octets[i] < 0x20 || octets[i] > 0x7e)
            return FALSE;
    return size > 0;
}

static gsize
unpack_hex(const char *word, gsize length, guchar *out)
{
    if (length % 2 != 0)
        return 0;
    for (gsize i = 0; i < length; i += 2) {
        int high = g_ascii_xdigit_value(word[i]), low = g_ascii_xdigit_value(word[i + 1]);
        if (high < 0 || low < 0)
            return 0;
        out[i / 2] = (guchar)(high * 16 + low);
    }
    return length / 2;
}

static gsize
unpack_base64(const char *word, gsize length, guchar *out)
{
    int state = 0;
    guint save = 0;
    return g_base64_decode_step(word, length, out, &state, &save);
}

static gboolean
holds_private(const guchar *octets, gsize size, gboolean addresses, gboolean clients)
{
    if (!is_printable(octets, size))
        return FALSE;
    DecodedText inner;
    g_autofree char *copy = g_strndup((const char *)octets, size);
    g_autoptr(GArray) found = private_spans_new();
    decoded_text_init(&inner, copy, FALSE);
    if (addresses)
        private_spans_addresses(&inner, found);
    if (clients)
        private_spans_clients(&inner, found);
    decoded_text_clear(&inner);
    return found->len > 0;
}

static gboolean
is_packed(const char *word, gsize length, gboolean addresses, gboolean clients)
{
    g_autofree guchar *out = g_malloc(length + 3);
    return holds_private(out, unpack_hex(word, length, out), addresses, clients) ||
           holds_private(out, unpack_base64(word, length, out), addresses, clients);
}

void
private_spans_packed(const DecodedText *text, gboolean addresses, gboolean clients, GArray *spans)
{
    for (gsize i = 0; i < text->size; i++) {
        gsize end = i;
        while (g_ascii_isalnum(text->octets[end]) || text->octets[end] == '+')
            end++;
        gsize length = end - i;
        if (length >= PACKED_MIN && is_packed(text->octets + i, length, addresses, clients))
            add_span(text, SPAN_PACKED, i, i, end, spans);
        i = MAX(end, i + 1) - 1;
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

static gboolean
is_beside(char octet, gboolean within)
{
    return within ? !g_ascii_isdigit(octet) : !is_word(octet);
}

void
private_spans_word(const DecodedText *text, const char *word, gboolean within, const char *with,
                   GArray *spans)
{
    gsize length = strlen(word);
    const char *found, *from = text->folded;
    while ((found = strstr(from, word)) != NULL) {
        gsize start = (gsize)(found - text->folded), end = start + length;
        from = found + 1;
        if ((start > 0 && !is_beside(text->octets[start - 1], within)) ||
            !is_beside(text->octets[end], within))
            continue;
        add_span(text, SPAN_WORD, start, start, end, spans);
        g_array_index(spans, Span, spans->len - 1).with = with;
        from = found + length;
    }
}
