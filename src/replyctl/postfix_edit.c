/*
 * postfix_edit: carries a plan out, with a backup, and takes it back.
 */
#include "replyctl/postfix_edit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "replyctl/program.h"

#define BEFORE_MARK   ".before-replymilter-"
#define WITH_MARK     ".with-replymilter-"
#define DIGEST_LENGTH 16

static const char *const names[] = {"main.cf", "master.cf"};

typedef struct {
    char *path;
    char *before; /* a copy of it; NULL: none yet */
} Edited;

static char *
path_of(const PostfixInstall *install, const char *name)
{
    return g_build_filename(postfix_install_value(install, "config_directory"), name, NULL);
}

/* With owner, mode and time. */
static gboolean
copy(const char *from, const char *to, GError **error)
{
    return program_run((const char *const[]){"cp", "--preserve=all", "--", from, to, NULL}, 0, NULL,
                       error);
}

static char *
digest_of(const char *path, GError **error)
{
    g_autofree char *content = NULL;
    gsize length;
    if (!g_file_get_contents(path, &content, &length, error))
        return NULL;
    char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, length);
    digest[DIGEST_LENGTH] = '\0';
    return digest;
}

/* ---- apply -------------------------------------------------------------------------------------
 */

static gboolean
back_up(Edited *file, GError **error)
{
    char *before = g_strconcat(file->path, BEFORE_MARK "new", NULL);
    if (!copy(file->path, before, error)) {
        g_free(before);
        return FALSE;
    }
    file->before = before;
    return TRUE;
}

static gboolean
carry_out(const PostfixInstall *install, const PostfixChange *change, GError **error)
{
    if (change->parameter != NULL) {
        g_auto(GStrv) words = postfix_change_words(change);
        return postfix_postconf(install->folder, (const char *const *)words, NULL, error);
    }
    const char *enter[] = {"usermod", "-aG", change->group, change->user, NULL};
    const char *leave[] = {"gpasswd", "-d", change->user, change->group, NULL};
    g_autofree char *output = NULL;
    return program_run(change->leave ? leave : enter, 0, &output, error);
}

static gboolean
carry_out_all(const PostfixInstall *install, const PostfixPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->changes->len; i++)
        if (!carry_out(install, g_ptr_array_index(plan->changes, i), error))
            return FALSE;
    return TRUE;
}

static void
put_back(const Edited *files)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (files[i].before != NULL)
            (void)rename(files[i].before, files[i].path);
}

/* Names the backup, or drops it where nothing has changed; shows what has. */
static gboolean
finish(const Edited *file, const char *mark, GError **error)
{
    g_autofree char *before = digest_of(file->before, error);
    g_autofree char *digest = before != NULL ? digest_of(file->path, error) : NULL;
    if (digest == NULL)
        return FALSE;
    if (strcmp(before, digest) == 0) {
        (void)unlink(file->before);
        return TRUE;
    }
    g_autofree char *kept = g_strconcat(file->path, mark, digest, NULL);
    g_autofree char *difference = NULL;
    if (rename(file->before, kept) != 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "%s cannot be kept as a backup", kept);
    if (!program_run((const char *const[]){"diff", "-u", "--", kept, file->path, NULL}, 1,
                     &difference, error))
        return FALSE;
    fputs(difference, stdout);
    return TRUE;
}

gboolean
postfix_edit_apply(const PostfixInstall *install, const PostfixPlan *plan, gboolean undo,
                   GError **error)
{
    Edited files[G_N_ELEMENTS(names)] = {{.path = NULL}};
    gboolean done = TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        files[i].path = path_of(install, names[i]);
    for (gsize i = 0; done && i < G_N_ELEMENTS(names); i++)
        done = back_up(&files[i], error);
    done = done && carry_out_all(install, plan, error);
    if (!done)
        put_back(files);
    for (gsize i = 0; done && i < G_N_ELEMENTS(names); i++)
        done = finish(&files[i], undo ? WITH_MARK : BEFORE_MARK, error);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_free(files[i].path);
        g_free(files[i].before);
    }
    return done;
}

/* ---- undo --------------------------------------------------------------------------------------
 */

static gboolean
restore(const char *path, gboolean *restored, GError **error)
{
    g_autofree char *digest = digest_of(path, error);
    if (digest == NULL)
        return FALSE;
    g_autofree char *backup = g_strconcat(path, BEFORE_MARK, digest, NULL);
    if (access(backup, F_OK) != 0)
        return TRUE;
    if (rename(backup, path) != 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "%s cannot be put back as %s", backup, path);
    printf("%s is again what it was before.\n", path);
    *restored = TRUE;
    return TRUE;
}

gboolean
postfix_edit_restore(const PostfixInstall *install, gboolean *restored, GError **error)
{
    *restored = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(install, names[i]);
        if (!restore(path, restored, error))
            return FALSE;
    }
    return TRUE;
}
