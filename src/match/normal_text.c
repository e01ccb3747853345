/*
 * normal_text: one pass over the original, a piece at a time.
 *
 * A piece is a run of the octets that names are made of; ':', '=', '/' and brackets end one. Each
 * place is tried as what begins there: something in angle brackets, a URL, an IPv6 address, a
 * path, a piece (address, IPv4 address, host name, id); what is none of them is copied, as long
 * runs at once, 8-bit letters folded. Each try looks at octets that are then consumed, or stops at
 * the next delimiter, so the time is linear.
 */
#include "match/normal_text.h"

#include <string.h>

#include "match/letter_fold.h"

static const char *const mask_text[NORMAL_MASK_COUNT] = {
    [NORMAL_MASK_ADDRESS] = "<addr>", [NORMAL_MASK_URL] = "<url>",   [NORMAL_MASK_HOST] = "<host>",
    [NORMAL_MASK_IP] = "<ip>",        [NORMAL_MASK_PATH] = "<path>", [NORMAL_MASK_ID] = "<id>",
};

/* Top-level domains of more than two letters that are seen in mail; any two letters may be one. A
 * word with one dot is a host only with one of these, since "rejected.Please" is not. */
static const char top_domains[] =
    " com net org edu gov mil int arpa info biz name pro mobi asia coop aero jobs museum travel xyz"
    " online site shop club top vip app dev cloud live email test example invalid local localhost"
    " localdomain lan internal intranet corp home tech store space website host agency digital"
    " services solutions systems network media world global company group life today news blog"
    " berlin hamburg koeln bayern wien swiss paris bzh london amsterdam brussels moscow tokyo"
    " osaka nyc eus cat gal scot wales quebec international consulting design studio art ";

typedef struct {
    const char *in;
    gsize length;
    gsize at;   /* the next octet to read */
    gsize from; /* in[from, at) goes into the text as it is, and is not there yet */
    NormalText *normal;
} Scan;

/* ---- the output ---------------------------------------------------------------------------- */

static void
put_run(NormalText *normal, const char *octets, gsize count, gsize origin, gboolean verbatim)
{
    if (normal->run_count == normal->run_size) {
        normal->run_size = 2 * normal->run_size + 16;
        normal->runs = g_renew(NormalRun, normal->runs, normal->run_size);
    }
    normal->runs[normal->run_count++] =
        (NormalRun){(guint32)normal->length, (guint32)origin, verbatim};
    g_assert(normal->length + count < normal->size);
    memcpy(normal->text + normal->length, octets, count);
    normal->length += count;
}

static void
put_pending(Scan *scan)
{
    if (scan->at > scan->from)
        put_run(scan->normal, scan->in + scan->from, scan->at - scan->from, scan->from, TRUE);
    scan->from = scan->at;
}

/* Puts these octets in the place of in[at, end) and goes on behind it. */
static void
put_instead(Scan *scan, gsize end, const char *octets, gsize count)
{
    put_pending(scan);
    if (count > 0)
        put_run(scan->normal, octets, count, scan->at, FALSE);
    scan->at = scan->from = end;
}

/* White space up to `end`: one space, and none at the start or behind another. */
static void
put_space(Scan *scan, gsize end)
{
    const NormalText *normal = scan->normal;
    char last = ' ';
    if (scan->at > scan->from)
        last = scan->in[scan->at - 1];
    else if (normal->length > 0)
        last = normal->text[normal->length - 1];
    if (last != ' ' && scan->in[scan->at] == ' ')
        scan->at = end;
    else
        put_instead(scan, end, " ", last != ' ' ? 1 : 0);
}

static gboolean
in_brackets(const Scan *scan, gsize end, char open, char close)
{
    return scan->at > scan->from && end < scan->length && scan->in[scan->at - 1] == open &&
           scan->in[end] == close;
}

/* Masks in[at, end) and goes on behind it. Brackets that hold nothing else go with it. */
static void
put_mask(Scan *scan, NormalMaskKind kind, gsize end)
{
    NormalText *normal = scan->normal;
    gsize start = scan->at;
    gboolean brackets = in_brackets(scan, end, '<', '>') || in_brackets(scan, end, '[', ']');
    scan->at -= brackets ? 1 : 0;
    put_pending(scan);
    if (normal->mask_count < NORMAL_TEXT_MAX_MASKS)
        normal->masks[normal->mask_count++] =
            (NormalMask){kind, (guint32)start, (guint32)(end - start), (guint32)normal->length};
    put_instead(scan, end + (brackets ? 1 : 0), mask_text[kind], strlen(mask_text[kind]));
}

