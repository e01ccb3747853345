/*
 * layout_guess: the only address of a text, of the Subject, or of the original's To.
 */
#include "classify/layout_guess.h"

#include <string.h>

/* ---- who it cannot be ----------------------------------------------------------------------- */

static gboolean
is_same(LinePiece a, LinePiece b)
{
    return a.length == b.length && g_ascii_strncasecmp(a.start, b.start, a.length) == 0;
}

gboolean
layout_guess_names(const HeaderFields *fields, const char *name, LinePiece address)
{
    const char *value = fields != NULL ? header_fields_get(fields, name) : NULL;
    LinePiece one;
    while (value != NULL && line_address_find(value, strlen(value), &one)) {
        if (is_same(one, address))
            return TRUE;
        value = one.start + one.length;
    }
    return FALSE;
}

gboolean
layout_guess_is_helper(LinePiece address)
{
    static const char *const names[] = {"postmaster", "mailer-daemon", "abuse", "support",
                                        "help",       "helpdesk",      "admin", "administrator",
                                        "noreply",    "no-reply",      "noc",   "security",
                                        "hostmaster", "webmaster",     "spam",  "servicedesk"};
    gsize local = strcspn(address.start, "@");
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i]) == local && g_ascii_strncasecmp(address.start, names[i], local) == 0)
            return TRUE;
    return FALSE;
}

/* Who wrote, or got, the report or the original. */
static gboolean
is_party(const LayoutSource *source, LinePiece address)
{
    const HeaderFields *header = source->header;
    return layout_guess_is_helper(address) || layout_guess_names(header, "To", address) ||
           layout_guess_names(header, "From", address) ||
           layout_guess_names(header, "Reply-To", address) ||
           layout_guess_names(source->original, "From", address);
}

/* ---- the guesses ---------------------------------------------------------------------------- */

/* The only address of a text that may be the recipient's; FALSE: there are more, or none. */
typedef struct {
    LinePiece address;
    gboolean several;
    guint looks;
} OnlyAddress;

/* Addresses that are looked at: each costs a look at the header. */
#define MOST_LOOKS 50

static void
only_address_look(const LayoutSource *source, OnlyAddress *only, const char *text, gsize length)
{
    const char *end = text + length;
    LinePiece one;
    for (; line_address_find(text, (gsize)(end - text), &one); text = one.start + one.length) {
        only->several = only->several || only->looks++ >= MOST_LOOKS;
        if (only->several)
            return;
        if (is_party(source, one) || (only->address.start != NULL && is_same(only->address, one)))
            continue;
        only->several = only->address.start != NULL;
        only->address = one;
    }
}

/* "Message-ID: <1@host>" looks like one. */
static gboolean
names_mail(const Line *line)
{
    return g_strstr_len(line->lower, (gssize)line->length, "message-id") != NULL ||
           g_strstr_len(line->lower, (gssize)line->length, "message id") != NULL;
}

/* Lines that are looked at: nobody writes a longer text about one recipient. */
#define MOST_LINES 200

static gboolean
text_names(const LayoutSource *source, LinePiece *address)
{
    OnlyAddress only = {0};
    guint end =
        MIN(MOST_LINES, layout_reader_original_line(source->common, source->text, source->places));
    for (guint i = 0; i < end && !only.several; i++) {
        const Line *line = layout_text_line(source->text, i);
        LineMatch match;
        if (!names_mail(line) && !layout_form_match(source->form, LAYOUT_LINE_SKIP, line, &match))
            only_address_look(source, &only, line->text, line->length);
    }
    *address = only.address;
    return only.address.start != NULL && !only.several;
}

static gboolean
subject_names(const LayoutSource *source, LinePiece *address)
{
    const char *subject = header_fields_get(source->header, "Subject");
    OnlyAddress only = {0};
    if (subject != NULL)
        only_address_look(source, &only, subject, strlen(subject));
    *address = only.address;
    return only.address.start != NULL && !only.several;
}

/* To a list one writes; those who read it are others. A report's To is its reader. */
static gboolean
names_others(const HeaderFields *original)
{
    const char *path = header_fields_get(original, "Return-Path");
    return (path != NULL && strcmp(path, "<>") == 0) ||
           header_fields_get(original, "List-Id") != NULL ||
           header_fields_get(original, "List-Post") != NULL ||
           header_fields_get(original, "Mailing-List") != NULL;
}

/* Of the original's recipients one is meant; which, is known only where there is one. */
static gboolean
original_names(const LayoutSource *source, LinePiece *address)
{
    const HeaderFields *original = source->original;
    const char *to = original != NULL ? header_fields_get(original, "To") : NULL;
    LinePiece other;
    if (to == NULL || names_others(original) || !line_address_find(to, strlen(to), address))
        return FALSE;
    const char *behind = address->start + address->length;
    return !line_address_find(behind, strlen(behind), &other);
}

/* "by mx.example.net with ESMTP id 1 for <user@example.net>; ...": whom the last host took it for.
 */
static gboolean
received_names(const LayoutSource *source, LinePiece *address)
{
    const HeaderFields *original = source->original;
    const char *received = original != NULL ? header_fields_get(original, "Received") : NULL;
    const char *found = received != NULL ? strstr(received, "for <") : NULL;
    if (found == NULL || (found > received && !g_ascii_isspace(found[-1])))
        return FALSE;
    found += strlen("for <");
    return line_address_find(found, strcspn(found, ">;"), address) && !is_party(source, *address);
}

/* ---- by name -------------------------------------------------------------------------------- */

typedef gboolean (*GuessFunction)(const LayoutSource *source, LinePiece *address);

/* NULL: there is no such guess. */
static GuessFunction
guess_named(const char *name)
{
    static const struct {
        const char *name;
        GuessFunction look;
    } guesses[] = {
        {"text", text_names},
        {"subject", subject_names},
        {"original", original_names},
        {"received", received_names},
    };
    for (guint i = 0; i < G_N_ELEMENTS(guesses); i++)
        if (strcmp(name, guesses[i].name) == 0)
            return guesses[i].look;
    return NULL;
}

gboolean
layout_guess_is(const char *name)
{
    return guess_named(name) != NULL;
}

gboolean
layout_guess(const LayoutSource *source, const char *name, LinePiece *address)
{
    GuessFunction look = guess_named(name);
    g_assert(look != NULL);
    return look(source, address);
}
