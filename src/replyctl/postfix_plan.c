/*
 * postfix_plan: what is to be changed in a Postfix.
 */
#include "replyctl/postfix_plan.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "policy/socket_name.h"

#define USUAL_MILTER "unix:/run/replymilter.sock"
#define USUAL_TABLES "unix:/run/replymilter-tables.sock"

/* Since which version a hook is there: 307 is 3.7. */
enum { SINCE_FOOTER = 304, SINCE_REJECT = 311 };

/* ---- names of sockets --------------------------------------------------------------------------
 */

/* As Postfix has it. */
static char *
internet_name(const SocketName *name)
{
    g_autofree char *port = socket_name_port(name);
    const char *host = socket_name_near(name);
    gboolean bare = strchr(host, ':') != NULL && host[0] != '[';
    return g_strdup_printf(bare ? "inet:[%s]:%s" : "inet:%s:%s", host, port);
}

static char *
name_of(const char *socket, const char *otherwise)
{
    if (socket == NULL)
        return g_strdup(otherwise);
    SocketName name = socket_name_parse(socket);
    if (name.path != NULL)
        return g_strdup_printf("unix:%s", name.path);
    return name.port != NULL ? internet_name(&name) : g_strdup(otherwise);
}

/* By which main.cf should call it. */
static char *
best_name(const SocketSettings *settings, const char *otherwise)
{
    if (settings->link != NULL)
        return g_strdup_printf("unix:%s", settings->link);
    return name_of(settings->socket, otherwise);
}

/* All names by which a Postfix may know the socket: an array of char *. */
static GPtrArray *
names_of(const PostfixInstall *install, const SocketSettings *settings, const char *otherwise)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *queue = postfix_install_value(install, "queue_directory");
    char *path = name_of(settings->socket, otherwise);
    g_ptr_array_add(names, best_name(settings, otherwise));
    g_ptr_array_add(names, path);
    const char *below = path + strlen("unix:");
    if (g_str_has_prefix(path, "unix:") && g_str_has_prefix(below, queue) &&
        below[strlen(queue)] == '/') {
        g_ptr_array_add(names, g_strdup_printf("unix:%s", below + strlen(queue)));
        g_ptr_array_add(names, g_strdup_printf("unix:%s", below + strlen(queue) + 1));
    }
    return names;
}

/* "{ unix:/run/x, default_action=accept }", "proxy:socketmap:unix:/run/x:footer": one of ours? */
static gboolean
names_one(const char *element, const GPtrArray *names)
{
    static const char *const before[] = {"proxy:", "socketmap:"};
    element += strspn(element, "{ \t\r\n");
    for (gsize i = 0; i < G_N_ELEMENTS(before); i++)
        if (g_str_has_prefix(element, before[i]))
            element += strlen(before[i]);
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (g_str_has_prefix(element, name) && strchr(":,} \t\r\n", element[strlen(name)]) != NULL)
            return TRUE;
    }
    return FALSE;
}

/* ---- plans -------------------------------------------------------------------------------------
 */

static void
change_free(gpointer data)
{
    PostfixChange *change = data;
    g_free(change->service);
    g_free(change->value);
    g_free(change->user);
    g_free(change->group);
    g_free(change);
}

static PostfixPlan *
plan_empty(void)
{
    PostfixPlan *plan = g_new0(PostfixPlan, 1);
    plan->changes = g_ptr_array_new_with_free_func(change_free);
    plan->notes = g_ptr_array_new_with_free_func(g_free);
    return plan;
}

void
postfix_plan_free(PostfixPlan *plan)
{
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->changes);
    g_ptr_array_unref(plan->notes);
    g_free(plan);
}

/* Takes the value. */
static void
add_change(PostfixPlan *plan, const char *service, const char *parameter, char *value,
           const char *why)
{
    PostfixChange *change = g_new0(PostfixChange, 1);
    change->service = g_strdup(service);
    change->parameter = parameter;
    change->value = value;
    change->why = why;
    g_ptr_array_add(plan->changes, change);
}

