/*
 * held_message: one message that is held until all filters have seen it.
 */
#include "filters/held_message.h"

#include <string.h>

#include "base/session_memory.h"

struct HeldMessage {
    guint64 memory_limit;
    GPtrArray *headers;  /* of HeldHeader *; without the MTA's own Received line */
    guint received_at;   /* how many headers stand before that */
    gsize header_octets; /* taken of the memory of all sessions */
    Spool *body;
    gboolean body_changed;
    char *gap; /* NULL: whole */
};

static void
header_free(HeldHeader *header)
{
    g_free(header->name);
    g_free(header->value);
    g_free(header);
}

/* What one header takes of the memory of all sessions. */
static gsize
header_size(const HeldHeader *header)
{
    enum { ALLOCATIONS = 96 };
    return ALLOCATIONS + strlen(header->name) + strlen(header->value);
}

HeldMessage *
held_message_new(guint64 memory_limit)
{
    HeldMessage *message = g_new0(HeldMessage, 1);
    message->memory_limit = memory_limit;
    message->headers = g_ptr_array_new_with_free_func((GDestroyNotify)header_free);
    message->body = spool_new(HELD_MESSAGE_BODY_IN_MEMORY, memory_limit);
    return message;
}

void
held_message_free(HeldMessage *message)
{
    if (message == NULL)
        return;
    g_ptr_array_unref(message->headers);
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

static void
insert_header(HeldMessage *message, guint at, HeldHeader *header)
{
    if (message->gap == NULL && take_header(message, header))
        g_ptr_array_insert(message->headers, (gint)at, header);
    else
        header_free(header);
}

static void
give_header(HeldMessage *message, const HeldHeader *header)
{
    gsize size = header_size(header);
    message->header_octets -= size;
    session_memory_give(size);
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
    insert_header(message, message->headers->len, header_new(name, g_strdup(value)));
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
    insert_header(message, message->headers->len, header_new(change->name, folded(change->value)));
}

/* Counted with the MTA's own line; behind the last one there is only the end. */
static void
insert_change(HeldMessage *message, const Change *change)
{
    guint at = change->index;
    if (at > message->headers->len) {
        add_header(message, change);
        return;
    }
    if (at > message->received_at)
        at--;
    else
        message->received_at++;
    insert_header(message, at, header_new(change->name, folded(change->value)));
}

/* FALSE: there are not so many of that name. */
static gboolean
find_header(const HeldMessage *message, const Change *change, guint *found)
{
    guint32 left = change->index;
    for (guint i = 0; i < message->headers->len; i++)
        if (g_ascii_strcasecmp(held_message_header_get(message, i)->name, change->name) == 0 &&
            --left == 0) {
            *found = i;
            return TRUE;
        }
    return FALSE;
}

static void
remove_header(HeldMessage *message, guint at)
{
    give_header(message, held_message_header_get(message, at));
    g_ptr_array_remove_index(message->headers, at);
}

static void
set_header(HeldMessage *message, const Change *change)
{
    guint at;
    if (!find_header(message, change, &at)) {
        add_header(message, change);
        return;
    }
    remove_header(message, at);
    insert_header(message, at, header_new(change->name, folded(change->value)));
}

static void
delete_header(HeldMessage *message, const Change *change)
{
    guint at;
    if (!find_header(message, change, &at))
        return;
    remove_header(message, at);
    if (at < message->received_at)
        message->received_at--;
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
