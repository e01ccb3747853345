/*
 * follow_state: the file that lets `replyctl follow` go on where it stopped.
 *
 * A JSON object: where in the log, and which deliveries are open. It is replaced as a whole or not
 * at all. Who has opened it holds the lock beside it (FILE.lock), so that no two follow one log and
 * tell everything twice. Threads: one owner.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef struct FollowState FollowState;

/* NULL and an error if another process has it, or its folder cannot be written. */
FollowState *follow_state_open(const char *path, GError **error);
void follow_state_close(FollowState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FollowState, follow_state_close)

/* What was saved last; NULL: nothing yet, or an error if what is there cannot be read. */
json_t *follow_state_load(const FollowState *state, GError **error);

/* Takes the object. Nothing in memory is lost where it fails: the next save has it all. */
gboolean follow_state_save(const FollowState *state, json_t *object, GError **error);
