/*
 * tally: how many of what `replyctl classify` has seen.
 */
#include "replyctl/tally.h"

#include <string.h>

#include "replyctl/screen.h"
#include "replyctl/shares.h"

static guint
provider_index(const char *name)
{
    const char *const *names = classifier_providers();
    guint index = 0;
    while (index < TALLY_PROVIDERS && names[index] != NULL && strcmp(names[index], name) != 0)
        index++;
    return names[index] != NULL ? index : TALLY_PROVIDERS;
}

static void
count_cause(Tally *tally, const Classification *cause)
{
    guint index = cause->provider != NULL ? provider_index(cause->provider) : TALLY_PROVIDERS;
    tally->categories[cause->category]++;
    tally->actions[cause->action]++;
    if (index < TALLY_PROVIDERS)
        tally->providers[index]++;
    else
        tally->others++;
    if (cause->permanent)
        tally->dead++;
}

void
tally_count(Tally *tally, MailKind kind, const Classification *cause)
{
    tally->kinds[kind]++;
    if (cause != NULL)
        count_cause(tally, cause);
}

static void
add(guint64 *counts, const guint64 *more, gsize length)
{
    for (gsize i = 0; i < length; i++)
        counts[i] += more[i];
}

void
tally_add(Tally *tally, const Tally *more)
{
    tally->mails += more->mails;
    tally->lines += more->lines;
    tally->partly += more->partly;
    tally->dead += more->dead;
    tally->others += more->others;
    add(tally->kinds, more->kinds, MAIL_KIND_COUNT);
    add(tally->categories, more->categories, CATEGORY_COUNT);
    add(tally->actions, more->actions, ACTION_COUNT);
    add(tally->providers, more->providers, TALLY_PROVIDERS);
}

/* ---- the summary -------------------------------------------------------------------------------
 */

static void
print_categories(const Tally *tally)
{
    g_autoptr(GArray) shares = shares_new();
    for (guint i = 0; i < CATEGORY_COUNT; i++)
        shares_add(shares, category_info((Category)i)->name, tally->categories[i]);
    shares_print("By category", shares, 0);
}

static void
print_providers(const Tally *tally)
{
    const char *const *names = classifier_providers();
    g_autoptr(GArray) shares = shares_new();
    for (guint i = 0; i < TALLY_PROVIDERS && names[i] != NULL; i++)
        shares_add(shares, names[i], tally->providers[i]);
    shares_add(shares, "other, or not known", tally->others);
    shares_print("By provider", shares, 0);
}

static void
print_actions(const Tally *tally)
{
    g_autoptr(GArray) shares = shares_new();
    for (guint i = 0; i < ACTION_COUNT; i++)
        shares_add(shares, action_name((Action)i), tally->actions[i]);
    shares_print("By action", shares, 0);
}

static void
print_kinds(const Tally *tally)
{
    static const struct {
        const char *one, *more;
    } names[MAIL_KIND_COUNT] = {
        [MAIL_KIND_NOT_A_BOUNCE] = {"not a bounce", "not a bounce"},
        [MAIL_KIND_FAILURE] = {"failed", "failed"},
        [MAIL_KIND_DELAY] = {"delayed", "delayed"},
        [MAIL_KIND_DELIVERED] = {"delivered", "delivered"},
        [MAIL_KIND_FEEDBACK] = {"complaint", "complaints"},
        [MAIL_KIND_AUTO_REPLY] = {"automatic answer", "automatic answers"},
    };
    static const MailKind order[] = {MAIL_KIND_FAILURE,    MAIL_KIND_DELAY,
                                     MAIL_KIND_DELIVERED,  MAIL_KIND_FEEDBACK,
                                     MAIL_KIND_AUTO_REPLY, MAIL_KIND_NOT_A_BOUNCE};
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        guint64 count = tally->kinds[order[i]];
        if (count > 0)
            g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", text->len > 0 ? ", " : "",
                                   count, count == 1 ? names[order[i]].one : names[order[i]].more);
    }
    if (tally->dead > 0)
        g_string_append_printf(text, "; %" G_GUINT64_FORMAT " with a dead address", tally->dead);
    if (text->len > 0)
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, text->str);
}

static char *
counted(guint64 count, const char *what)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, what, count == 1 ? "" : "s");
}

static void
print_heading(const Tally *tally)
{
    g_autofree char *mails = counted(tally->mails, "mail"), *lines = counted(tally->lines, "line");
    if (tally->mails > 0 && tally->lines > 0)
        screen_heading("%s and %s read", mails, lines);
    else
        screen_heading("%s read", tally->lines > 0 ? lines : mails);
}

void
tally_print(const Tally *tally)
{
    print_heading(tally);
    print_kinds(tally);
    if (tally->partly > 0) {
        g_autofree char *text =
            g_strdup_printf("%" G_GUINT64_FORMAT " so large that not all was read", tally->partly);
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, text);
    }
    print_categories(tally);
    print_providers(tally);
    print_actions(tally);
}
