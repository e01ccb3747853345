/*
 * command: the commands of replyctl, a row and a file each.
 */
#include "replyctl/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const Command commands[] = {
    {"explain", "CODE|STATUS|REPLY...", "what a reply means, why it is given, what to do",
     cmd_explain},
    {"classify", "PATH...", "what bounces, logs and replies say: who failed, why, what to do",
     cmd_classify},
    {"follow", "[FILE]", "who has failed for good, as the mail log grows: an event each",
     cmd_follow},
    {"lint", "REPLY...", "every rule that a reply breaks, and the repaired reply", cmd_lint},
    {"try", "", "what the policy would say in a session, and why", cmd_try},
    {"check", "[FILE]", "everything that is wrong with a policy file", cmd_check},
    {"config", "[FILE]", "the effective settings", cmd_config},
    {"show", "REFERENCE", "the event behind a reference that somebody read out", cmd_show},
    {"tail", "[MEMBER=PATTERN...]", "the events as they come, in readable lines", cmd_tail},
    {"status", "", "how the running daemon is", cmd_status},
    {"stats", "", "what the running daemon has counted", cmd_stats},
    {"trace", "[AREA...]", "what the running daemon traces in its log", cmd_trace},
    {"loglevel", "[LEVEL]", "how much the running daemon logs about itself", cmd_loglevel},
    {"pages", "DIR", "static help pages, one a status and category", cmd_pages},
    {"postfix", "", "sets up the Postfix of this host, takes it back, tries it out", cmd_postfix},
    {"sendmail", "", "prints the lines for sendmail.mc", cmd_sendmail},
    {"version", "", "the version", cmd_version},
    {NULL, NULL, NULL, NULL},
};

const Command *
command_find(const char *name)
{
    const Command *command = commands;
    while (command->name != NULL && strcmp(command->name, name) != 0)
        command++;
    return command->name != NULL ? command : NULL;
}

void
command_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *line = text_escape(raw);
    fprintf(stderr, "replyctl: %s\n", line);
}

void
command_complain_of_choice(const char *command, const char *what, const char *given,
                           const char *const *known)
{
    const char *nearest = text_nearest(given, known);
    g_autofree char *all = g_strjoinv(", ", (char **)known);
    if (nearest != NULL)
        command_complain("%s: unknown %s \"%s\": did you mean \"%s\"?", command, what, given,
                         nearest);
    else
        command_complain("%s: unknown %s \"%s\" (known: %s)", command, what, given, all);
}

gboolean
command_has_stray(int argc, char **argv, int most, const char *limit)
{
    if (argc <= most + 1)
        return FALSE;
    command_complain("%s: %s%swhat is \"%s\"?", argv[0], limit != NULL ? limit : "",
                     limit != NULL ? ", " : "", argv[most + 1]);
    return TRUE;
}

/* GLib keeps the "--" that ends the options where a '-' follows. */
static void
drop_end_of_options(int *argc, char **argv)
{
    if (*argc < 2 || strcmp(argv[1], "--") != 0)
        return;
    for (int i = 1; i < *argc; i++)
        argv[i] = argv[i + 1];
    (*argc)--;
}

/* `help`: the text, if it was asked for. */
static gboolean
parse(const GOptionEntry *entries, const char *description, int *argc, char ***argv, char **help)
{
    const Command *command = command_find((*argv)[0]);
    g_assert(command != NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *program = g_strdup_printf("replyctl %s", command->name);
    g_set_prgname(program);
    g_autofree char *summary =
        g_strdup_printf("%c%s.", g_ascii_toupper(command->summary[0]), command->summary + 1);
    g_option_context_set_summary(context, summary);
    gboolean asked = FALSE;
    const GOptionEntry more[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &asked, "this help", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, more, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    if (description != NULL)
        g_option_context_set_description(context, description);
    if (g_option_context_parse(context, argc, argv, &error)) {
        *help = asked ? text_help(context) : NULL;
        drop_end_of_options(argc, *argv);
        return TRUE;
    }
    command_complain("%s: %s (see replyctl %s --help)", command->name, error->message,
                     command->name);
    return FALSE;
}

gboolean
command_parse(const GOptionEntry *entries, const char *description, int *argc, char ***argv)
{
    char *help = NULL;
    gboolean parsed = parse(entries, description, argc, argv, &help);
    if (help == NULL)
        return parsed;
    gboolean printed = fputs(help, stdout) >= 0 && fflush(stdout) == 0;
    g_free(help);
    exit(printed ? COMMAND_DONE : COMMAND_FAILED);
}