/* ---- what octets are made of --------------------------------------------------------------- */

/* One look for each octet: it is what most of the time goes into. */
enum {
    WHITE = 1,
    NAME = 2,
    PIECE = 4,
    URL_END = 8,
    WORD = 16,
    ALNUM = 32,
    OPEN = 64,
    CLOSE = 128,
};

/* WORD: a run of nothing but these is neither address nor host name, IP address or id. */
static const guint8 kinds[256] = {
    [0 ... ' '] = WHITE | URL_END,
    [0x7f] = WHITE | URL_END,
    ['0' ... '9'] = NAME | PIECE | ALNUM,
    ['A' ... 'Z'] = NAME | PIECE | WORD | ALNUM,
    ['a' ... 'z'] = NAME | PIECE | WORD | ALNUM,
    ['-'] = NAME | PIECE | WORD,
    ['_'] = NAME | PIECE | WORD,
    ['.'] = NAME | PIECE,
    ['+'] = PIECE,
    ['@'] = PIECE,
    ['~'] = PIECE,
    ['%'] = PIECE,
    ['&'] = PIECE,
    ['$'] = PIECE,
    ['^'] = PIECE,
    ['#'] = PIECE,
    ['*'] = PIECE,
    ['!'] = PIECE,
    ['?'] = PIECE,
    ['('] = OPEN,
    ['['] = OPEN,
    ['{'] = OPEN,
    [')'] = CLOSE,
    [']'] = CLOSE,
    ['}'] = CLOSE,
    ['<'] = URL_END,
    ['>'] = URL_END,
    ['"'] = URL_END,
    ['`'] = URL_END,
    ['|'] = URL_END,
    [0x80 ... 0xff] = URL_END,
};

static gboolean
is_white(char octet)
{
    return (kinds[(guchar)octet] & WHITE) != 0;
}

static gboolean
is_name(char octet)
{
    return (kinds[(guchar)octet] & NAME) != 0;
}

static gboolean
is_piece(char octet)
{
    return (kinds[(guchar)octet] & PIECE) != 0;
}

static gboolean
is_alnum(char octet)
{
    return (kinds[(guchar)octet] & ALNUM) != 0;
}

static gboolean
ends_url(char octet)
{
    return (kinds[(guchar)octet] & URL_END) != 0;
}

static gboolean
is_digits(const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isdigit(text[i]))
            return FALSE;
    return length > 0;
}

/* ---- kinds of pieces ----------------------------------------------------------------------- */

static gboolean
is_ipv4(const char *text, gsize length)
{
    guint groups = 0;
    const char *end = text + length;
    while (text <= end) {
        const char *dot = memchr(text, '.', (gsize)(end - text));
        gsize digits = (gsize)((dot != NULL ? dot : end) - text);
        if (digits > 3 || !is_digits(text, digits) || ++groups > 4)
            return FALSE;
        text += digits + 1;
    }
    return groups == 4;
}

static gboolean
is_top_domain(const char *label, gsize length)
{
    char key[20];
    if (length == 2)
        return TRUE;
    if (length + 3 > sizeof key)
        return FALSE;
    key[0] = ' ';
    for (gsize i = 0; i < length; i++)
        key[i + 1] = g_ascii_tolower(label[i]);
    key[length + 1] = ' ';
    key[length + 2] = '\0';
    return strstr(top_domains, key) != NULL;
}

/* All small or all capital letters: "Deliver" in "STOREDRV.Deliver" is no top-level domain. */
static gboolean
is_last_label(const char *label, gsize length)
{
    gsize small = 0, capital = 0;
    if (length > 4 && g_ascii_strncasecmp(label, "xn--", 4) == 0)
        return TRUE;
    for (gsize i = 0; i < length; i++) {
        small += g_ascii_islower(label[i]) ? 1 : 0;
        capital += g_ascii_isupper(label[i]) ? 1 : 0;
    }
    return length >= 2 && (small == length || capital == length);
}

