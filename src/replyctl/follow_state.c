/*
 * follow_state: the file that lets `replyctl follow` go on where it stopped.
 */
#include "replyctl/follow_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"

enum { STATE_MODE = 0600, STATE_MOST = 256 * 1024 * 1024 };

struct FollowState {
    char *path;
    int lock;
};

FollowState *
follow_state_open(const char *path, GError **error)
{
    g_autofree char *name = g_strconcat(path, ".lock", NULL);
    int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, STATE_MODE);
    if (lock < 0) {
        error_fail(error, REPLYMILTER_ERROR_IO, "%s: %s", name, g_strerror(errno));
        return NULL;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        error_fail(error, REPLYMILTER_ERROR_IO, "%s: another process follows with this state",
                   path);
        (void)close(lock);
        return NULL;
    }
    FollowState *state = g_new0(FollowState, 1);
    state->path = g_strdup(path);
    state->lock = lock;
    return state;
}

void
follow_state_close(FollowState *state)
{
    (void)close(state->lock);
    g_free(state->path);
    g_free(state);
}

json_t *
follow_state_load(const FollowState *state, GError **error)
{
    json_error_t fault;
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) unread = NULL;
    if (!g_file_get_contents(state->path, &text, &length, &unread)) {
        if (!g_error_matches(unread, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            error_fail(error, REPLYMILTER_ERROR_IO, "%s", unread->message);
        return NULL;
    }
    json_t *object = length <= STATE_MOST ? json_loadb(text, length, 0, &fault) : NULL;
    if (json_is_object(object))
        return object;
    json_decref(object);
    error_fail(error, REPLYMILTER_ERROR_SYNTAX, "%s: is no state of replyctl follow", state->path);
    return NULL;
}

gboolean
follow_state_save(const FollowState *state, json_t *object, GError **error)
{
    g_autoptr(GError) fault = NULL;
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    gboolean saved = text != NULL && g_file_set_contents_full(state->path, text, -1,
                                                              G_FILE_SET_CONTENTS_CONSISTENT |
                                                                  G_FILE_SET_CONTENTS_DURABLE,
                                                              STATE_MODE, &fault);
    free(text);
    if (!saved)
        error_fail(error, REPLYMILTER_ERROR_IO, "%s",
                   fault != NULL ? fault->message : "the state cannot be written");
    return saved;
}
