/*
 * syntax: the order in which the policy language's tokens may stand.
 *
 * A stack of brackets, each with what is expected next inside it.
 */
#include "policy/syntax.h"

#include <string.h>

enum { DEEPEST = 32 };

typedef enum {
    WANT_NAME,   /* in a group: a setting, or the end */
    WANT_EQUALS, /* behind a name */
    WANT_VALUE,  /* behind '=' */
    WANT_NEXT,   /* behind a value */
    WANT_FIRST,  /* in a list: an element, or the end */
    WANT_ELEMENT /* behind a comma */
} Want;

/* Where a name stands. */
typedef struct {
    guint file, line;
} Place;

typedef struct {
    char bracket; /* '{' '[' '('; '\0' for a file */
    guint line;
    Want want;
    char *name;           /* of the setting that is being read */
    GHashTable *names;    /* of the settings so far -> Place *; NULL: there is none */
    gboolean string_last; /* the value so far is a string: another one adds to it */
} Frame;

/* An including file, to which an included one comes back. */
typedef struct {
    guint frames, file;
} Including;

struct SyntaxCheck {
    GArray *frames; /* of Frame */
    guint base;     /* frames that belong to the including files */
    guint file;     /* that is being read, by its number */
    guint files;    /* so far, but for the first */
    GArray *bases;  /* of Including: the earlier ones */
};

static void
clear_frame(gpointer frame)
{
    g_free(((Frame *)frame)->name);
    g_clear_pointer(&((Frame *)frame)->names, g_hash_table_unref);
}

SyntaxCheck *
syntax_check_new(void)
{
    SyntaxCheck *check = g_new0(SyntaxCheck, 1);
    check->frames = g_array_new(FALSE, TRUE, sizeof(Frame));
    g_array_set_clear_func(check->frames, clear_frame);
    check->bases = g_array_new(FALSE, FALSE, sizeof(Including));
    Frame file = {.want = WANT_NAME};
    g_array_append_val(check->frames, file);
    check->base = 1;
    return check;
}

void
syntax_check_free(SyntaxCheck *check)
{
    if (check == NULL)
        return;
    g_array_unref(check->frames);
    g_array_unref(check->bases);
    g_free(check);
}

void
syntax_check_enter(SyntaxCheck *check)
{
    Including back = {.frames = check->base, .file = check->file};
    g_array_append_val(check->bases, back);
    check->base = check->frames->len;
    check->file = ++check->files;
}

void
syntax_check_leave(SyntaxCheck *check)
{
    g_assert(check->bases->len > 0);
    Including back = g_array_index(check->bases, Including, check->bases->len - 1);
    check->base = back.frames;
    check->file = back.file;
    g_array_set_size(check->bases, check->bases->len - 1);
}

static Frame *
top(SyntaxCheck *check)
{
    return &g_array_index(check->frames, Frame, check->frames->len - 1);
}

static gboolean
is_list(const Frame *frame)
{
    return frame->bracket == '[' || frame->bracket == '(';
}

static char
closing(char bracket)
{
    return bracket == '{' ? '}' : bracket == '[' ? ']' : ')';
}

/* ---- one function for each thing that can come --------------------------------------------------
 */

/* A setting may stand only once in its group; libconfig would not say where the other one is. */
static char *
enter_name(Frame *frame, const char *name, Place place)
{
    if (frame->names == NULL)
        frame->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const Place *other = g_hash_table_lookup(frame->names, name);
    if (other == NULL) {
        g_hash_table_insert(frame->names, g_strdup(name), g_memdup2(&place, sizeof(place)));
        return NULL;
    }
    if (other->file != place.file)
        return g_strdup_printf("\"%s\" is set in another file already", name);
    return g_strdup_printf("\"%s\" is set in line %u already: put both into one", name,
                           other->line);
}

static char *
take_name(Frame *frame, const char *name, Place place)
{
    switch (frame->want) {
    case WANT_NAME:
    case WANT_NEXT:
        if (is_list(frame))
            return g_strdup_printf("a comma is missing before \"%s\"", name);
        g_free(frame->name);
        frame->name = g_strdup(name);
        frame->want = WANT_EQUALS;
        return enter_name(frame, name, place);
    case WANT_EQUALS:
        return g_strdup_printf("\"=\" is missing behind \"%s\"", frame->name);
    default:
        return g_strdup_printf("\"%s\" needs double quotes, if it is a value", name);
    }
}