static gboolean
is_host(const char *text, gsize length)
{
    guint labels = 1;
    gsize last = 0;
    for (gsize i = 0; i < length; i++) {
        if (text[i] == '.') {
            if (i == last)
                return FALSE;
            labels++;
            last = i + 1;
        } else if (!is_name(text[i])) {
            return FALSE;
        }
    }
    if (labels < 2 || length > 253 || !is_last_label(text + last, length - last))
        return FALSE;
    gboolean known = is_top_domain(text + last, length - last);
    return known || (labels > 2 && g_ascii_islower(text[last]));
}

/* A queue id, message id or log id: letters and digits in turns, and no word in it. */
static gboolean
is_id(const char *text, gsize length)
{
    guint digits = 0, turns = 0, letters = 0;
    char before = '\0';
    for (gsize i = 0; i < length; i++) {
        char kind = g_ascii_isdigit(text[i]) ? '0' : g_ascii_isalpha(text[i]) ? 'a' : '\0';
        digits += kind == '0' ? 1 : 0;
        letters = kind == 'a' ? letters + 1 : 0;
        if (letters >= 7)
            return FALSE;
        if (kind != '\0') {
            turns += before != '\0' && before != kind ? 1 : 0;
            before = kind;
        }
    }
    return length >= 8 && digits >= 2 && turns >= 2;
}

/* The end of an IPv6 address that begins here, or `from`. A time (12:30:45) is none. */
static gsize
ipv6_end(const Scan *scan, gsize from)
{
    enum { LONGEST = 45, MOST_COLONS = 8 };
    guint colons = 0, group = 0, digits = 0;
    gboolean doubled = FALSE;
    gsize end = from;
    for (; end < scan->length && end - from <= LONGEST && colons <= MOST_COLONS + 1; end++) {
        char octet = scan->in[end];
        if (octet == ':') {
            doubled |= end > from && scan->in[end - 1] == ':';
            colons++;
            group = 0;
        } else if (g_ascii_isxdigit(octet)) {
            digits++;
            if (++group > 4)
                return from;
        } else if (octet == '.' && colons >= 2 && end + 1 < scan->length &&
                   g_ascii_isdigit(scan->in[end + 1])) {
            group = 0;
        } else {
            break;
        }
    }
    if (end > from && scan->in[end - 1] == ':' && !(doubled && scan->in[end - 2] == ':')) {
        end--;
        colons--;
    }
    gboolean bounded = end == scan->length || !(is_name(scan->in[end]) && scan->in[end] != '.');
    return digits > 0 && bounded && ((doubled && colons >= 2) || colons >= 5) &&
                   colons <= MOST_COLONS
               ? end
               : from;
}

/* ---- what may begin at a place: each consumes it, or returns FALSE ------------------------- */

/* The end of a URL without the punctuation that follows it in a sentence. */
static gsize
url_end(const Scan *scan, gsize from)
{
    gsize end = from;
    guint open = 0, close = 0;
    for (; end < scan->length && !ends_url(scan->in[end]); end++) {
        guint8 kind = kinds[(guchar)scan->in[end]];
        open += (kind & OPEN) != 0 ? 1 : 0;
        close += (kind & CLOSE) != 0 ? 1 : 0;
    }
    while (end > from) {
        char last = scan->in[end - 1];
        gboolean closing = (kinds[(guchar)last] & CLOSE) != 0;
        if (strchr(".,;:!?'*", last) == NULL && !(closing && close > open))
            break;
        close -= closing ? 1 : 0;
        end--;
    }
    return end;
}

/* Where "scheme://" ends, or `from`. */
static gsize
scheme_end(const Scan *scan, gsize from)
{
    gsize at = from;
    while (at < scan->length && at - from < 12 && g_ascii_isalpha(scan->in[at]))
        at++;
    gboolean found =
        at - from >= 2 && scan->length - at > 3 && memcmp(scan->in + at, "://", 3) == 0;
    return found ? at + 3 : from;
}

static gboolean
take_url(Scan *scan)
{
    gsize start = scan->at, host = scheme_end(scan, start);
    if (host == start)
        return FALSE;
    gsize end = url_end(scan, host);
    if (end == host)
        return FALSE;
    put_mask(scan, NORMAL_MASK_URL, end);
    return TRUE;
}

