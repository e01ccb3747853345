/*
 * command: the commands of replyctl, a row and a file each.
 */
#pragma once

#include <glib.h>

/* Exit statuses of every command. */
enum {
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1, /* an input could not be read, or a policy is not good: said on stderr */
    COMMAND_USAGE = 2,
};

typedef struct {
    const char *name;
    const char *arguments; /* for the help: "CODE|STATUS|REPLY..." */
    const char *summary;   /* one line */
    /* argv[0] is the command's name. Returns an exit status. */
    int (*run)(int argc, char **argv);
} Command;

/* In the order of the help; the last has no name. */
extern const Command commands[];

/* NULL: there is none of that name. */
const Command *command_find(const char *name);

int cmd_check(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_follow(int argc, char **argv);
int cmd_lint(int argc, char **argv);
int cmd_loglevel(int argc, char **argv);
int cmd_pages(int argc, char **argv);
int cmd_postfix(int argc, char **argv);
int cmd_sendmail(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_tail(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_try(int argc, char **argv);
int cmd_version(int argc, char **argv);

/*
 * Reads the options of a command (GOptionEntry rows, what is left over stays in argv), with --help
 * from `argv[0]`'s row and `description` under it. FALSE: wrong usage, said on stderr.
 */
gboolean command_parse(const GOptionEntry *entries, const char *description, int *argc,
                       char ***argv);

/*
 * Are there more words than `most` behind the command `argv[0]`? Asks what the first of them is,
 * after a `limit` such as "one file at a time" (NULL: none).
 */
gboolean command_has_stray(int argc, char **argv, int most, const char *limit);

/* A misspelt or unknown word, with the nearest known one or all of them. `known` ends with NULL. */
void command_complain_of_choice(const char *command, const char *what, const char *given,
                                const char *const *known);

/* "replyctl: ..." on standard error, escaped. */
void command_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);
