/*
 * file_walk: the files that a path means.
 */
#include "replyctl/file_walk.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 100 };

typedef enum {
    FOLDER_PLAIN,
    FOLDER_MAILDIR,
    FOLDER_MAILS, /* cur or new of a Maildir */
} FolderKind;

static gboolean walk_folder(const char *path, FolderKind kind, guint depth, const FileWalk *walk);

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted; NULL: said. */
static GPtrArray *
read_names(const char *path, const FileWalk *walk)
{
    errno = 0;
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    if (folder == NULL) {
        walk->fault(path, g_strerror(errno), walk->data);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static gboolean
is_folder_in(const char *path, const char *name)
{
    struct stat status;
    g_autofree char *whole = g_build_filename(path, name, NULL);
    return stat(whole, &status) == 0 && S_ISDIR(status.st_mode);
}

static FolderKind
kind_of(const char *path)
{
    return is_folder_in(path, "cur") && is_folder_in(path, "new") ? FOLDER_MAILDIR : FOLDER_PLAIN;
}

/* What stands in a folder of this kind under this name: is it read? */
static gboolean
is_wanted(FolderKind kind, const char *name, gboolean is_folder)
{
    switch (kind) {
    case FOLDER_MAILDIR: /* tmp/ holds what is not yet whole */
        return is_folder && strcmp(name, "tmp") != 0;
    case FOLDER_MAILS:
        return !is_folder && name[0] != '.';
    default:
        return name[0] != '.';
    }
}

static FolderKind
kind_within(FolderKind kind, const char *name, const char *path)
{
    if (kind == FOLDER_MAILDIR && (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0))
        return FOLDER_MAILS;
    return kind_of(path);
}

/* FALSE: the walk is over. */
static gboolean
walk_entry(const char *folder, FolderKind kind, const char *name, guint depth, const FileWalk *walk)
{
    struct stat status;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (lstat(path, &status) != 0) {
        if (errno != ENOENT) /* a mail server moves mails about */
            walk->fault(path, g_strerror(errno), walk->data);
        return TRUE;
    }
    gboolean link = S_ISLNK(status.st_mode);
    if (!is_wanted(kind, name, S_ISDIR(status.st_mode)))
        return TRUE;
    if (link && stat(path, &status) != 0) {
        walk->fault(path, g_strerror(errno), walk->data);
        return TRUE;
    }
    if (S_ISREG(status.st_mode))
        return walk->found(path, (guint64)status.st_size, walk->data);
    if (S_ISDIR(status.st_mode) && !link)
        return walk_folder(path, kind_within(kind, name, path), depth + 1, walk);
    return TRUE;
}

static gboolean
walk_folder(const char *path, FolderKind kind, guint depth, const FileWalk *walk)
{
    if (depth > DEEPEST) {
        walk->fault(path, "folders within folders too deep", walk->data);
        return TRUE;
    }
    g_autoptr(GPtrArray) names = read_names(path, walk);
    gboolean on = TRUE;
    for (guint i = 0; names != NULL && i < names->len && on; i++)
        on = walk_entry(path, kind, names->pdata[i], depth, walk);
    return on;
}

gboolean
file_walk(const char *path, const FileWalk *walk)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return walk->found(path, 0, walk->data);
    if (stat(path, &status) != 0) {
        walk->fault(path, g_strerror(errno), walk->data);
        return TRUE;
    }
    if (S_ISDIR(status.st_mode))
        return walk_folder(path, kind_of(path), 0, walk);
    return walk->found(path, S_ISREG(status.st_mode) ? (guint64)status.st_size : 0, walk->data);
}
