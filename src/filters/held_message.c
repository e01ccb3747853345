/*
 * held_message: one message that is held until all filters have seen it.
 */
#include "filters/held_message.h"

#include <string.h>

#include "base/session_memory.h"

/* The index of a deletion that is told to the MTA behind everything else. */
#define DEFERRED 0

/* The MTA's own line, in its place. */
static HeldHeader received = {.name = (char *)""};

struct HeldMessage {
    guint64 memory_limit;
    GPtrArray *all;      /* of HeldHeader *, as the MTA has them: with its own Received line, and
                          * those that are to be deleted, which have no value any more */
    GPtrArray *headers;  /* of the others, as filters see them */
    gsize header_octets; /* taken of the memory of all sessions */
    Spool *body;
    gboolean body_changed;
    char *gap; /* NULL: whole */
};

static void
header_free(HeldHeader *header)
{
    if (header == &received)
        return;
    g_free(header->name);
    g_free(header->value);
    g_free(header);
}

/* What one header takes of the memory of all sessions. */
static gsize
header_size(const HeldHeader *header)
{
    enum { ALLOCATIONS = 96 };
    return ALLOCATIONS + strlen(header->name) + (header->value != NULL ? strlen(header->value) : 0);
}

HeldMessage *
held_message_new(guint64 memory_limit)
{
    HeldMessage *message = g_new0(HeldMessage, 1);
    message->memory_limit = memory_limit;
    message->all = g_ptr_array_new_with_free_func((GDestroyNotify)header_free);
    message->headers = g_ptr_array_new();
    g_ptr_array_add(message->all, &received);
    message->body = spool_new(HELD_MESSAGE_BODY_IN_MEMORY, memory_limit);
    return message;
}

void
held_message_free(HeldMessage *message)
{
    if (message == NULL)
        return;
    g_ptr_array_unref(message->headers);
    g_ptr_array_unref(message->all);
    session_memory_give(message->header_octets);
    spool_free(message->body);
    g_free(message->gap);
    g_free(message);
}

const char *
held_message_gap(const HeldMessage *message)
{
    return message->gap;
}

static void
set_gap(HeldMessage *message, const char *why)
{
    if (message->gap == NULL)
        message->gap = g_strdup(why);
}

/* TRUE: this header may be kept, and its memory is taken. */
static gboolean
take_header(HeldMessage *message, const HeldHeader *header)
{
    gsize size = header_size(header);
    if (message->headers->len >= HELD_MESSAGE_HEADERS_MAX ||
        message->header_octets + size > HELD_MESSAGE_HEADER_OCTETS_MAX) {
        set_gap(message, "its header is larger than any that is held");
        return FALSE;
    }
    if (!session_memory_take(size, message->memory_limit)) {
        set_gap(message, "limits.memory is used up");
        return FALSE;
    }
    message->header_octets += size;
    return TRUE;
}

/* `at`: its place among those that filters see; `at_all`: among all. */
static void
insert_header(HeldMessage *message, guint at, guint at_all, HeldHeader *header)
{
    if (message->gap == NULL && take_header(message, header)) {
        g_ptr_array_insert(message->headers, (gint)at, header);
        g_ptr_array_insert(message->all, (gint)at_all, header);
    } else {
        header_free(header);
    }
}

static void
append_header(HeldMessage *message, HeldHeader *header)
{
    insert_header(message, message->headers->len, message->all->len, header);
}

static void
give_memory(HeldMessage *message, gsize octets)
{
    message->header_octets -= octets;
    session_memory_give(octets);
}

static HeldHeader *
header_new(const char *name, char *value)
{
    HeldHeader *header = g_new(HeldHeader, 1);
    *header = (HeldHeader){.name = g_strdup(name), .value = value};
    return header;
}

void
held_message_header(HeldMessage *message, const char *name, const char *value)
{
    append_header(message, header_new(name, g_strdup(value)));
}

void
held_message_body(HeldMessage *message, const char *octets, gsize count)
{
    g_autoptr(GError) error = NULL;
    if (message->gap == NULL && !spool_append(message->body, octets, count, &error))
        set_gap(message, error->message);
}

guint
held_message_header_count(const HeldMessage *message)
{
    return message->headers->len;
}

const HeldHeader *
held_message_header_get(const HeldMessage *message, guint i)
{
    return g_ptr_array_index(message->headers, i);
}

Spool *
held_message_get_body(HeldMessage *message)
{
    return message->body;
}

gboolean
held_message_body_changed(const HeldMessage *message)
{
    return message->body_changed;
}

/* As it stands in the message: a line that goes on must begin with a space or tab. */
static char *
folded(const char *value)
{
    if (strchr(value, '\n') == NULL)
        return g_strdup(value);
    GString *out = g_string_sized_new(strlen(value) + 8);
    for (const char *at = value; *at != '\0'; at++) {
        g_string_append_c(out, *at);
        if (*at == '\n' && at[1] != ' ' && at[1] != '\t')
            g_string_append_c(out, '\t');
    }
    return g_string_free(out, FALSE);
}