static gboolean
take_ipv6(Scan *scan)
{
    char first = scan->in[scan->at];
    char second = scan->at + 1 < scan->length ? scan->in[scan->at + 1] : '\0';
    if (!g_ascii_isxdigit(first) && !(first == ':' && second == ':'))
        return FALSE;
    gsize end = ipv6_end(scan, scan->at);
    if (end == scan->at)
        return FALSE;
    put_mask(scan, NORMAL_MASK_IP, end);
    return TRUE;
}

/* "/var/mail/x", but not the slash of "and/or". */
static gboolean
take_path(Scan *scan)
{
    gsize start = scan->at, end = start;
    guint slashes = 0;
    if (scan->in[start] != '/' || (start > 0 && is_piece(scan->in[start - 1])))
        return FALSE;
    for (; end < scan->length && (is_piece(scan->in[end]) || scan->in[end] == '/'); end++)
        slashes += scan->in[end] == '/' ? 1 : 0;
    while (end > start && strchr(".!?", scan->in[end - 1]) != NULL)
        end--;
    if (slashes < 2 || end - start < 4)
        return FALSE;
    put_mask(scan, NORMAL_MASK_PATH, end);
    return TRUE;
}

/* What stands in angle brackets: an address in any writing, a URL, a local part or a HELO name.
 * Host names and IP addresses are left to the pieces. */
static gboolean
take_angle(Scan *scan)
{
    gsize start = scan->at + 1, end = start;
    gboolean at_sign = FALSE, plain = TRUE;
    if (scan->in[scan->at] != '<')
        return FALSE;
    for (; end < scan->length && scan->in[end] != '>'; end++) {
        if (is_white(scan->in[end]) || scan->in[end] == '<')
            return FALSE;
        at_sign |= scan->in[end] == '@';
        plain &= is_piece(scan->in[end]) && scan->in[end] != '.';
    }
    if (end == scan->length || end == start)
        return FALSE;
    gboolean url = scheme_end(scan, start) != start;
    if (!url && !at_sign && !plain)
        return FALSE;
    scan->at = start;
    put_mask(scan, url ? NORMAL_MASK_URL : NORMAL_MASK_ADDRESS, end);
    return TRUE;
}

/* The end of an address whose "@" is at `sign`, or `sign` if no domain follows. What else is in the
 * piece belongs to it. */
static gsize
address_end(const Scan *scan, gsize sign, gsize piece_end)
{
    gsize end = sign + 1;
    if (end < scan->length && scan->in[end] == '[') {
        gsize limit = MIN(scan->length, end + 64);
        for (gsize at = end + 1; at < limit && (is_name(scan->in[at]) || scan->in[at] == ':'); at++)
            if (at + 1 < limit && scan->in[at + 1] == ']')
                return at + 2;
        return sign;
    }
    return piece_end > end ? piece_end : sign;
}

static gboolean
take_address(Scan *scan, gsize stop, gsize end)
{
    const char *sign = memchr(scan->in + scan->at, '@', stop - scan->at);
    if (sign == NULL || sign == scan->in + scan->at)
        return FALSE;
    gsize at = (gsize)(sign - scan->in), address = address_end(scan, at, end);
    if (address == at)
        return FALSE;
    put_mask(scan, NORMAL_MASK_ADDRESS, address);
    return TRUE;
}

/* A host name, alone or with a path behind it (a URL without a scheme). */
static gboolean
take_host(Scan *scan, gsize end)
{
    gsize start = scan->at;
    if (!is_host(scan->in + start, end - start))
        return FALSE;
    gboolean path = end + 1 < scan->length && scan->in[end] == '/' &&
                    (is_piece(scan->in[end + 1]) || scan->in[end + 1] == '/');
    if (path)
        put_mask(scan, NORMAL_MASK_URL, url_end(scan, end));
    else
        put_mask(scan, NORMAL_MASK_HOST, end);
    return TRUE;
}

/* A piece with more than letters in it, up to `stop`, with the punctuation behind it. */
static void
take_piece(Scan *scan, gsize stop)
{
    gsize start = scan->at, end = stop;
    const char *piece = scan->in + start;
    while (end > start && !is_alnum(scan->in[end - 1]))
        end--;
    if (is_ipv4(piece, end - start))
        put_mask(scan, NORMAL_MASK_IP, end);
    else if (take_address(scan, stop, end) || take_host(scan, end))
        return;
    else if (is_id(piece, end - start))
        put_mask(scan, NORMAL_MASK_ID, end);
    else
        scan->at = stop;
}

