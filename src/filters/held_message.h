/*
 * held_message: one message that is held until all filters have seen it.
 *
 * Its headers and body are kept as the MTA gave them, byte for byte, and are changed as the filters
 * ask, so that each sees the message as those before it left it. A change has the effect that it
 * has in Postfix (cleanup_milter.c): deleted headers do not count, where a header is to be changed
 * that is not there, it is added, and inserting counts the MTA's own Received line, which no filter
 * is shown. Threads: one owner.
 */
#pragma once

#include <glib.h>

#include "base/spool.h"
#include "filters/change.h"

/* Most of a message's header; one that has more is not whole. */
#define HELD_MESSAGE_HEADERS_MAX       100000
#define HELD_MESSAGE_HEADER_OCTETS_MAX (16 * 1024 * 1024)

/* Most octets of one body that are kept in memory. */
#define HELD_MESSAGE_BODY_IN_MEMORY (1024 * 1024)

typedef struct {
    char *name;
    char *value; /* with the space behind the colon; folded lines have LF, or CR LF, in it */
} HeldHeader;

typedef struct HeldMessage HeldMessage;

/* `memory_limit`: limits.memory. */
HeldMessage *held_message_new(guint64 memory_limit);
void held_message_free(HeldMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HeldMessage, held_message_free)

/*
 * As the message comes. `value` with its leading space. What cannot be kept is not: then the
 * message is not whole, and stays so.
 */
void held_message_header(HeldMessage *message, const char *name, const char *value);
void held_message_body(HeldMessage *message, const char *octets, gsize count);

/* NULL, or why the message is not whole: it must not be shown to a filter. */
const char *held_message_gap(const HeldMessage *message);

/* As it is now. */
guint held_message_header_count(const HeldMessage *message);
const HeldHeader *held_message_header_get(const HeldMessage *message, guint i);
Spool *held_message_get_body(HeldMessage *message); /* borrowed until it is changed */
gboolean held_message_body_changed(const HeldMessage *message);

/*
 * Does what the change wants to the view; a body is taken out of the change. Changes of the
 * envelope and a quarantine have no effect here. Where there is no room for it, the message is not
 * whole any more.
 *
 * The change is then as the MTA is to be told it, together with all others. MTAs do not agree
 * whether a header that was deleted in the same callback still counts (in Postfix it does not, in
 * Sendmail it does). So nothing is deleted until the end: indexes are made to count what is to be
 * deleted, and held_message_put_deletions_last() puts the deletions behind all other changes, from
 * the last header to the first. What the message does not have is left as it was.
 */
void held_message_change(HeldMessage *message, Change *change);
void held_message_put_deletions_last(const HeldMessage *message, ChangeList *changes);