static void
add_header(HeldMessage *message, const Change *change)
{
    append_header(message, header_new(change->name, folded(change->value)));
}

static const HeldHeader *
header_of_all(const HeldMessage *message, guint i)
{
    return g_ptr_array_index(message->all, i);
}

static gboolean
is_deleted(const HeldHeader *header)
{
    return header->value == NULL && header != &received;
}

/* Counted with the MTA's own line; behind the last one there is only the end. */
static void
insert_change(HeldMessage *message, Change *change)
{
    guint at, left = change->index, deleted = 0, view = change->index;
    for (at = 0; at < message->all->len; at++) {
        const HeldHeader *header = header_of_all(message, at);
        if (is_deleted(header))
            deleted++;
        else if (left-- == 0)
            break;
        else if (header == &received)
            view--;
    }
    change->index = (guint32)MIN((guint64)change->index + deleted, G_MAXINT32);
    if (at == message->all->len)
        add_header(message, change);
    else
        insert_header(message, view, at, header_new(change->name, folded(change->value)));
}

/* The header that is meant, as one that can be changed; NULL: there are not so many of that name.
 * `change` is made to count as the MTA does, to which those to be deleted are still there. */
static HeldHeader *
find_header(HeldMessage *message, Change *change)
{
    guint32 left = change->index, deleted = 0;
    HeldHeader *found = NULL;
    for (guint i = 0; i < message->all->len && found == NULL; i++) {
        HeldHeader *header = g_ptr_array_index(message->all, i);
        if (g_ascii_strcasecmp(header->name, change->name) != 0)
            continue;
        if (is_deleted(header))
            deleted++;
        else if (--left == 0)
            found = header;
    }
    change->index = (guint32)MIN((guint64)change->index + deleted, G_MAXINT32);
    return found;
}

static void
set_header(HeldMessage *message, Change *change)
{
    HeldHeader *header = find_header(message, change);
    if (header == NULL) {
        add_header(message, change);
        return;
    }
    HeldHeader fresh = {.name = g_strdup(change->name), .value = folded(change->value)};
    give_memory(message, header_size(header));
    take_header(message, &fresh);
    g_free(header->name);
    g_free(header->value);
    *header = fresh;
}

static void
delete_header(HeldMessage *message, Change *change)
{
    HeldHeader *header = find_header(message, change);
    if (header == NULL)
        return;
    change->index = DEFERRED;
    give_memory(message, strlen(header->value));
    g_clear_pointer(&header->value, g_free);
    g_ptr_array_remove(message->headers, header);
}

static void
change_body(HeldMessage *message, Change *change)
{
    spool_free(message->body);
    message->body = g_steal_pointer(&change->body);
    message->body_changed = TRUE;
}

void
held_message_change(HeldMessage *message, Change *change)
{
    switch (change->kind) {
    case CHANGE_ADD_HEADER:
        add_header(message, change);
        break;
    case CHANGE_INSERT_HEADER:
        insert_change(message, change);
        break;
    case CHANGE_SET_HEADER:
        set_header(message, change);
        break;
    case CHANGE_DELETE_HEADER:
        delete_header(message, change);
        break;
    case CHANGE_BODY:
        change_body(message, change);
        break;
    case CHANGE_ADD_RECIPIENT:
    case CHANGE_ADD_RECIPIENT_PAR:
    case CHANGE_DELETE_RECIPIENT:
    case CHANGE_SENDER:
    case CHANGE_QUARANTINE:
        break;
    }
}

/* The how many-th of its name, from 1. */
static guint32
count_of_name(const HeldMessage *message, guint at)
{
    guint32 count = 0;
    for (guint i = 0; i <= at; i++)
        if (g_ascii_strcasecmp(header_of_all(message, i)->name, header_of_all(message, at)->name) ==
            0)
            count++;
    return count;
}

static gboolean
is_deferred(const Change *change)
{
    return change->kind == CHANGE_DELETE_HEADER && change->index == DEFERRED;
}

void
held_message_put_deletions_last(const HeldMessage *message, ChangeList *changes)
{
    gboolean any = FALSE;
    for (guint i = change_list_count(changes); i > 0; i--) {
        if (!is_deferred(change_list_get(changes, i - 1)))
            continue;
        g_ptr_array_remove_index(changes->changes, i - 1);
        any = TRUE;
    }
    for (guint i = message->all->len; any && i > 0; i--) {
        const HeldHeader *header = header_of_all(message, i - 1);
        if (is_deleted(header))
            g_ptr_array_add(changes->changes,
                            change_header(CHANGE_DELETE_HEADER, count_of_name(message, i - 1),
                                          header->name, NULL));
    }
}