static void G_GNUC_PRINTF(2, 3) add_note(PostfixPlan *plan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(plan->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* What a plan is made from. */
typedef struct {
    const PostfixInstall *install;
    const Policy *policy;
    const PolicySettings *settings;
    GPtrArray *milter, *tables; /* names of our sockets */
    PostfixPlan *plan;
} Planner;

static Planner
planner_begin(const PostfixInstall *install, const Policy *policy)
{
    const PolicySettings *settings = policy_settings(policy);
    return (Planner){.install = install,
                     .policy = policy,
                     .settings = settings,
                     .milter = names_of(install, &settings->milter, USUAL_MILTER),
                     .tables = names_of(install, &settings->tables, USUAL_TABLES),
                     .plan = plan_empty()};
}

static PostfixPlan *
planner_end(Planner *planner)
{
    g_ptr_array_unref(planner->milter);
    g_ptr_array_unref(planner->tables);
    return planner->plan;
}

/* Does Postfix list a filter that stands behind us now? */
static gboolean
is_wrapped(const Planner *planner, const char *element)
{
    for (guint i = 0; i < policy_filter_count(planner->policy); i++) {
        const SocketSettings peer = {.socket = policy_filter(planner->policy, i)->socket};
        g_autoptr(GPtrArray) names = names_of(planner->install, &peer, "");
        if (names_one(element, names))
            return TRUE;
    }
    return FALSE;
}

/* Would mail pass by the filters behind us while we are not there, though `element` has it wait? */
static gboolean
lets_pass(const Planner *planner, const char *ours, const char *element)
{
    static const char setting[] = "default_action=";
    const char *own = strstr(ours, setting);
    const char *action = own != NULL
                             ? own + strlen(setting)
                             : postfix_install_value(planner->install, "milter_default_action");
    return g_str_has_prefix(action, "accept") && strstr(element, "tempfail") != NULL;
}

/* The list with one more element, filters that stand behind us now taken out; NULL: it is right as
 * it is. */
static char *
list_with(const Planner *planner, const char *value, const GPtrArray *ours, const char *element,
          const char *between)
{
    gboolean milters = ours == planner->milter;
    g_autoptr(GPtrArray) elements = postfix_list_split(value);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    gboolean there = FALSE, changed = FALSE;
    for (guint i = 0; i < elements->len; i++) {
        const char *one = g_ptr_array_index(elements, i);
        gboolean is_ours = names_one(one, ours);
        gboolean wrong = is_ours && milters && lets_pass(planner, one, element);
        gboolean dropped = !is_ours && milters && is_wrapped(planner, one);
        there |= is_ours;
        changed |= wrong || dropped;
        if (!dropped)
            g_ptr_array_add(kept, (gpointer)(wrong ? element : one));
    }
    if (there && !changed)
        return NULL;
    if (!there)
        g_ptr_array_add(kept, (gpointer)element);
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(between, (char **)kept->pdata);
}

/* Without ours; NULL: it has none of ours. */
static char *
list_without(const char *value, const GPtrArray *ours, const char *between)
{
    g_autoptr(GPtrArray) elements = postfix_list_split(value);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint i = 0; i < elements->len; i++)
        if (!names_one(g_ptr_array_index(elements, i), ours))
            g_ptr_array_add(kept, g_ptr_array_index(elements, i));
    if (kept->len == elements->len)
        return NULL;
    g_ptr_array_add(kept, NULL);
    return g_strjoinv(between, (char **)kept->pdata);
}

/* ---- to set up ---------------------------------------------------------------------------------
 */

static void
plan_list(Planner *planner, const char *parameter, const GPtrArray *ours, const char *element,
          const char *why)
{
    const char *value = postfix_install_value(planner->install, parameter);
    char *wanted = list_with(planner, value, ours, element, ", ");
    if (wanted != NULL)
        add_change(planner->plan, NULL, parameter, wanted, why);
}

/* postconf -P takes no blanks in a value. */
static void
plan_service(Planner *planner, const PostfixService *service, const char *element)
{
    static const char why[] = "this service has milters of its own";
    g_auto(GStrv) words = g_strsplit(element, " ", -1);
    g_autofree char *tight = g_strjoinv("", words);
    g_autofree char *wanted = list_with(planner, service->milters, planner->milter, tight, ",");
    if (wanted == NULL)
        return;
    if (strpbrk(wanted, " \t") == NULL)
        add_change(planner->plan, service->name, "smtpd_milters", g_steal_pointer(&wanted), why);
    else
        add_note(planner->plan,
                 "%s has an smtpd_milters of its own that postconf cannot change, as there are "
                 "blanks in it: add %s to it in master.cf",
                 service->name, element);
}

static void
plan_milters(Planner *planner)
{
    static const char why[] =
        "every refused recipient is logged, your own checks and filters speak";
    /* Without us the filters behind us would be passed by. */
    gboolean filters = policy_filter_count(planner->policy) > 0;
    g_autofree char *element =
        g_strdup_printf("{ %s, default_action=%s }", (char *)planner->milter->pdata[0],
                        filters ? "tempfail" : "accept");
    plan_list(planner, "smtpd_milters", planner->milter, element, why);
    for (guint i = 0; i < planner->install->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(planner->install->services, i);
        if (service->milters == NULL || strstr(service->milters, "$smtpd_milters") != NULL)
            continue;
        if (service->milters[0] == '\0')
            add_note(
                planner->plan,
                "%s has an smtpd_milters of its own that is empty: what it refuses will not be "
                "seen",
                service->name);
        else
            plan_service(planner, service, element);
    }
}

/* A table that answers everything keeps those behind it from being asked. */
static void
note_shadow(Planner *planner, const char *parameter)
{
    const char *value = postfix_install_value(planner->install, parameter);
    g_autoptr(GPtrArray) elements = postfix_list_split(value);
    for (guint i = 0; i < elements->len; i++) {
        const char *one = g_ptr_array_index(elements, i);
        if (names_one(one, planner->tables))
            return;
        if (g_str_has_prefix(one, "static:")) {
            add_note(planner->plan, "%s: %s answers everything, so ours behind it is never asked",
                     parameter, one);
            return;
        }
    }
}

/* local(8), virtual(8) and pipe(8) leave all groups but Postfix's own before they ask, so they
 * cannot open a socket of our group: proxymap(8) can, if it may read the table. */
static void
plan_delivery(Planner *planner)
{
    static const char parameter[] = "default_delivery_status_filter";
    const char *socket = planner->tables->pdata[0];
    const char *filter = postfix_install_value(planner->install, parameter);
    const char *proxied = postfix_install_value(planner->install, "proxy_read_maps");
    gboolean proxy = strstr(proxied, "$default_delivery_status_filter") != NULL;
    if (filter[0] == '\0')
        add_change(planner->plan, NULL, parameter,
                   g_strdup_printf("%ssocketmap:%s:delivery", proxy ? "proxy:" : "", socket),
                   "failed deliveries get the right status before they bounce");
    else if (!names_one(filter, planner->tables))
        add_note(planner->plan, "%s is %s already, and takes one table only: it is left", parameter,
                 filter);
}

static void
plan_tables(Planner *planner)
{
    const char *socket = planner->tables->pdata[0];
    gboolean whole = planner->install->version >= SINCE_REJECT;
    const char *parameter = whole ? "smtpd_reject_filter_maps" : "smtpd_reject_footer_maps";
    if (planner->install->version >= SINCE_FOOTER) {
        g_autofree char *map =
            g_strdup_printf("socketmap:%s:%s", socket, whole ? "reject" : "footer");
        plan_list(planner, parameter, planner->tables, map,
                  whole ? "every refusal is repaired and explained"
                        : "every refusal is explained by lines that are added");
        note_shadow(planner, parameter);
    } else {
        add_note(planner->plan,
                 "Postfix %s cannot ask for refusals to be explained: that came in 3.4",
                 planner->install->version_text);
    }
    plan_delivery(planner);
}

/* Bounces want "accept", the filters behind us do not. */
static void
note_bounces_or_filters(Planner *planner, gboolean as_smtpd)
{
    if (policy_filter_count(planner->policy) == 0)
        return;
    if (as_smtpd)
        add_note(planner->plan, "non_smtpd_milters is as smtpd_milters is, with tempfail: while "
                                "replymilter is not running, no bounce can be made");
    else
        add_note(planner->plan, "non_smtpd_milters has accept, so that bounces can be made: while "
                                "replymilter is not running, mail handed in on this host passes by "
                                "the filters");
}

static void
plan_own_bounces(Planner *planner)
{
    static const char why[] = "the bounces that this Postfix makes are logged";
    g_autofree char *element =
        g_strdup_printf("{ %s, default_action=accept }", (char *)planner->milter->pdata[0]);
    const char *milters = postfix_install_value(planner->install, "non_smtpd_milters");
    const char *classes = postfix_install_value(planner->install, "internal_mail_filter_classes");
    gboolean as_smtpd = strstr(milters, "$smtpd_milters") != NULL;
    if (!as_smtpd)
        plan_list(planner, "non_smtpd_milters", planner->milter, element, why);
    note_bounces_or_filters(planner, as_smtpd);
    g_autoptr(GPtrArray) there = postfix_list_split(classes);
    if (!g_ptr_array_find_with_equal_func(there, "bounce", g_str_equal, NULL))
        add_change(planner->plan, NULL, "internal_mail_filter_classes",
                   g_strdup_printf("%s%sbounce", classes, classes[0] != '\0' ? ", " : ""), why);
}

/* The group that the policy gives a socket, if Postfix's user is not in it. */
static void
plan_group(Planner *planner, gboolean leave)
{
    const char *user = postfix_install_value(planner->install, "mail_owner");
    const char *name = planner->settings->milter.group;
    const struct group *group = name != NULL ? getgrnam(name) : NULL;
    if (group == NULL)
        return;
    const struct passwd *owner = getpwnam(user);
    gboolean primary = owner != NULL && owner->pw_gid == group->gr_gid;
    gboolean member = g_strv_contains((const char *const *)group->gr_mem, user);
    if (owner == NULL || primary || member != leave)
        return;
    PostfixChange *change = g_new0(PostfixChange, 1);
    change->user = g_strdup(user);
    change->group = g_strdup(name);
    change->leave = leave;
    change->why =
        leave ? "the sockets need not be open to Postfix any more" : "Postfix may use our sockets";
    g_ptr_array_add(planner->plan->changes, change);
}

/* In its chroot, smtpd looks for absolute paths below the queue directory. */
static void
note_chroot(Planner *planner, const char *section, const SocketSettings *settings)
{
    const char *queue = postfix_install_value(planner->install, "queue_directory");
    const char *seen = settings->link;
    const char *path = socket_name_path(settings->socket);
    g_autofree char *inside = seen != NULL ? g_strconcat(queue, seen, NULL) : NULL;
    gboolean found = path == NULL || g_strcmp0(path, inside) == 0;
    for (guint i = 0; !found && i < planner->install->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(planner->install->services, i);
        if (!service->chroot)
            continue;
        add_note(planner->plan,
                 "%s runs in the chroot %s and would not find %s: set %s.socket = "
                 "\"unix:%s/run/...\" and %s.link = \"/run/...\" with the same name in the policy",
                 service->name, queue, seen != NULL ? seen : path, section, queue, section);
        found = TRUE;
    }
}

PostfixPlan *
postfix_plan_new(const PostfixInstall *install, const Policy *policy, const PostfixWishes *wishes)
{
    Planner planner = planner_begin(install, policy);
    plan_group(&planner, FALSE);
    plan_milters(&planner);
    note_chroot(&planner, "milter", &planner.settings->milter);
    if (wishes->tables && planner.settings->tables.socket != NULL) {
        plan_tables(&planner);
        note_chroot(&planner, "tables", &planner.settings->tables);
    }
    if (wishes->own_bounces)
        plan_own_bounces(&planner);
    return planner_end(&planner);
}

/* ---- to undo -----------------------------------------------------------------------------------
 */

/* What would be empty is removed: then the default holds. */
static void
undo_list(Planner *planner, const char *service, const char *parameter, const char *value,
          const GPtrArray *ours)
{
    char *rest = list_without(value, ours, service != NULL ? "," : ", ");
    if (rest == NULL)
        return;
    if (rest[0] == '\0')
        g_clear_pointer(&rest, g_free);
    add_change(planner->plan, service, parameter, rest, "names our socket");
}

/* --own-bounces has set it together with non_smtpd_milters, if nobody else had. */
static void
undo_classes(Planner *planner)
{
    g_autofree char *rest = list_without(
        postfix_install_value(planner->install, "non_smtpd_milters"), planner->milter, ", ");
    const char *classes = postfix_install_value(planner->install, "internal_mail_filter_classes");
    if (rest != NULL && rest[0] == '\0' && strcmp(classes, "bounce") == 0)
        add_change(planner->plan, NULL, "internal_mail_filter_classes", NULL,
                   "no filter asks for these any more");
}

/* Without us nobody asks those that Postfix does not name any more. */
static void
note_lost_filters(Planner *planner)
{
    const char *value = postfix_install_value(planner->install, "smtpd_milters");
    g_autoptr(GPtrArray) elements = postfix_list_split(value);
    gboolean named = FALSE;
    for (guint i = 0; i < elements->len; i++)
        named |= is_wrapped(planner, g_ptr_array_index(elements, i));
    if (policy_filter_count(planner->policy) > 0 && !named)
        add_note(planner->plan, "smtpd_milters names none of the filters that replymilter has "
                                "asked: put them back, or mail passes by them");
}

PostfixPlan *
postfix_plan_undo(const PostfixInstall *install, const Policy *policy)
{
    static const char *const tables[] = {"smtpd_reject_filter_maps", "smtpd_reject_footer_maps",
                                         "default_delivery_status_filter"};
    static const char *const milters[] = {"smtpd_milters", "non_smtpd_milters"};
    Planner planner = planner_begin(install, policy);
    for (gsize i = 0; i < G_N_ELEMENTS(milters); i++)
        undo_list(&planner, NULL, milters[i], postfix_install_value(install, milters[i]),
                  planner.milter);
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++)
        undo_list(&planner, NULL, tables[i], postfix_install_value(install, tables[i]),
                  planner.tables);
    for (guint i = 0; i < install->services->len; i++) {
        const PostfixService *service = g_ptr_array_index(install->services, i);
        if (service->milters != NULL)
            undo_list(&planner, service->name, "smtpd_milters", service->milters, planner.milter);
    }
    undo_classes(&planner);
    plan_group(&planner, TRUE);
    note_lost_filters(&planner);
    return planner_end(&planner);
}

