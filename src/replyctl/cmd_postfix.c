/*
 * replyctl postfix: sets the Postfix of this host up for replymilter, takes it back, tries it out.
 */
#include <stdio.h>

#include "base/text.h"
#include "engine/reference.h"
#include "replyctl/command.h"
#include "replyctl/policy_file.h"
#include "replyctl/postfix_edit.h"
#include "replyctl/postfix_plan.h"
#include "replyctl/smtp_probe.h"

static const char description[] =
    "Prints the commands that make the Postfix of this host ask replymilter, as its\n"
    "version and its chroot allow; --apply runs them, keeps a backup of main.cf and\n"
    "master.cf, and shows the difference. Existing milters and tables stay. Reload\n"
    "Postfix after it.\n\n"
    "Examples:\n"
    "  replyctl postfix                  # what would be done\n"
    "  replyctl postfix --apply && postfix reload\n"
    "  replyctl postfix --verify         # offer a recipient that is not there\n"
    "  replyctl postfix --undo && postfix reload";

typedef struct {
    char *policy, *folder, *server, *recipient;
    gboolean apply, undo, verify, own_bounces, milter_only;
} PostfixOptions;

/* ---- plans -------------------------------------------------------------------------------------
 */

static void
print_plan(const PostfixInstall *install, const PostfixPlan *plan)
{
    printf("# Postfix %s, %s\n", install->version_text,
           postfix_install_value(install, "config_directory"));
    for (guint i = 0; i < plan->changes->len; i++) {
        const PostfixChange *change = g_ptr_array_index(plan->changes, i);
        g_autofree char *command = postfix_change_command(install, change);
        printf("\n# %s\n%s\n", change->why, command);
    }
    if (plan->changes->len > 0)
        printf("\n# then\npostfix reload\n");
    else
        printf("# There is nothing to change.\n");
}

static void
print_notes(const PostfixPlan *plan)
{
    for (guint i = 0; i < plan->notes->len; i++)
        command_complain("postfix: %s", (char *)g_ptr_array_index(plan->notes, i));
}

static int
apply(const PostfixInstall *install, const PostfixPlan *plan, gboolean undo)
{
    g_autoptr(GError) error = NULL;
    if (plan->changes->len == 0) {
        puts("There is nothing to change.");
        return COMMAND_DONE;
    }
    if (!postfix_edit_apply(install, plan, undo, &error)) {
        command_complain("postfix: %s", error->message);
        return COMMAND_FAILED;
    }
    for (guint i = 0; i < plan->changes->len; i++) {
        const PostfixChange *change = g_ptr_array_index(plan->changes, i);
        if (change->parameter == NULL)
            printf("%s is %s the group %s.\n", change->user, change->leave ? "no longer in" : "in",
                   change->group);
    }
    puts("Done: now run postfix reload.");
    return COMMAND_DONE;
}

/* What the backups do not bring back, as other things were changed since, is taken out by name. */
static int
undo(const PostfixOptions *options, const Policy *policy, const PostfixInstall *install)
{
    g_autoptr(GError) error = NULL;
    gboolean restored = FALSE;
    if (!postfix_edit_restore(install, &restored, &error)) {
        command_complain("postfix: %s", error->message);
        return COMMAND_FAILED;
    }
    g_autoptr(PostfixInstall) now = postfix_install_read(options->folder, &error);
    if (now == NULL) {
        command_complain("postfix: %s", error->message);
        return COMMAND_FAILED;
    }
    g_autoptr(PostfixPlan) plan = postfix_plan_undo(now, policy);
    print_notes(plan);
    if (plan->changes->len > 0)
        return apply(now, plan, TRUE);
    puts(restored ? "Done: now run postfix reload." : "There is nothing to change.");
    return COMMAND_DONE;
}

/* ---- a try -------------------------------------------------------------------------------------
 */

static void
print_said(const char *line, gboolean ours, gpointer data)
{
    (void)data;
    g_autofree char *harmless = text_escape(line);
    printf("%s %s\n", ours ? ">" : "<", harmless);
}

