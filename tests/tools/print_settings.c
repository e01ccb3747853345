/*
 * print_settings: what replymilter.conf(5) must say, from the tables that the program itself uses.
 *
 * usage: print_settings settings|conditions|variables
 * `settings` prints the manual's part, the others one name a line. scripts/check-manual compares.
 */
#include <stdio.h>
#include <string.h>

#include "policy/fact.h"
#include "policy/settings.h"
#include "policy/template.h"

/* Sentences as mdoc wants them: each begins a line, and no line is long. None may begin with a
 * control character of roff. */
static void
print_sentences(const char *text)
{
    enum { WIDTH = 78 };
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    gsize column = 0;
    for (char **word = words; *word != NULL; word++) {
        g_autoptr(GString) shown = g_string_new(*word);
        g_string_replace(shown, "\\", "\\e", 0);
        gboolean fits = column + 1 + shown->len <= WIDTH;
        const char *gap = column == 0 ? "" : fits ? " " : "\n";
        printf("%s%s", gap, shown->str);
        column = (*gap == '\n' ? 0 : column + 1) + shown->len;
        if (g_str_has_suffix(shown->str, ".") && word[1] != NULL) {
            putchar('\n');
            column = 0;
        }
    }
    putchar('\n');
}

/* A macro's argument in quotes, with the quotes inside it doubled. */
static char *
macro_argument(const char *text)
{
    g_autoptr(GString) out = g_string_new(text);
    g_string_replace(out, "\"", "\"\"", 0);
    return g_strdup_printf("\"%s\"", out->str);
}

static void
print_row(const SettingRow *row, const PolicySettings *defaults)
{
    g_autofree char *type = setting_describe(row), *value = setting_print(defaults, row);
    printf(".It Cm %s\n", strchr(row->path, '.') + 1);
    g_autofree char *range = g_strdup_printf("%c%s.", g_ascii_toupper(*type), type + 1);
    print_sentences(range);
    print_sentences(row->help);
    if (value != NULL) {
        g_autofree char *preset = macro_argument(value);
        printf("The default is\n.Li %s .\n", preset);
    }
    if (row->needs_restart)
        printf("A change needs a restart.\n");
}

static void
print_section(const char *section, const PolicySettings *defaults)
{
    guint count;
    const SettingRow *rows = settings_rows(&count);
    gsize length = strlen(section);
    printf(".Ss %s\n.Bl -tag -width Ds\n", section);
    for (guint i = 0; i < count; i++)
        if (strncmp(rows[i].path, section, length) == 0 && rows[i].path[length] == '.')
            print_row(&rows[i], defaults);
    printf(".El\n");
}

static gboolean
has_plain_settings(const char *section)
{
    g_autofree const char **names = settings_names(section);
    return names != NULL;
}

static void
print_settings(void)
{
    PolicySettings defaults;
    settings_init(&defaults);
    const char *const *sections = settings_sections();
    for (guint i = 0; sections[i] != NULL; i++)
        if (has_plain_settings(sections[i]))
            print_section(sections[i], &defaults);
    settings_clear(&defaults);
}

static void
print_names(const char *const *names)
{
    for (; *names != NULL; names++)
        puts(*names);
}

int
main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "settings") == 0)
        print_settings();
    else if (strcmp(what, "conditions") == 0)
        print_names(fact_names());
    else if (strcmp(what, "variables") == 0)
        print_names(variable_names());
    else
        return 2;
    return 0;
}
