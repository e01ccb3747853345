/*
 * event_files: an event log and what logrotate has made of it.
 */
#include "replyctl/event_files.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "record/event_reader.h"
#include "replyctl/command.h"
#include "replyctl/octet_source.h"
#include "replyctl/policy_file.h"

char *
event_files_log(const char *command, const char *policy_path)
{
    g_autoptr(Policy) policy =
        policy_file_load_path(policy_path != NULL ? policy_path : POLICY_DEFAULT_FILE, NULL, FALSE);
    if (policy == NULL)
        return NULL;
    const char *events = policy_settings(policy)->log.events;
    if (events != NULL && g_path_is_absolute(events))
        return g_strdup(events);
    command_complain("%s: log.events of the policy %s: name the event log by --log", command,
                     events == NULL ? "is not set" : "is no file");
    return NULL;
}

/* ".1", ".23.gz", "-20261121", "-20261121.gz", "-20261121-1795330168.gz"? */
static gboolean
is_rotated(const char *ending)
{
    if (ending[0] != '.' && ending[0] != '-')
        return FALSE;
    gsize digits = strspn(ending + 1, "0123456789-");
    const char *behind = ending + 1 + digits;
    return digits > 0 && (*behind == '\0' || strcmp(behind, ".gz") == 0);
}

typedef struct {
    char *path;
    gint64 changed; /* seconds since the epoch */
} Found;

static void
found_clear(gpointer found)
{
    g_free(((Found *)found)->path);
}

static void
add_if_file(GArray *files, char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        Found found = {.path = path, .changed = (gint64)status.st_mtime};
        g_array_append_val(files, found);
    } else {
        g_free(path);
    }
}

static gint
newest_first(gconstpointer a, gconstpointer b)
{
    const Found *one = a, *other = b;
    if (one->changed != other->changed)
        return one->changed < other->changed ? 1 : -1;
    return strcmp(one->path, other->path);
}

GPtrArray *
event_files_find(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autoptr(GDir) entries = g_dir_open(folder, 0, error);
    if (entries == NULL)
        return NULL;
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(Found));
    g_array_set_clear_func(files, found_clear);
    for (const char *entry; (entry = g_dir_read_name(entries)) != NULL;)
        if (g_str_has_prefix(entry, name) &&
            (entry[strlen(name)] == '\0' || is_rotated(entry + strlen(name))))
            add_if_file(files, g_build_filename(folder, entry, NULL));
    if (files->len == 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "%s: %s", path,
                    g_strerror(ENOENT));
        return NULL;
    }
    g_array_sort(files, newest_first);
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < files->len; i++)
        g_ptr_array_add(paths, g_strdup(g_array_index(files, Found, i).path));
    return paths;
}

/* Who besides its owner may read it; NULL: nobody, or that cannot be seen. */
static const struct group *
group_of_readers(const char *path)
{
    struct stat status;
    mode_t wanted = S_IRGRP;
    if (stat(path, &status) != 0) {
        g_autofree char *folder = g_path_get_dirname(path);
        if (stat(folder, &status) != 0)
            return NULL;
        wanted = S_IXGRP;
    }
    return (status.st_mode & wanted) != 0 ? getgrgid(status.st_gid) : NULL;
}

char *
event_files_hint(const char *path)
{
    if (access(path, R_OK) == 0 || errno != EACCES)
        return g_strdup("");
    const struct group *group = group_of_readers(path);
    if (group == NULL)
        return g_strdup(" (use sudo)");
    return g_strdup_printf(" (use sudo, or be a member of the group %s)", group->gr_name);
}

static void
stay_silent(const char *name, guint64 line, const char *why, gpointer data)
{
    (void)name;
    (void)line;
    (void)why;
    (void)data;
}

gboolean
event_files_read(const char *path, gboolean again, EventFunction function, gpointer data,
                 GError **error)
{
    g_autoptr(GError) fault = NULL;
    g_autoptr(OctetSource) source = octet_source_open(path, &fault);
    if (source == NULL) {
        g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", path);
        return FALSE;
    }
    g_autoptr(EventReader) reader = event_reader_new(path, octet_source_read, source);
    gboolean more = TRUE;
    if (again)
        event_reader_on_broken(reader, stay_silent, NULL);
    for (json_t *event; more && (event = event_reader_next(reader, &fault)) != NULL;) {
        more = function(event, data);
        json_decref(event);
    }
    if (fault == NULL)
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&fault), "%s: ", path);
    return FALSE;
}
