/*
 * options: the daemon's command line.
 */
#include "replymilter/options.h"

#include "base/error.h"
#include "base/text.h"
#include "policy/policy.h"

gboolean
options_parse(Options *options, int *argc, char ***argv, GError **error)
{
    *options = (Options){.policy_file = NULL};
    gboolean help = FALSE;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->policy_file,
         "the policy (" POLICY_DEFAULT_FILE ")", "FILE"},
        {"check", 'n', 0, G_OPTION_ARG_NONE, &options->check,
         "read the policy, say what is wrong with it, and end", NULL},
        {"foreground", 'f', 0, G_OPTION_ARG_NONE, &options->front,
         "log to standard error, not to syslog", NULL},
        {"socket", 'p', 0, G_OPTION_ARG_STRING, &options->socket,
         "the milter socket, instead of milter.socket", "SOCKET"},
        {"user", 'u', 0, G_OPTION_ARG_STRING, &options->user,
         "become this user once the sockets are open", "USER"},
        {"pid-file", 'P', 0, G_OPTION_ARG_FILENAME, &options->pid_file,
         "write the process number there", "FILE"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->trace, "trace what is done", NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "print this help and end", NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &options->version, "print the version and end",
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- reply policy for Postfix and Sendmail");
    g_option_context_set_description(context,
                                     "It always runs in front. SIGHUP loads the policy anew, "
                                     "SIGUSR1 switches\ntracing on and off, SIGTERM drains and "
                                     "ends.\n"
                                     "See replymilter(8) and replymilter.conf(5).");
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (help)
        options->help = text_help(context);
    if (*argc > 1) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX, "what is \"%s\"?",
                    (*argv)[1]);
        return FALSE;
    }
    if (options->policy_file == NULL)
        options->policy_file = g_strdup(POLICY_DEFAULT_FILE);
    return TRUE;
}

void
options_clear(Options *options)
{
    g_free(options->policy_file);
    g_free(options->socket);
    g_free(options->user);
    g_free(options->pid_file);
    g_free(options->help);
    *options = (Options){.policy_file = NULL};
}