/* ---- commands ----------------------------------------------------------------------------------
 */

char **
postfix_change_words(const PostfixChange *change)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    g_autofree char *name = change->service != NULL
                                ? g_strdup_printf("%s/%s", change->service, change->parameter)
                                : g_strdup(change->parameter);
    if (change->service != NULL)
        g_strv_builder_add(words, change->value != NULL ? "-P" : "-PX");
    else
        g_strv_builder_add(words, change->value != NULL ? "-e" : "-X");
    g_autofree char *setting = change->value == NULL ? g_strdup(name)
                               : change->service != NULL
                                   ? g_strdup_printf("%s=%s", name, change->value)
                                   : g_strdup_printf("%s = %s", name, change->value);
    g_strv_builder_add(words, setting);
    return g_strv_builder_end(words);
}

char *
postfix_change_command(const PostfixInstall *install, const PostfixChange *change)
{
    if (change->parameter == NULL && change->leave)
        return g_strdup_printf("gpasswd -d %s %s", change->user, change->group);
    if (change->parameter == NULL)
        return g_strdup_printf("usermod -aG %s %s", change->group, change->user);
    GString *command = g_string_new("postconf");
    if (install->folder != NULL) {
        g_autofree char *folder = g_shell_quote(install->folder);
        g_string_append_printf(command, " -c %s", folder);
    }
    g_auto(GStrv) words = postfix_change_words(change);
    for (char **word = words; *word != NULL; word++) {
        gboolean plain =
            (*word)[strspn(*word, "abcdefghijklmnopqrstuvwxyzPX_-/0123456789")] == '\0';
        g_autofree char *quoted = plain ? g_strdup(*word) : g_shell_quote(*word);
        g_string_append_printf(command, " %s", quoted);
    }
    return g_string_free(command, FALSE);
}
