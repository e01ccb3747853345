/*
 * tally: how many of what `replyctl classify` has seen.
 */
#include "replyctl/tally.h"

#include <stdio.h>
#include <string.h>

#include "replyctl/screen.h"

/* A name and how many. */
typedef struct {
    const char *name;
    guint64 count;
} Part;

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
add_part(GArray *parts, const char *name, guint64 count)
{
    Part part = {name, count};
    if (count > 0)
        g_array_append_val(parts, part);
}

static gint
compare_parts(gconstpointer a, gconstpointer b)
{
    const Part *one = a, *two = b;
    if (one->count != two->count)
        return one->count > two->count ? -1 : 1;
    return strcmp(one->name, two->name);
}

static void
print_parts(const char *heading, GArray *parts)
{
    guint64 sum = 0;
    g_array_sort(parts, compare_parts);
    for (guint i = 0; i < parts->len; i++)
        sum += g_array_index(parts, Part, i).count;
    if (sum == 0)
        return;
    screen_heading("%s", heading);
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = &g_array_index(parts, Part, i);
        printf("  %9" G_GUINT64_FORMAT "  %5.1f %%  %s\n", part->count,
               100.0 * (double)part->count / (double)sum, part->name);
    }
}

static void
print_categories(const Tally *tally)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (guint i = 0; i < CATEGORY_COUNT; i++)
        add_part(parts, category_info((Category)i)->name, tally->categories[i]);
    print_parts("By category", parts);
}

static void
print_providers(const Tally *tally)
{
    const char *const *names = classifier_providers();
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (guint i = 0; i < TALLY_PROVIDERS && names[i] != NULL; i++)
        add_part(parts, names[i], tally->providers[i]);
    add_part(parts, "other, or not known", tally->others);
    print_parts("By provider", parts);
}

static void
print_actions(const Tally *tally)
{
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (guint i = 0; i < ACTION_COUNT; i++)
        add_part(parts, action_name((Action)i), tally->actions[i]);
    print_parts("By action", parts);
}

static void
print_kinds(const Tally *tally)
{
    static const char *const plurals[MAIL_KIND_COUNT] = {
        [MAIL_KIND_NOT_A_BOUNCE] = "not a bounce",
        [MAIL_KIND_FAILURE] = "failed",
        [MAIL_KIND_DELAY] = "delayed",
        [MAIL_KIND_DELIVERED] = "delivered",
        [MAIL_KIND_FEEDBACK] = "feedback",
        [MAIL_KIND_AUTO_REPLY] = "automatic answers",
    };
    static const MailKind order[] = {MAIL_KIND_FAILURE,    MAIL_KIND_DELAY,
                                     MAIL_KIND_DELIVERED,  MAIL_KIND_FEEDBACK,
                                     MAIL_KIND_AUTO_REPLY, MAIL_KIND_NOT_A_BOUNCE};
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(order); i++)
        if (tally->kinds[order[i]] > 0)
            g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s", text->len > 0 ? ", " : "",
                                   tally->kinds[order[i]], plurals[order[i]]);
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
