/*
 * template: a text with %{variables}, compiled at load into pieces.
 *
 * A piece is a literal or a variable; a pair of percent signs is folded into the literal.
 */
#include "policy/template.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

typedef struct {
    char *literal; /* NULL: a variable */
    Variable variable;
} Piece;

struct Template {
    char *text;
    GArray *pieces; /* of Piece */
    guint32 used;   /* bits 1 << Variable */
};

G_STATIC_ASSERT(VARIABLE_COUNT <= 32);

static const char *const names[VARIABLE_GROUP_1 + 1] = {
    [VARIABLE_CLIENT_ADDR] = "client_addr",
    [VARIABLE_CLIENT_NAME] = "client_name",
    [VARIABLE_HELO] = "helo",
    [VARIABLE_SENDER] = "sender",
    [VARIABLE_SENDER_DOMAIN] = "sender_domain",
    [VARIABLE_RECIPIENT] = "recipient",
    [VARIABLE_RECIPIENT_DOMAIN] = "recipient_domain",
    [VARIABLE_QUEUE_ID] = "queue_id",
    [VARIABLE_HOSTNAME] = "hostname",
    [VARIABLE_REFERENCE] = "reference",
    [VARIABLE_CODE] = "code",
    [VARIABLE_STATUS] = "status",
    [VARIABLE_ORIGINAL] = "original",
    [VARIABLE_CATEGORY] = "category",
    [VARIABLE_EXPLANATION] = "explanation",
    [VARIABLE_ADVICE] = "advice",
    [VARIABLE_HELP_URL] = "help_url",
    [VARIABLE_CONTACT] = "contact",
    [VARIABLE_TIME] = "time",
    [VARIABLE_VALUE] = "value",
};

static const char *const group_names[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};

const char *
variable_name(Variable variable)
{
    g_assert((guint)variable < VARIABLE_COUNT);
    return variable < VARIABLE_GROUP_1 ? names[variable] : group_names[variable - VARIABLE_GROUP_1];
}

const char *const *
variable_names(void)
{
    return names;
}

static gboolean
variable_from_name(const char *name, Variable *variable)
{
    for (guint i = 0; i < VARIABLE_COUNT; i++) {
        if (strcmp(variable_name((Variable)i), name) == 0) {
            *variable = (Variable)i;
            return TRUE;
        }
    }
    return FALSE;
}

static void
clear_piece(gpointer piece)
{
    g_free(((Piece *)piece)->literal);
}

static void
add_literal(Template *template, GString *literal)
{
    if (literal->len == 0)
        return;
    Piece piece = {.literal = g_strdup(literal->str)};
    g_array_append_val(template->pieces, piece);
    g_string_truncate(literal, 0);
}

static void
set_unknown_variable(GError **error, const char *name)
{
    const char *nearest = text_nearest(name, names);
    g_autofree char *shown = text_clean(name, 40);
    if (nearest != NULL)
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                    "unknown variable \"%%{%s}\": did you mean \"%%{%s}\"?", shown, nearest);
    else
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                    "unknown variable \"%%{%s}\"", shown);
}

/* `at` stands behind "%{". Returns what stands behind "}", or NULL and an error. */
static const char *
add_variable(Template *template, const char *at, GError **error)
{
    const char *end = strchr(at, '}');
    if (end == NULL) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                    "\"%%{%s\" is never closed with \"}\"", at);
        return NULL;
    }
    g_autofree char *name = g_strndup(at, (gsize)(end - at));
    Piece piece = {.literal = NULL};
    if (!variable_from_name(name, &piece.variable)) {
        set_unknown_variable(error, name);
        return NULL;
    }
    g_array_append_val(template->pieces, piece);
    template->used |= 1u << piece.variable;
    return end + 1;
}

static gboolean
compile(Template *template, GError **error)
{
    g_autoptr(GString) literal = g_string_new(NULL);
    const char *at = template->text;
    while (*at != '\0') {
        if (at[0] == '%' && at[1] == '{') {
            add_literal(template, literal);
            at = add_variable(template, at + 2, error);
            if (at == NULL)
                return FALSE;
        } else {
            g_string_append_c(literal, *at);
            at += at[0] == '%' && at[1] == '%' ? 2 : 1;
        }
    }
    add_literal(template, literal);
    return TRUE;
}

Template *
template_new(const char *text, GError **error)
{
    if (!text_is_printable(text)) {
        g_autofree char *shown = text_escape(text);
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                    "\"%s\" holds what cannot stand in a reply: only printable ASCII can", shown);
        return NULL;
    }
    Template *template = g_new0(Template, 1);
    template->text = g_strdup(text);
    template->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(template->pieces, clear_piece);
    if (!compile(template, error)) {
        template_free(template);
        return NULL;
    }
    return template;
}

void
template_free(Template *template)
{
    if (template == NULL)
        return;
    g_free(template->text);
    g_array_unref(template->pieces);
    g_free(template);
}

char *
template_expand(const Template *template, TemplateLookup lookup, gpointer data)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < template->pieces->len; i++) {
        const Piece *piece = &g_array_index(template->pieces, Piece, i);
        const char *text = piece->literal;
        if (text == NULL)
            text = lookup(piece->variable, data);
        if (text == NULL)
            return NULL;
        g_string_append(out, text);
    }
    return g_strdup(out->str);
}

gboolean
template_uses(const Template *template, Variable variable)
{
    g_assert((guint)variable < VARIABLE_COUNT);
    return (template->used & (1u << variable)) != 0;
}

const char *
template_text(const Template *template)
{
    return template->text;
}
