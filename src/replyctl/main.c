/*
 * replyctl: replymilter's engine on the command line. Finds the command and runs it.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "replyctl/command.h"

static void
print_help(FILE *out)
{
    fputs("usage: replyctl COMMAND [ARGUMENT...]\n\n", out);
    for (const Command *command = commands; command->name != NULL; command++)
        fprintf(out, "  %-8s  %s\n", command->name, command->summary);
    fputs("\nEach command has --help. See replyctl(1).\n", out);
}

/* Names the nearest command, as the policy does for its settings. */
static int
complain_of(const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const Command *command = commands; command->name != NULL; command++)
        g_ptr_array_add(names, (gpointer)command->name);
    g_ptr_array_add(names, NULL);
    const char *nearest = text_nearest(name, (const char *const *)names->pdata);
    if (nearest != NULL)
        command_complain("unknown command \"%s\": did you mean \"%s\"?", name, nearest);
    else
        command_complain("unknown command \"%s\": see replyctl --help", name);
    return COMMAND_USAGE;
}

int
main(int argc, char **argv)
{
    static const char *const help[] = {"help", "--help", "-h", NULL};
    static const char *const version[] = {"--version", "-V", NULL};
    setlocale(LC_ALL, "");
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (g_strv_contains(help, argv[1])) {
        print_help(stdout);
        return COMMAND_DONE;
    }
    if (g_strv_contains(version, argv[1]))
        return cmd_version(argc - 1, argv + 1);
    for (const Command *command = commands; command->name != NULL; command++)
        if (strcmp(command->name, argv[1]) == 0)
            return command->run(argc - 1, argv + 1);
    return complain_of(argv[1]);
}
