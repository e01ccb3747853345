/*
 * sendmail_setup: the lines of sendmail.mc that make Sendmail ask replymilter.
 */
#include "replyctl/sendmail_setup.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/socket_name.h"

enum {
    SEND_SECONDS = 10,
    ANSWER_SECONDS = 30, /* of ours; filters behind us have their own time on top */
    END_SECONDS = 60,
};

/*
 * What Basic_check_rcpt refuses comes in three forms: "$@ 5.7.1 $: text", "$@ nouser $: text",
 * which is let be, and "$: text". "$@" and "$:" cannot stand on a left-hand side; "$-" matches
 * them. A refusal stands behind a "<> $|", since one that begins with "$#" ends every rule set that
 * sees it.
 */
static const char rules[] =
    "C{ReplymilterExit}nouser nohost usage unavailable software tempfail protocol config\n"
    "LOCAL_RULESETS\n"
    "SLocal_check_rcpt\n"
    "R$*\t\t\t$: <> $| $>\"Basic_check_rcpt\" $1\n"
    "R<> $| $#error $- $- . $- . $- $- $+\t$: <$2.$3.$4> $| $6 $| $(sendmail $2.$3.$4/$6 $: NONE "
    "$)\n"
    "R<> $| $#error $- $={ReplymilterExit} $- $+\t$#error $@ $2 $: $4\n"
    "R<> $| $#error $- $+\t$: <-> $| $2 $| $(sendmail $2 $: NONE $)\n"
    "R<-> $| $+ $| NONE\t$#error $: $1\n"
    "R<$+> $| $+ $| NONE\t$#error $@ $1 $: $2\n"
    "R<$+> $| $+ $| $+\t$#error $: $3\n"
    "R<> $| $*\t\t$@ $1\n";

/* Is the socket where the policy has a link, or not on this host at all? */
static gboolean
is_at_link(const char *path, const char *link)
{
    struct stat found;
    g_autofree char *folder = g_path_get_dirname(path);
    if (lstat(link, &found) == 0)
        return S_ISSOCK(found.st_mode);
    return !g_file_test(folder, G_FILE_TEST_IS_DIR);
}

char *
sendmail_setup_socket(const SocketSettings *settings)
{
    const char *socket = settings->socket, *link = settings->link;
    if (socket == NULL)
        return NULL;
    SocketName name = socket_name_parse(socket);
    if (name.path != NULL)
        return g_strconcat("local:", link != NULL && is_at_link(name.path, link) ? link : name.path,
                           NULL);
    if (name.port == NULL)
        return NULL;
    return name.host != NULL ? g_strdup(socket)
                             : g_strconcat(socket, "@", socket_name_near(&name), NULL);
}

char *
sendmail_setup_milter(const Policy *policy, const char *socket)
{
    gint64 filters_us = 0;
    guint count = policy_filter_count(policy);
    for (guint i = 0; i < count; i++)
        filters_us +=
            policy_filter(policy, i)->timeout_us + policy_filter(policy, i)->connect_timeout_us;
    gint64 filters = (filters_us + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
    return g_strdup_printf(
        "dnl In sendmail.mc, before the MAILER lines. While nobody answers, the mail %s.\n"
        "INPUT_MAIL_FILTER(`replymilter', `S=%s, F=%s, "
        "T=C:%ds;S:%ds;R:%" G_GINT64_FORMAT "s;E:%" G_GINT64_FORMAT "s')dnl\n",
        count > 0 ? "waits, as filters stand behind us (F=T)" : "passes (F=)", socket,
        count > 0 ? "T" : "", SEND_SECONDS, SEND_SECONDS, ANSWER_SECONDS + filters,
        END_SECONDS + filters);
}

char *
sendmail_setup_ruleset(const char *socket)
{
    return g_strconcat("dnl At the end of sendmail.mc, for what check_rcpt refuses. The blanks are "
                       "tabs.\n"
                       "LOCAL_CONFIG\nKsendmail socket -f -o ",
                       socket, "\n", rules, NULL);
}

char *
sendmail_setup_distrusts(const char *socket)
{
    struct stat found;
    const char *path = socket_name_path(socket);
    if (path == NULL)
        return NULL;
    if (lstat(path, &found) == 0 && S_ISLNK(found.st_mode))
        return g_strconcat(path, " is a symbolic link", NULL);
    g_autofree char *folder = g_path_get_dirname(path);
    for (;;) {
        if (stat(folder, &found) == 0 && (found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return g_strconcat(folder, " is writable by ",
                               (found.st_mode & S_IWOTH) != 0 ? "all" : "its group", NULL);
        if (strcmp(folder, "/") == 0 || strcmp(folder, ".") == 0)
            return NULL;
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
}
