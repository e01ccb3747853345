/*
 * source: the policy file and what it includes, looked at before libconfig sees it.
 *
 * A scanner walks through each file once: it tells comments, strings, numbers, names and brackets
 * apart, hands them to the syntax check, and copies them to the text.
 */
#include "policy/source.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/checked_file.h"
#include "policy/problem.h"
#include "policy/syntax.h"

typedef struct {
    guint file;
    guint line;
} Place;

struct Source {
    char *folder;
    GString *text;
    GPtrArray *files;    /* of char *: names */
    GPtrArray *contents; /* of char *, as the files had them */
    GArray *places;      /* of Place: one for each line of text */
    SyntaxCheck *syntax;
    GPtrArray *problems; /* the caller's, while it reads */
    guint depth;
};

/* Where the scanner stands in one file. */
typedef struct {
    Source *source;
    guint file;
    guint line;
    const char *line_start;
    const char *at;
} Scan;

static gboolean read_file(Source *source, const char *path, const Scan *from);

/* ---- places and faults
 * --------------------------------------------------------------------------- */

static void
begin_line(Source *source, guint file, guint line)
{
    Place place = {.file = file, .line = line};
    g_array_append_val(source->places, place);
}

/* The line at `start`, for a message. */
static char *
quoted_line(const char *start)
{
    enum { LONGEST_QUOTE = 80 };
    g_autofree char *line = g_strndup(start, strcspn(start, "\n"));
    g_autofree char *shown = g_utf8_make_valid(g_strstrip(line), -1);
    if (strlen(shown) > LONGEST_QUOTE) {
        /* Between two characters. */
        char *end = shown + LONGEST_QUOTE;
        *g_utf8_find_prev_char(shown, end + 1) = '\0';
        return g_strconcat(shown, "...", NULL);
    }
    return g_steal_pointer(&shown);
}

