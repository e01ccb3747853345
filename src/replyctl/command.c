/*
 * command: the commands of replyctl, a row and a file each.
 */
#include "replyctl/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const Command commands[] = {
    {"explain", "CODE|STATUS|REPLY...", "what a reply means, why it is given, what to do",
     cmd_explain},
    {"lint", "REPLY...", "every rule that a reply breaks, and the repaired reply", cmd_lint},
    {"config", "[FILE]", "the effective settings", cmd_config},
    {"pages", "DIR", "static help pages, one a status and category", cmd_pages},
    {"version", "", "the version", cmd_version},
    {NULL, NULL, NULL, NULL},
};

static const Command *
find(const char *name)
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
    g_autofree char *line = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "replyctl: %s\n", line);
}

gboolean
command_parse(const GOptionEntry *entries, const char *description, int *argc, char ***argv)
{
    const Command *command = find((*argv)[0]);
    g_assert(command != NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *usage = g_strdup_printf("%s - %s", command->arguments, command->summary);
    g_autoptr(GOptionContext) context = g_option_context_new(usage);
    g_autofree char *program = g_strdup_printf("replyctl %s", command->name);
    g_set_prgname(program);
    g_option_context_add_main_entries(context, entries, NULL);
    if (description != NULL)
        g_option_context_set_description(context, description);
    if (g_option_context_parse(context, argc, argv, &error))
        return TRUE;
    command_complain("%s: %s (see replyctl %s --help)", command->name, error->message,
                     command->name);
    return FALSE;
}