/* A string, a number, or an opening bracket. */
static char *
take_value(Frame *frame, gboolean string)
{
    gboolean adds = string && frame->string_last;
    Want want = frame->want;
    if (want == WANT_EQUALS)
        return g_strdup_printf("\"=\" is missing behind \"%s\"", frame->name);
    if (want == WANT_NEXT && is_list(frame))
        return g_strdup("a comma is missing before this element");
    if (want == WANT_NAME || (want == WANT_NEXT && !adds))
        return g_strdup("a value stands here that has no name and \"=\" before it");
    frame->want = WANT_NEXT;
    frame->string_last = string;
    return NULL;
}

static char *
take_equals(Frame *frame)
{
    if (frame->want != WANT_EQUALS)
        return g_strdup(is_list(frame) ? "\"=\" cannot stand in a list: put \"{ }\" round settings"
                                       : "\"=\" has no name before it");
    frame->want = WANT_VALUE;
    frame->string_last = FALSE;
    return NULL;
}

static char *
take_separator(Frame *frame, char separator)
{
    if (frame->want == WANT_EQUALS)
        return g_strdup_printf("\"=\" is missing behind \"%s\"", frame->name);
    if (frame->want == WANT_VALUE)
        return g_strdup_printf("the value of \"%s\" is missing", frame->name);
    if (is_list(frame) && separator == ';')
        return g_strdup_printf("\";\" cannot stand in a list: is its \"%c\" missing?",
                               closing(frame->bracket));
    if (frame->want != WANT_NEXT)
        return g_strdup_printf("\"%c\" has nothing before it", separator);
    frame->want = is_list(frame) ? WANT_ELEMENT : WANT_NAME;
    frame->string_last = FALSE;
    return NULL;
}

static char *
take_open(SyntaxCheck *check, char bracket, guint line)
{
    Frame *frame = top(check);
    if (frame->bracket == '[')
        return g_strdup("\"[ ]\" holds only plain values: a list of others stands in \"( )\"");
    char *fault = take_value(frame, FALSE);
    if (fault != NULL)
        return fault;
    if (check->frames->len > DEEPEST)
        return g_strdup_printf("brackets are more than %d deep", DEEPEST);
    Frame inner = {.bracket = bracket, .line = line};
    inner.want = bracket == '{' ? WANT_NAME : WANT_FIRST;
    g_array_append_val(check->frames, inner);
    return NULL;
}

static char *
take_close(SyntaxCheck *check, char bracket)
{
    Frame *frame = top(check);
    if (check->frames->len <= check->base)
        return g_strdup_printf("\"%c\" closes nothing", bracket);
    if (bracket != closing(frame->bracket))
        return g_strdup_printf("\"%c\" cannot close the \"%c\" of line %u", bracket, frame->bracket,
                               frame->line);
    if (frame->want == WANT_EQUALS)
        return g_strdup_printf("\"=\" is missing behind \"%s\"", frame->name);
    if (frame->want == WANT_VALUE)
        return g_strdup_printf("the value of \"%s\" is missing", frame->name);
    if (frame->want == WANT_ELEMENT)
        return g_strdup_printf("a comma too many before \"%c\"", bracket);
    g_array_set_size(check->frames, check->frames->len - 1);
    return NULL;
}

static char *
take_end(SyntaxCheck *check)
{
    const Frame *frame = top(check);
    if (check->frames->len > check->base)
        return g_strdup_printf("the \"%c\" of line %u is never closed", frame->bracket,
                               frame->line);
    if (frame->want == WANT_EQUALS)
        return g_strdup_printf("\"=\" is missing behind \"%s\"", frame->name);
    if (frame->want == WANT_VALUE)
        return g_strdup_printf("the value of \"%s\" is missing", frame->name);
    return NULL;
}

char *
syntax_check_token(SyntaxCheck *check, Token token, guint line)
{
    g_autofree char *text = g_strndup(token.text, token.length);
    switch (token.kind) {
    case TOKEN_NAME:
        return take_name(top(check), text, (Place){.file = check->file, .line = line});
    case TOKEN_STRING:
    case TOKEN_VALUE:
        return take_value(top(check), token.kind == TOKEN_STRING);
    case TOKEN_EQUALS:
        return take_equals(top(check));
    case TOKEN_COMMA:
    case TOKEN_SEMICOLON:
        return take_separator(top(check), text[0]);
    case TOKEN_OPEN:
        return take_open(check, text[0], line);
    case TOKEN_CLOSE:
        return take_close(check, text[0]);
    case TOKEN_END:
        return take_end(check);
    }
    g_assert_not_reached();
}

char *
syntax_quote(const char *text)
{
    GString *out = g_string_new("\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if (g_ascii_iscntrl(*text))
            g_string_append_printf(out, "\\x%02x", (guint8)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}