/* What begins with a letter, a digit or "_". */
static void
take_name(Scan *scan)
{
    gsize stop = scan->at;
    guint8 common = WORD;
    for (; stop < scan->length && is_piece(scan->in[stop]); stop++)
        common &= kinds[(guchar)scan->in[stop]];
    gboolean colon = stop < scan->length && scan->in[stop] == ':';
    if (colon && (take_url(scan) || take_ipv6(scan)))
        return;
    if (common != 0)
        scan->at = stop;
    else
        take_piece(scan, stop);
}

static void
take_letter(Scan *scan)
{
    char letters[LETTER_FOLD_SIZE];
    gsize count;
    gsize used = letter_fold(scan->in + scan->at, scan->length - scan->at, letters, &count);
    if (count == 1 && letters[0] == ' ')
        put_space(scan, scan->at + used);
    else
        put_instead(scan, scan->at + used, letters, count);
}

/* Anything else: white space, punctuation, 8-bit letters. */
static void
take_octet(Scan *scan)
{
    char octet = scan->in[scan->at];
    if (is_white(octet))
        put_space(scan, scan->at + 1);
    else if ((guchar)octet < 0x80)
        scan->at++;
    else
        take_letter(scan);
}

static void
take_next(Scan *scan)
{
    char octet = scan->in[scan->at];
    if (is_alnum(octet) || octet == '_')
        take_name(scan);
    else if (octet == ' ')
        put_space(scan, scan->at + 1);
    else if (!(octet == '<' && take_angle(scan)) && !(octet == ':' && take_ipv6(scan)) &&
             !(octet == '/' && take_path(scan)))
        take_octet(scan);
}

/* ---- the way back -------------------------------------------------------------------------- */

/* The run that text[at] belongs to. */
static const NormalRun *
run_of(const NormalText *normal, gsize at)
{
    guint first = 0, end = normal->run_count;
    while (end - first > 1) {
        guint middle = first + (end - first) / 2;
        if (normal->runs[middle].at <= at)
            first = middle;
        else
            end = middle;
    }
    return &normal->runs[first];
}

gsize
normal_text_origin(const NormalText *normal, gsize at)
{
    if (at >= normal->length)
        return normal->original_length;
    const NormalRun *run = run_of(normal, at);
    return run->origin + (run->verbatim ? at - run->at : 0);
}

/* A mask or a folded letter that is touched counts as a whole. */
static gsize
whole_end(const NormalText *normal, gsize end)
{
    const NormalRun *run = run_of(normal, end - 1);
    if (run->verbatim)
        return end;
    gboolean last = run + 1 == normal->runs + normal->run_count;
    return last ? normal->length : MIN(run[1].at, normal->length);
}

char *
normal_text_original(const NormalText *normal, const char *original, gsize start, gsize end)
{
    g_assert(start <= end && end <= normal->length);
    gsize from = normal_text_origin(normal, start), to = from;
    if (end > start)
        to = normal_text_origin(normal, whole_end(normal, end));
    while (to > from && is_white(original[to - 1]))
        to--;
    return g_strndup(original + from, to - from);
}

/* ---- life ---------------------------------------------------------------------------------- */

NormalText *
normal_text_new(void)
{
    NormalText *normal = g_new0(NormalText, 1);
    normal->masks = g_new(NormalMask, NORMAL_TEXT_MAX_MASKS);
    return normal;
}

void
normal_text_free(NormalText *normal)
{
    if (normal == NULL)
        return;
    g_free(normal->text);
    g_free(normal->runs);
    g_free(normal->masks);
    g_free(normal);
}

static void
empty(NormalText *normal, gsize original_length)
{
    gsize size = 2 * original_length + 16;
    if (size > normal->size) {
        g_free(normal->text);
        normal->text = g_malloc(size);
        normal->size = size;
    }
    normal->length = 0;
    normal->original_length = original_length;
    normal->run_count = normal->mask_count = 0;
}

void
normal_text_read(NormalText *normal, const char *original, gsize length)
{
    length = MIN(length, G_MAXUINT32 / 2 - 16);
    empty(normal, length);
    Scan scan = {.in = original, .length = length, .normal = normal};
    while (scan.at < length)
        take_next(&scan);
    put_pending(&scan);
    if (normal->length > 0 && normal->text[normal->length - 1] == ' ')
        normal->length--;
    normal->text[normal->length] = '\0';
}
