/*
 * replyctl: replymilter's engine on the command line. Finds the command and runs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static int
run(const char *name, int argc, char **argv)
{
    const Command *command = command_find(name);
    return command != NULL ? command->run(argc, argv) : complain_of(name);
}

/* "help explain" is "explain --help". */
static int
run_help(int argc, char **argv)
{
    char *words[] = {argc > 2 ? argv[2] : NULL, (char[]){"--help"}, NULL};
    if (argc > 2)
        return run(words[0], 2, words);
    print_help(stdout);
    return COMMAND_DONE;
}

static int
dispatch(int argc, char **argv)
{
    static const char *const help[] = {"help", "--help", "-h", NULL};
    static const char *const version[] = {"--version", "-V", NULL};
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_USAGE;
    }
    if (g_strv_contains(help, argv[1]))
        return run_help(argc, argv);
    if (g_strv_contains(version, argv[1])) {
        char *words[] = {(char[]){"version"}, NULL};
        return run(words[0], 1, words);
    }
    return run(argv[1], argc - 1, argv + 1);
}

/* A closed standard descriptor would be given to the next file that is opened. */
static void
hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            g_error("descriptor %d cannot be held", fd);
}

/* An answer that did not arrive is none. */
static int
finish(int status)
{
    gboolean lost = ferror(stdout) != 0;
    if (fclose(stdout) == 0 && !lost)
        return status;
    command_complain("standard output: %s", errno != 0 ? g_strerror(errno) : "cannot be written");
    return status == COMMAND_DONE ? COMMAND_FAILED : status;
}

int
main(int argc, char **argv)
{
    hold_standard_descriptors();
    setlocale(LC_ALL, "");
    return finish(dispatch(argc, argv));
}
