/*
 * html_text: what a reader of an HTML page sees, as plain text.
 */
#include "mail/html_text.h"

#include <string.h>

typedef struct {
    const char *at, *end;
    const char *close; /* the first '>' behind what was read; NULL: not looked for */
    GString *text;
    gboolean space; /* white space was seen since the last letter */
    gboolean is_preformatted;
} HtmlReader;

/* Elements that begin a new line where they start and where they end. */
static const char *const blocks[] = {
    "address", "article", "blockquote", "body",   "caption", "center", "dd",    "div",
    "dl",      "dt",      "fieldset",   "footer", "form",    "h1",     "h2",    "h3",
    "h4",      "h5",      "h6",         "head",   "header",  "hr",     "html",  "li",
    "ol",      "option",  "p",          "pre",    "section", "table",  "tbody", "tfoot",
    "thead",   "title",   "tr",         "ul",     "br",      NULL,
};

/* Elements whose content is not text. */
static const char *const hidden[] = {"script", "style", NULL};

static const struct {
    const char *name;
    gunichar letter;
} references[] = {
    {"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},
    {"nbsp", ' '},     {"copy", 0xa9},    {"reg", 0xae},     {"trade", 0x2122},  {"shy", 0xad},
    {"ensp", ' '},     {"emsp", ' '},     {"thinsp", ' '},   {"middot", 0xb7},   {"bull", 0x2022},
    {"ndash", 0x2013}, {"mdash", 0x2014}, {"lsquo", 0x2018}, {"rsquo", 0x2019},  {"ldquo", 0x201c},
    {"rdquo", 0x201d}, {"laquo", 0xab},   {"raquo", 0xbb},   {"hellip", 0x2026}, {"euro", 0x20ac},
    {"sect", 0xa7},    {"deg", 0xb0},     {"iexcl", 0xa1},   {"iquest", 0xbf},   {"ordf", 0xaa},
    {"ordm", 0xba},    {"szlig", 0xdf},   {"auml", 0xe4},    {"ouml", 0xf6},     {"uuml", 0xfc},
    {"Auml", 0xc4},    {"Ouml", 0xd6},    {"Uuml", 0xdc},    {"agrave", 0xe0},   {"aacute", 0xe1},
    {"acirc", 0xe2},   {"atilde", 0xe3},  {"aring", 0xe5},   {"aelig", 0xe6},    {"ccedil", 0xe7},
    {"egrave", 0xe8},  {"eacute", 0xe9},  {"ecirc", 0xea},   {"euml", 0xeb},     {"igrave", 0xec},
    {"iacute", 0xed},  {"icirc", 0xee},   {"iuml", 0xef},    {"ntilde", 0xf1},   {"ograve", 0xf2},
    {"oacute", 0xf3},  {"ocirc", 0xf4},   {"otilde", 0xf5},  {"oslash", 0xf8},   {"ugrave", 0xf9},
    {"uacute", 0xfa},  {"ucirc", 0xfb},   {"Agrave", 0xc0},  {"Aacute", 0xc1},   {"Acirc", 0xc2},
    {"Aring", 0xc5},   {"Ccedil", 0xc7},  {"Egrave", 0xc8},  {"Eacute", 0xc9},   {"Ecirc", 0xca},
    {"Iacute", 0xcd},  {"Ntilde", 0xd1},  {"Oacute", 0xd3},  {"Ocirc", 0xd4},    {"Oslash", 0xd8},
    {"Uacute", 0xda},  {"commat", '@'},   {"period", '.'},   {"colon", ':'},     {"semi", ';'},
    {"num", '#'},      {"lowbar", '_'},   {"sol", '/'},      {"NewLine", ' '},   {"Tab", ' '},
};

/* ---- writing ------------------------------------------------------------------------------ */

static void
put_space(HtmlReader *reader)
{
    if (reader->space && reader->text->len > 0 && reader->text->str[reader->text->len - 1] != '\n')
        g_string_append_c(reader->text, ' ');
    reader->space = FALSE;
}

static void
put_line_end(HtmlReader *reader)
{
    reader->space = FALSE;
    if (reader->text->len > 0)
        g_string_append_c(reader->text, '\n');
}

/* A new line, unless one has just begun. */
static void
put_block_end(HtmlReader *reader)
{
    reader->space = FALSE;
    if (reader->text->len > 0 && reader->text->str[reader->text->len - 1] != '\n')
        g_string_append_c(reader->text, '\n');
}

static void
put_letter(HtmlReader *reader, gunichar letter)
{
    if (letter == ' ' || letter == '\t' || letter == 0xa0) {
        reader->space = TRUE;
        return;
    }
    put_space(reader);
    g_string_append_unichar(reader->text, letter);
}

/* Text between tags: white space becomes one space, outside <pre>. */
static void
put_text(HtmlReader *reader, const char *text, gsize length)
{
    for (gsize i = 0; i < length;) {
        gsize plain = i;
        while (i < length && !g_ascii_isspace(text[i]))
            i++;
        if (i > plain) {
            put_space(reader);
            g_string_append_len(reader->text, text + plain, (gssize)(i - plain));
        }
        for (; i < length && g_ascii_isspace(text[i]); i++) {
            if (reader->is_preformatted && text[i] == '\n')
                put_line_end(reader);
            else
                reader->space = TRUE;
        }
    }
}

/* ---- references --------------------------------------------------------------------------- */

/* "#64", "#x40": the letter, or 0. */
static gunichar
numeric_reference(const char *digits)
{
    gboolean is_hex = g_ascii_tolower(digits[1]) == 'x';
    char *end;
    guint64 number = g_ascii_strtoull(digits + (is_hex ? 2 : 1), &end, is_hex ? 16 : 10);
    if (*end != '\0' || number > 0x10ffff || !g_unichar_validate((gunichar)number))
        return 0;
    return number < ' ' ? ' ' : (gunichar)number;
}

static gunichar
find_reference(const char *name)
{
    if (name[0] == '#')
        return numeric_reference(name);
    for (gsize i = 0; i < G_N_ELEMENTS(references); i++)
        if (strcmp(references[i].name, name) == 0)
            return references[i].letter;
    return 0;
}

/* At '&'. */
static void
read_reference(HtmlReader *reader)
{
    char name[12];
    gsize length = 0;
    const char *at = reader->at + 1;
    while (at < reader->end && length < sizeof(name) - 1 &&
           (g_ascii_isalnum(*at) || (*at == '#' && length == 0)))
        name[length++] = *at++;
    name[length] = '\0';
    gunichar letter = length > 0 ? find_reference(name) : 0;
    if (letter == 0) {
        put_text(reader, "&", 1);
        reader->at++;
        return;
    }
    put_letter(reader, letter);
    reader->at = at < reader->end && *at == ';' ? at + 1 : at;
}

/* ---- tags --------------------------------------------------------------------------------- */

static gboolean
is_one_of(const char *const *list, const char *name)
{
    for (gsize i = 0; list[i] != NULL; i++)
        if (strcmp(list[i], name) == 0)
            return TRUE;
    return FALSE;
}

/* Moves behind `what` (no regard to case), or to the end. */
static void
skip_behind(HtmlReader *reader, const char *what)
{
    gsize length = strlen(what);
    for (; (gsize)(reader->end - reader->at) >= length; reader->at++)
        if (*reader->at == what[0] && g_ascii_strncasecmp(reader->at, what, length) == 0) {
            reader->at += length;
            return;
        }
    reader->at = reader->end;
}

/* "<user@example.org>", "<https://...>", "<mx.example.org>", "<5.1.1>" are text. */
static gboolean
is_tag(const char *inner, gsize length)
{
    if (length > 0 && (inner[0] == '!' || inner[0] == '?'))
        return TRUE;
    if (length > 0 && inner[0] == '/')
        inner++, length--;
    if (length == 0 || !g_ascii_isalpha(inner[0]))
        return FALSE;
    for (gsize i = 0; i < length && !g_ascii_isspace(inner[i]) && inner[i] != '/'; i++)
        if (inner[i] == '<' || inner[i] == '@' || inner[i] == '.' ||
            (inner[i] == ':' && i + 1 < length && inner[i + 1] == '/'))
            return FALSE;
    return g_ascii_strncasecmp(inner, "mailto:", MIN(length, strlen("mailto:"))) != 0;
}

/* Where the next '>' stands, or the end. Each octet is looked at once in all. */
static const char *
find_close(HtmlReader *reader)
{
    if (reader->close == NULL || reader->close < reader->at) {
        reader->close = memchr(reader->at, '>', (gsize)(reader->end - reader->at));
        if (reader->close == NULL)
            reader->close = reader->end;
    }
    return reader->close;
}

static void
apply_tag(HtmlReader *reader, const char *name, gboolean is_end)
{
    if (strcmp(name, "br") == 0)
        put_line_end(reader);
    else if (is_one_of(blocks, name))
        put_block_end(reader);
    else if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0)
        reader->space = TRUE;
    if (strcmp(name, "pre") == 0)
        reader->is_preformatted = !is_end;
    if (!is_end && is_one_of(hidden, name)) {
        char closing[16];
        g_snprintf(closing, sizeof(closing), "</%s", name);
        skip_behind(reader, closing);
        skip_behind(reader, ">");
    }
}