static gboolean fault(const Scan *scan, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
fault(const Scan *scan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = quoted_line(scan->line_start);
    const char *file = g_ptr_array_index(scan->source->files, scan->file);
    g_ptr_array_add(
        scan->source->problems,
        problem_new(file, scan->line, *line != '\0' ? "%s, in: %s" : "%s%s", what, line));
    return FALSE;
}

static gboolean
take_token(const Scan *scan, TokenKind kind, gsize length)
{
    Token token = {.kind = kind, .text = scan->at, .length = length};
    g_autofree char *wrong = syntax_check_token(scan->source->syntax, token, scan->line);
    return wrong == NULL || fault(scan, "syntax error: %s", wrong);
}

static void
copy(Scan *scan, gsize length)
{
    g_string_append_len(scan->source->text, scan->at, (gssize)length);
    scan->at += length;
}

static void
copy_newline(Scan *scan)
{
    copy(scan, 1);
    scan->line++;
    scan->line_start = scan->at;
    begin_line(scan->source, scan->file, scan->line);
}

/* ---- comments and strings
 * ---------------------------------------------------------------------------- */

static void
skip_line_comment(Scan *scan)
{
    scan->at += strcspn(scan->at, "\n");
}

static gboolean
skip_comment(Scan *scan)
{
    if (strstr(scan->at + 2, "*/") == NULL)
        return fault(scan, "the comment that begins here is never closed with \"*/\"");
    const char *end = strstr(scan->at + 2, "*/") + 2;
    g_string_append_c(scan->source->text, ' ');
    while (scan->at < end) {
        if (*scan->at == '\n')
            copy_newline(scan);
        else
            scan->at++;
    }
    return TRUE;
}

/* The octets of a string with its quotes, or 0 if it does not end on its line. */
static gsize
string_length(const char *string)
{
    gsize length = 1;
    while (string[length] != '"') {
        if (string[length] == '\\' && string[length + 1] != '\n' && string[length + 1] != '\0')
            length++;
        if (string[length] == '\n' || string[length] == '\0')
            return 0;
        length++;
    }
    return length + 1;
}

static gboolean
copy_string(Scan *scan)
{
    gsize length = string_length(scan->at);
    if (length == 0)
        return fault(scan, "syntax error: a string that begins here is not closed with '\"' on its "
                           "line");
    for (const char *at = scan->at; at < scan->at + length; at++) {
        if (at[0] == '\\' && g_ascii_tolower(at[1]) == 'x' && at[2] == '0' && at[3] == '0')
            return fault(scan, "a string cannot hold a NUL octet (\\x00)");
        if (at[0] == '\\')
            at++;
    }
    if (!take_token(scan, TOKEN_STRING, length))
        return FALSE;
    copy(scan, length);
    return TRUE;
}

/* ---- numbers and names
 * --------------------------------------------------------------------------------- */

static gboolean
is_number_part(char octet)
{
    return g_ascii_isalnum(octet) || octet == '.' || octet == '+' || octet == '-';
}

/* An integer in decimal or hexadecimal digits, "L" behind it or not? */
static gboolean
is_integer(const char *number)
{
    const char *digits = number + (*number == '+' || *number == '-' ? 1 : 0);
    gboolean hex = digits[0] == '0' && g_ascii_tolower(digits[1]) == 'x';
    if (hex)
        digits += 2;
    gsize length = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    return length > 0 && strspn(digits + length, "L") == strlen(digits + length);
}

static gboolean
copy_integer(Scan *scan, const char *number, gsize length)
{
    gboolean hex = length > 1 && g_ascii_tolower(number[1]) == 'x';
    errno = 0;
    gint64 value = g_ascii_strtoll(number, NULL, hex ? 16 : 10);
    if (errno == ERANGE)
        return fault(scan, "the number %s is too large", number);
    copy(scan, length);
    gboolean wide = value > G_MAXINT32 || value < G_MININT32;
    if (wide && strchr(number, 'L') == NULL)
        g_string_append_c(scan->source->text, 'L');
    return TRUE;
}

static gboolean
copy_number(Scan *scan)
{
    gsize length = 1;
    while (is_number_part(scan->at[length]))
        length++;
    g_autofree char *number = g_strndup(scan->at, length);
    if (!take_token(scan, TOKEN_VALUE, length))
        return FALSE;
    if (is_integer(number))
        return copy_integer(scan, number, length);
    char *end;
    g_ascii_strtod(number, &end);
    if (*end != '\0' || strpbrk(number, "xX") != NULL || !strpbrk(number, "0123456789"))
        return fault(scan,
                     "syntax error: \"%s\" is no number, and needs double quotes if it is a "
                     "value",
                     number);
    copy(scan, length);
    return TRUE;
}

static gboolean
copy_name(Scan *scan)
{
    gsize length = 1;
    while (g_ascii_isalnum(scan->at[length]) || strchr("-_*", scan->at[length]) != NULL) {
        if (scan->at[length] == '\0')
            break;
        length++;
    }
    g_autofree char *name = g_strndup(scan->at, length);
    gboolean truth =
        g_ascii_strcasecmp(name, "true") == 0 || g_ascii_strcasecmp(name, "false") == 0;
    if (!take_token(scan, truth ? TOKEN_VALUE : TOKEN_NAME, length))
        return FALSE;
    copy(scan, length);
    return TRUE;
}

static gboolean
copy_sign(Scan *scan)
{
    static const struct {
        char sign;
        TokenKind kind;
    } signs[] = {
        {'=', TOKEN_EQUALS}, {':', TOKEN_EQUALS}, {',', TOKEN_COMMA}, {';', TOKEN_SEMICOLON},
        {'{', TOKEN_OPEN},   {'[', TOKEN_OPEN},   {'(', TOKEN_OPEN},  {'}', TOKEN_CLOSE},
        {']', TOKEN_CLOSE},  {')', TOKEN_CLOSE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (signs[i].sign != *scan->at)
            continue;
        if (!take_token(scan, signs[i].kind, 1))
            return FALSE;
        copy(scan, 1);
        return TRUE;
    }
    if (*scan->at == '\'')
        return fault(scan, "syntax error: strings stand in double quotes, not in single ones");
    if (*scan->at == '@')
        return fault(scan, "syntax error: \"@include\" stands at the beginning of a line, with a "
                           "name in double quotes behind it");
    if (g_ascii_isprint(*scan->at))
        return fault(scan, "syntax error: \"%c\" cannot stand here", *scan->at);
    return fault(scan, "syntax error: octet 0x%02x cannot stand outside of a string",
                 (guint)(guchar)*scan->at);
}

/* ---- includes
 * --------------------------------------------------------------------------------------------- */

/* The name's opening quote, or NULL if no @include stands here. */
static const char *
include_name(const Scan *scan)
{
    static const char word[] = "@include";
    for (const char *before = scan->line_start; before < scan->at; before++)
        if (*before != ' ' && *before != '\t')
            return NULL;
    if (!g_str_has_prefix(scan->at, word))
        return NULL;
    const char *name = scan->at + strlen(word);
    name += strspn(name, " \t");
    return *name == '"' ? name : NULL;
}

static gboolean
copy_include(Scan *scan, const char *quote)
{
    gsize length = string_length(quote);
    if (length == 0)
        return fault(scan, "syntax error: the name of the included file is not closed with '\"'");
    g_autofree char *name = g_strndup(quote + 1, length - 2);
    g_autofree char *path = g_path_is_absolute(name)
                                ? g_strdup(name)
                                : g_build_filename(scan->source->folder, name, NULL);
    if (*name == '\0')
        return fault(scan, "the included file has no name");
    if (scan->source->depth >= SOURCE_MAX_DEPTH)
        return fault(scan, "files include each other more than %d deep", SOURCE_MAX_DEPTH);
    g_string_append_c(scan->source->text, '\n');
    syntax_check_enter(scan->source->syntax);
    gboolean read = read_file(scan->source, path, scan);
    syntax_check_leave(scan->source->syntax);
    scan->at = quote + length;
    begin_line(scan->source, scan->file, scan->line);
    return read;
}

/* ---- files
 * --------------------------------------------------------------------------------------------------
 */

static gboolean
scan_one(Scan *scan)
{
    const char *at = scan->at;
    const char *include = *at == '@' ? include_name(scan) : NULL;
    if (include != NULL)
        return copy_include(scan, include);
    if (*at == '\n') {
        copy_newline(scan);
    } else if (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\f') {
        scan->at++;
        g_string_append_c(scan->source->text, ' ');
    } else if (*at == '#' || (at[0] == '/' && at[1] == '/')) {
        skip_line_comment(scan);
    } else if (at[0] == '/' && at[1] == '*') {
        return skip_comment(scan);
    } else if (*at == '"') {
        return copy_string(scan);
    } else if (g_ascii_isdigit(*at) || *at == '-' || *at == '+' || *at == '.') {
        return copy_number(scan);
    } else if (g_ascii_isalpha(*at) || *at == '*') {
        return copy_name(scan);
    } else {
        return copy_sign(scan);
    }
    return TRUE;
}

static gboolean
scan_file(Source *source, guint file)
{
    const char *content = g_ptr_array_index(source->contents, file);
    Scan scan = {.source = source, .file = file, .line = 1, .line_start = content, .at = content};
    begin_line(source, file, 1);
    while (*scan.at != '\0')
        if (!scan_one(&scan))
            return FALSE;
    if (!take_token(&scan, TOKEN_END, 0))
        return FALSE;
    g_string_append_c(source->text, '\n');
    return TRUE;
}

/* A fault of the file as a whole: it belongs to the line that includes it, if there is one. */
static gboolean
file_fault(Source *source, const char *path, const Scan *from, const char *what)
{
    if (from != NULL)
        return fault(from, "the included file \"%s\" %s", path, what);
    g_ptr_array_add(source->problems, problem_new(path, 0, "%s", what));
    return FALSE;
}

static gboolean
read_file(Source *source, const char *path, const Scan *from)
{
    FileDemands demands = {.limit = SOURCE_FILE_MAX_OCTETS, .forbidden = S_IWOTH};
    g_autoptr(GError) error = NULL;
    gsize length;
    g_autofree char *content = checked_file_read_text(path, demands, &length, &error);
    if (content == NULL)
        return file_fault(source, path, from, error->message);
    if (source->files->len >= SOURCE_MAX_FILES)
        return file_fault(source, path, from, "is one more than the files that may be included");
    if (source->text->len + length > SOURCE_MAX_OCTETS)
        return file_fault(source, path, from, "makes the whole policy larger than 4M");
    g_ptr_array_add(source->files, g_strdup(path));
    g_ptr_array_add(source->contents, g_steal_pointer(&content));
    source->depth++;
    gboolean good = scan_file(source, source->files->len - 1);
    source->depth--;
    return good;
}

Source *
source_read(const char *path, GPtrArray *problems)
{
    Source *source = g_new0(Source, 1);
    g_autofree char *folder = g_path_get_dirname(path);
    source->folder = g_canonicalize_filename(folder, NULL);
    source->text = g_string_new(NULL);
    source->files = g_ptr_array_new_with_free_func(g_free);
    source->contents = g_ptr_array_new_with_free_func(g_free);
    source->places = g_array_new(FALSE, FALSE, sizeof(Place));
    source->syntax = syntax_check_new();
    source->problems = problems;
    gboolean read = read_file(source, path, NULL);
    source->problems = NULL;
    if (read)
        return source;
    source_free(source);
    return NULL;
}

void
source_free(Source *source)
{
    if (source == NULL)
        return;
    g_free(source->folder);
    g_string_free(source->text, TRUE);
    g_ptr_array_unref(source->files);
    g_ptr_array_unref(source->contents);
    g_array_unref(source->places);
    syntax_check_free(source->syntax);
    g_free(source);
}

const char *
source_text(const Source *source)
{
    return source->text->str;
}

const char *
source_folder(const Source *source)
{
    return source->folder;
}

static const Place *
place_at(const Source *source, guint text_line)
{
    guint index = CLAMP(text_line, 1, source->places->len) - 1;
    return &g_array_index(source->places, Place, index);
}

const char *
source_place(const Source *source, guint text_line, guint *line)
{
    const Place *place = place_at(source, text_line);
    *line = place->line;
    return g_ptr_array_index(source->files, place->file);
}

char *
source_quote(const Source *source, guint text_line)
{
    const Place *place = place_at(source, text_line);
    const char *at = g_ptr_array_index(source->contents, place->file);
    for (guint line = 1; line < place->line && at != NULL; line++) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return quoted_line(at != NULL ? at : "");
}
