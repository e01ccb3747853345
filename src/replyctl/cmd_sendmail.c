/*
 * replyctl sendmail: the lines for sendmail.mc, from the policy.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/policy_file.h"
#include "replyctl/sendmail_setup.h"

static const char description[] =
    "Prints the lines of sendmail.mc that make Sendmail ask replymilter. Nothing is\n"
    "changed. Where Sendmail would not trust a socket, which keeps it from starting,\n"
    "standard error says so.\n\n"
    "Examples:\n"
    "  replyctl sendmail             # the milter\n"
    "  replyctl sendmail --ruleset   # and the rule set that words its own refusals";

/* Exit status 0, or 1 and a word about what is missing. */
static int
print_lines(const SocketSettings *settings, const char *section, const Policy *policy)
{
    g_autofree char *socket = sendmail_setup_socket(settings);
    if (socket == NULL) {
        command_complain("sendmail: the policy has no %s.socket that Sendmail could be told",
                         section);
        return COMMAND_FAILED;
    }
    g_autofree char *lines =
        policy != NULL ? sendmail_setup_milter(policy, socket) : sendmail_setup_ruleset(socket);
    fputs(lines, stdout);
    g_autofree char *distrust = sendmail_setup_distrusts(socket);
    if (distrust != NULL)
        command_complain("sendmail: %s: %s: Sendmail would not %s", socket, distrust,
                         policy != NULL ? "start" : "ask it");
    return COMMAND_DONE;
}

static int
print_all(const char *path, gboolean ruleset)
{
    g_autoptr(Policy) policy =
        policy_file_load_path(path != NULL ? path : POLICY_DEFAULT_FILE, NULL, FALSE);
    if (policy == NULL)
        return COMMAND_FAILED;
    const PolicySettings *settings = policy_settings(policy);
    int status = print_lines(&settings->milter, "milter", policy);
    if (ruleset && status == COMMAND_DONE)
        status = print_lines(&settings->tables, "tables", NULL);
    return status;
}

int
cmd_sendmail(int argc, char **argv)
{
    gboolean ruleset = FALSE;
    char *path = NULL;
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &path, "the policy", "FILE"},
        {"ruleset", 'r', 0, G_OPTION_ARG_NONE, &ruleset,
         "also the rule set that words its own refusals", NULL},
        G_OPTION_ENTRY_NULL,
    };
    int status = COMMAND_USAGE;
    if (command_parse(entries, description, &argc, &argv) &&
        !command_has_stray(argc, argv, 0, NULL))
        status = print_all(path, ruleset);
    g_free(path);
    return status;
}