static void
read_name(const char *inner, gsize length, char name[16], gboolean *is_end)
{
    *is_end = length > 0 && inner[0] == '/';
    gsize from = *is_end ? 1 : 0, kept = 0;
    while (from + kept < length && kept < 15 && g_ascii_isalnum(inner[from + kept])) {
        name[kept] = g_ascii_tolower(inner[from + kept]);
        kept++;
    }
    name[kept] = '\0';
}

/* At '<'. A bracket that nothing closes is text. */
static void
read_tag(HtmlReader *reader)
{
    gsize rest = (gsize)(reader->end - reader->at);
    if (rest >= 4 && memcmp(reader->at, "<!--", 4) == 0) {
        reader->at += 4;
        skip_behind(reader, "-->");
        return;
    }
    const char *close = find_close(reader);
    const char *inner = reader->at + 1;
    if (close == reader->end || !is_tag(inner, (gsize)(close - inner))) {
        put_text(reader, "<", 1);
        reader->at++;
        return;
    }
    char name[16];
    gboolean is_end;
    read_name(inner, (gsize)(close - inner), name, &is_end);
    reader->at = close + 1;
    apply_tag(reader, name, is_end);
}

GString *
html_text(const char *html, gsize length)
{
    HtmlReader reader = {
        .at = html, .end = html + length, .text = g_string_sized_new(length / 2 + 16)};
    while (reader.at < reader.end) {
        const char *from = reader.at;
        while (reader.at < reader.end && *reader.at != '<' && *reader.at != '&')
            reader.at++;
        put_text(&reader, from, (gsize)(reader.at - from));
        if (reader.at >= reader.end)
            break;
        if (*reader.at == '<')
            read_tag(&reader);
        else
            read_reference(&reader);
    }
    return reader.text;
}
