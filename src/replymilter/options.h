/*
 * options: the daemon's command line.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *policy_file; /* -c */
    char *socket;      /* -p: instead of milter.socket; NULL: not given */
    char *user;        /* -u; NULL: stay who we are */
    char *pid_file;    /* -P; NULL: none */
    char *help;        /* -h: the text to print; NULL: not asked for */
    gboolean check;    /* -n: read the policy, say what is wrong, end */
    gboolean front;    /* -f: say everything on standard error, not to syslog */
    gboolean trace;    /* -v */
    gboolean version;  /* -V */
} Options;

/* FALSE and an error on wrong usage. */
gboolean options_parse(Options *options, int *argc, char ***argv, GError **error);
void options_clear(Options *options);
