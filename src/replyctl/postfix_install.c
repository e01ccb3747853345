/*
 * postfix_install: the Postfix of this host.
 */
#include "replyctl/postfix_install.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "replyctl/program.h"

static const char *const parameters[] = {
    "compatibility_level",
    "config_directory",
    "default_delivery_status_filter",
    "internal_mail_filter_classes",
    "mail_owner",
    "mail_version",
    "milter_default_action",
    "mydomain",
    "non_smtpd_milters",
    "proxy_read_maps",
    "queue_directory",
    "smtpd_milters",
    "smtpd_reject_filter_maps",
    "smtpd_reject_footer_maps",
};

/* ---- postconf ----------------------------------------------------------------------------------
 */

gboolean
postfix_postconf(const char *folder, const char *const *words, char **output, GError **error)
{
    g_autoptr(GPtrArray) command = g_ptr_array_new();
    g_autofree char *out = NULL;
    g_ptr_array_add(command, (gpointer) "postconf");
    if (folder != NULL) {
        g_ptr_array_add(command, (gpointer) "-c");
        g_ptr_array_add(command, (gpointer)folder);
    }
    for (; *words != NULL; words++)
        g_ptr_array_add(command, (gpointer)*words);
    g_ptr_array_add(command, NULL);
    g_autoptr(GError) failure = NULL;
    if (!program_run((const char *const *)command->pdata, 0, &out, &failure)) {
        if (g_error_matches(failure, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
            return error_fail(error, REPLYMILTER_ERROR_IO,
                              "there is no Postfix here: postconf is not found");
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    if (output != NULL)
        *output = g_steal_pointer(&out);
    return TRUE;
}

/* "name = value" */
static gboolean
split_setting(const char *line, char **name, char **value)
{
    const char *equals = strchr(line, '=');
    if (equals == NULL)
        return FALSE;
    *name = g_strstrip(g_strndup(line, (gsize)(equals - line)));
    *value = g_strstrip(g_strdup(equals + 1));
    return TRUE;
}

static void
take_values(PostfixInstall *install, const char *output)
{
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *name, *value;
        if (split_setting(*line, &name, &value))
            g_hash_table_replace(install->values, name, value);
    }
}

/* A parameter that a version does not know is a warning to postconf, not a failure. */
static gboolean
read_values(PostfixInstall *install, GError **error)
{
    const char *words[G_N_ELEMENTS(parameters) + 1] = {NULL};
    g_autofree char *output = NULL;
    memcpy(words, parameters, sizeof(parameters));
    if (!postfix_postconf(install->folder, words, &output, error))
        return FALSE;
    take_values(install, output);
    /* The postconf of 3.11 answers with the usual folder, whatever it was told by -c. */
    if (install->folder != NULL)
        g_hash_table_replace(install->values, g_strdup("config_directory"),
                             g_strdup(install->folder));
    install->version_text = g_strdup(postfix_install_value(install, "mail_version"));
    char *behind;
    unsigned long major = strtoul(install->version_text, &behind, 10);
    unsigned long minor = *behind == '.' ? strtoul(behind + 1, NULL, 10) : 0;
    install->version = (guint)(MIN(major, 99) * 100 + MIN(minor, 99));
    return TRUE;
}

/* ---- master.cf ---------------------------------------------------------------------------------
 */

static void
service_free(gpointer data)
{
    PostfixService *service = data;
    g_free(service->name);
    g_free(service->milters);
    g_free(service);
}

/* "-" means yes with the defaults of before 3.0. */
static gboolean
is_chroot(const PostfixInstall *install, const char *field)
{
    if (strcmp(field, "-") == 0)
        return strtoul(postfix_install_value(install, "compatibility_level"), NULL, 10) < 1;
    return strcmp(field, "y") == 0;
}

/* "smtp inet n - y - - smtpd -o ..." */
static void
take_service(PostfixInstall *install, const char *line)
{
    enum { NAME, TYPE, PRIVATE, UNPRIVILEGED, CHROOT, WAKEUP, PROCESSES, COMMAND, FIELDS };
    g_autoptr(GPtrArray) fields = postfix_list_split(line);
    if (fields->len < FIELDS || strcmp(g_ptr_array_index(fields, COMMAND), "smtpd") != 0)
        return;
    PostfixService *service = g_new0(PostfixService, 1);
    service->name = g_strdup_printf("%s/%s", (char *)g_ptr_array_index(fields, NAME),
                                    (char *)g_ptr_array_index(fields, TYPE));
    service->chroot = is_chroot(install, g_ptr_array_index(fields, CHROOT));
    g_ptr_array_add(install->services, service);
}

/* "submission/inet/smtpd_milters = ..." */
static void
take_override(PostfixInstall *install, const char *line)
{
    char *name, *value;
    if (!split_setting(line, &name, &value))
        return;
    for (guint i = 0; i < install->services->len; i++) {
        PostfixService *service = g_ptr_array_index(install->services, i);
        g_autofree char *wanted = g_strdup_printf("%s/smtpd_milters", service->name);
        if (strcmp(name, wanted) == 0) {
            g_free(service->milters);
            service->milters = g_steal_pointer(&value);
            break;
        }
    }
    g_free(name);
    g_free(value);
}

static gboolean
read_services(PostfixInstall *install, GError **error)
{
    g_autofree char *services = NULL, *overrides = NULL;
    if (!postfix_postconf(install->folder, (const char *const[]){"-M", NULL}, &services, error) ||
        !postfix_postconf(install->folder, (const char *const[]){"-P", NULL}, &overrides, error))
        return FALSE;
    g_auto(GStrv) lines = g_strsplit(services, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        take_service(install, *line);
    g_auto(GStrv) settings = g_strsplit(overrides, "\n", -1);
    for (char **line = settings; *line != NULL; line++)
        take_override(install, *line);
    return TRUE;
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

PostfixInstall *
postfix_install_read(const char *folder, GError **error)
{
    PostfixInstall *install = g_new0(PostfixInstall, 1);
    install->folder = g_strdup(folder);
    install->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    install->services = g_ptr_array_new_with_free_func(service_free);
    if (read_values(install, error) && read_services(install, error))
        return install;
    postfix_install_free(install);
    return NULL;
}

void
postfix_install_free(PostfixInstall *install)
{
    if (install == NULL)
        return;
    g_free(install->folder);
    g_free(install->version_text);
    g_hash_table_unref(install->values);
    g_ptr_array_unref(install->services);
    g_free(install);
}

const char *
postfix_install_value(const PostfixInstall *install, const char *parameter)
{
    const char *value = g_hash_table_lookup(install->values, parameter);
    return value != NULL ? value : "";
}

static gboolean
is_between(char octet)
{
    return octet != '\0' && strchr(", \t\r\n", octet) != NULL;
}

GPtrArray *
postfix_list_split(const char *value)
{
    GPtrArray *elements = g_ptr_array_new_with_free_func(g_free);
    for (const char *at = value; *at != '\0';) {
        const char *from = at;
        int depth = 0;
        for (; *at != '\0' && (depth > 0 || !is_between(*at)); at++)
            depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
        if (at > from)
            g_ptr_array_add(elements, g_strndup(from, (gsize)(at - from)));
        else
            at++;
    }
    return elements;
}

/* A name, not a table, a file, or a pattern of them; and one under which others reach the host. */
static gboolean
is_domain(const char *element)
{
    return strchr(element, '.') != NULL && strpbrk(element, ":/!$<>\"{}") == NULL &&
           element[0] != '.' && !g_str_has_prefix(element, "localhost.");
}

char *
postfix_install_own_domain(const PostfixInstall *install, GError **error)
{
    static const char *const lists[] = {"mydestination", "virtual_mailbox_domains",
                                        "virtual_alias_domains", "mydomain"};
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *value = NULL;
        if (!postfix_postconf(install->folder, (const char *const[]){"-xh", lists[i], NULL}, &value,
                              error))
            return NULL;
        g_autoptr(GPtrArray) elements = postfix_list_split(value);
        for (guint j = 0; j < elements->len; j++)
            if (is_domain(g_ptr_array_index(elements, j)))
                return g_strdup(g_ptr_array_index(elements, j));
    }
    return g_strdup("localhost");
}