/* Does the last line, or one before it, end with a reference? */
static gboolean
has_reference(const char *reply)
{
    g_auto(GStrv) lines = g_strsplit(reply, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (reference_ends(*line))
            return TRUE;
    return FALSE;
}

static int
judge(const char *recipient, const char *reply, const Policy *policy)
{
    if (reply[0] != '4' && reply[0] != '5') {
        printf("\nNothing was refused: this server takes mail for <%s>. Name somebody\n"
               "whom it refuses: replyctl postfix --verify --recipient ADDRESS\n",
               recipient);
        return COMMAND_FAILED;
    }
    if (has_reference(reply)) {
        puts("\nreplymilter has spoken: the reply carries a reference. See replyctl show.");
        return COMMAND_DONE;
    }
    if (policy_settings(policy)->site.reference) {
        puts("\nreplymilter has not spoken: the reply carries no reference. Has Postfix been "
             "reloaded?\nDoes replyctl status answer? What does the mail log say of our sockets? "
             "The\ntroubleshooting.md of the documentation goes on from there.");
        return COMMAND_FAILED;
    }
    puts("\nThe policy gives no references (site.reference), so judge by the text.");
    return COMMAND_DONE;
}

/* The address to offer. The caller frees it. NULL and an error: none is known. */
static char *
stranger(const PostfixOptions *options, const PostfixInstall *install, GError **error)
{
    if (options->recipient != NULL)
        return g_strdup(options->recipient);
    g_autofree char *domain = postfix_install_own_domain(install, error);
    if (domain == NULL)
        return NULL;
    g_autofree char *name = reference_new(((guint64)g_random_int() << 32) | g_random_int());
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_strdup_printf("replymilter-verify-%s@%s", lower, domain);
}

static int
verify(const PostfixOptions *options, const PostfixInstall *install, const Policy *policy)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *recipient = stranger(options, install, &error);
    g_autofree char *reply = NULL;
    if (recipient != NULL)
        reply = smtp_probe(options->server != NULL ? options->server : "localhost", recipient,
                           print_said, NULL, &error);
    if (reply != NULL)
        return judge(recipient, reply, policy);
    command_complain("postfix: %s", error->message);
    return COMMAND_FAILED;
}

/* ---- the command -------------------------------------------------------------------------------
 */

static int
run(const PostfixOptions *options)
{
    g_autoptr(GError) error = NULL;
    const PostfixWishes wishes = {.tables = !options->milter_only,
                                  .own_bounces = options->own_bounces};
    g_autoptr(Policy) policy = policy_file_load_path(
        options->policy != NULL ? options->policy : POLICY_DEFAULT_FILE, NULL, FALSE);
    if (policy == NULL)
        return COMMAND_FAILED;
    g_autoptr(PostfixInstall) install = postfix_install_read(options->folder, &error);
    if (install == NULL) {
        command_complain("postfix: %s", error->message);
        return COMMAND_FAILED;
    }
    if (options->verify)
        return verify(options, install, policy);
    if (options->undo)
        return undo(options, policy, install);
    g_autoptr(PostfixPlan) plan = postfix_plan_new(install, policy, &wishes);
    int status = COMMAND_DONE;
    if (options->apply)
        status = apply(install, plan, FALSE);
    else
        print_plan(install, plan);
    print_notes(plan);
    return status;
}

static gboolean
options_are_sound(const PostfixOptions *options, int argc, char **argv)
{
    if (command_has_stray(argc, argv, 0, NULL))
        return FALSE;
    if (options->apply + options->undo + options->verify > 1)
        command_complain("postfix: one of --apply, --undo and --verify");
    else if (!options->verify && (options->server != NULL || options->recipient != NULL))
        command_complain("postfix: --server and --recipient go with --verify");
    else if (options->recipient != NULL && !text_is_printable(options->recipient))
        command_complain("postfix: this is no address: %s", options->recipient);
    else
        return TRUE;
    return FALSE;
}

int
cmd_postfix(int argc, char **argv)
{
    PostfixOptions options = {.policy = NULL};
    const GOptionEntry entries[] = {
        {"apply", 'a', 0, G_OPTION_ARG_NONE, &options.apply, "do it", NULL},
        {"undo", 'u', 0, G_OPTION_ARG_NONE, &options.undo, "take it back", NULL},
        {"verify", 'v', 0, G_OPTION_ARG_NONE, &options.verify,
         "offer a recipient that is not there", NULL},
        {"own-bounces", 'b', 0, G_OPTION_ARG_NONE, &options.own_bounces,
         "have the bounces logged that this Postfix makes", NULL},
        {"milter-only", 'm', 0, G_OPTION_ARG_NONE, &options.milter_only, "no tables", NULL},
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.policy, "the policy", "FILE"},
        {"postfix", 'p', 0, G_OPTION_ARG_FILENAME, &options.folder,
         "the folder of main.cf, if it is not the usual one", "DIR"},
        {"server", 's', 0, G_OPTION_ARG_STRING, &options.server,
         "whom to verify (localhost, port 25)", "HOST[:PORT]"},
        {"recipient", 'r', 0, G_OPTION_ARG_STRING, &options.recipient,
         "a recipient that is refused there", "ADDRESS"},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    int status = options_are_sound(&options, argc, argv) ? run(&options) : COMMAND_USAGE;
    g_free(options.policy);
    g_free(options.folder);
    g_free(options.server);
    g_free(options.recipient);
    return status;
}
