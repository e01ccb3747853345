/*
 * change: one thing that a filter wants done to a message or its envelope.
 */
#include "filters/change.h"

#include <string.h>

/* Most octets of a new body that are kept in memory. */
#define BODY_IN_MEMORY (1024 * 1024)

void
change_free(Change *change)
{
    if (change == NULL)
        return;
    g_free(change->name);
    g_free(change->value);
    g_free(change->address);
    g_free(change->arguments);
    g_free(change->reason);
    spool_free(change->body);
    g_free(change);
}

static ChangeKind
kind_of_answer(const MilterAnswer *answer)
{
    switch (answer->code) {
    case MILTER_ANSWER_ADDHEADER:
        return CHANGE_ADD_HEADER;
    case MILTER_ANSWER_INSHEADER:
        return CHANGE_INSERT_HEADER;
    case MILTER_ANSWER_CHGHEADER:
        return answer->value[0] != '\0' ? CHANGE_SET_HEADER : CHANGE_DELETE_HEADER;
    case MILTER_ANSWER_ADDRCPT:
        return CHANGE_ADD_RECIPIENT;
    case MILTER_ANSWER_ADDRCPT_PAR:
        return CHANGE_ADD_RECIPIENT_PAR;
    case MILTER_ANSWER_DELRCPT:
        return CHANGE_DELETE_RECIPIENT;
    case MILTER_ANSWER_CHGFROM:
        return CHANGE_SENDER;
    case MILTER_ANSWER_REPLBODY:
        return CHANGE_BODY;
    case MILTER_ANSWER_QUARANTINE:
        return CHANGE_QUARANTINE;
    default:
        g_assert_not_reached();
    }
}

/* The nth of a name is counted from 1, and 0 means 1. */
static guint32
index_of_answer(ChangeKind kind, guint32 index)
{
    guint32 known = MIN(index, (guint32)G_MAXINT32);
    gboolean counts = kind == CHANGE_SET_HEADER || kind == CHANGE_DELETE_HEADER;
    return counts && known == 0 ? 1 : known;
}

Change *
change_header(ChangeKind kind, guint32 index, const char *name, const char *value)
{
    Change *change = g_new0(Change, 1);
    change->kind = kind;
    change->index = index_of_answer(kind, index);
    change->name = g_strdup(name);
    if (kind != CHANGE_DELETE_HEADER)
        change->value = g_strdup(value);
    return change;
}

Change *
change_from_answer(const MilterAnswer *answer, gboolean leading_space)
{
    ChangeKind kind = kind_of_answer(answer);
    if (answer->name != NULL) {
        g_autofree char *value = g_strconcat(leading_space ? "" : " ", answer->value, NULL);
        return change_header(kind, answer->index, answer->name, value);
    }
    Change *change = g_new0(Change, 1);
    change->kind = kind;
    change->address = g_strdup(answer->address);
    change->arguments = g_strdup(answer->arguments);
    if (kind == CHANGE_QUARANTINE)
        change->reason = g_strndup(answer->octets, answer->length);
    return change;
}

/* In CR LF, where it has LF only. */
static void
append_lines(GString *out, const char *octets, gsize count, char last)
{
    const char *end = octets + count;
    for (const char *at = octets; at < end;) {
        const char *feed = memchr(at, '\n', (gsize)(end - at));
        const char *stop = feed != NULL ? feed : end;
        if (stop > at)
            last = stop[-1];
        g_string_append_len(out, at, stop - at);
        if (feed != NULL)
            g_string_append(out, last == '\r' ? "\n" : "\r\n");
        last = '\n';
        at = stop + 1;
    }
}

gboolean
change_body_append(Change *change, const char *octets, gsize count, guint64 memory_limit,
                   GError **error)
{
    g_assert(change->kind == CHANGE_BODY);
    if (change->body == NULL)
        change->body = spool_new(BODY_IN_MEMORY, memory_limit);
    if (count == 0)
        return TRUE;
    g_autoptr(GString) lines = g_string_sized_new(count + count / 16);
    append_lines(lines, octets, count, change->body_last);
    change->body_last = octets[count - 1];
    return spool_append(change->body, lines->str, lines->len, error);
}

gboolean
change_body_end(Change *change, guint64 memory_limit, GError **error)
{
    if (!change_body_append(change, "", 0, memory_limit, error))
        return FALSE;
    if (spool_length(change->body) == 0 || change->body_last == '\n')
        return TRUE;
    return spool_append(change->body, "\r\n", 2, error);
}

const char *
change_value(const Change *change, gboolean leading_space)
{
    const char *value = change->value;
    return value == NULL || leading_space || value[0] != ' ' ? value : value + 1;
}

ChangeList *
change_list_new(void)
{
    ChangeList *list = g_new0(ChangeList, 1);
    list->changes = g_ptr_array_new_with_free_func((GDestroyNotify)change_free);
    return list;
}

void
change_list_free(ChangeList *list)
{
    if (list == NULL)
        return;
    g_ptr_array_unref(list->changes);
    g_free(list);
}

guint
change_list_count(const ChangeList *list)
{
    return list->changes->len;
}

Change *
change_list_get(const ChangeList *list, guint i)
{
    return g_ptr_array_index(list->changes, i);
}

static gsize
text_length(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static gsize
change_octets(const Change *change)
{
    return text_length(change->name) + text_length(change->value) + text_length(change->address) +
           text_length(change->arguments) + text_length(change->reason);
}

gboolean
change_list_add(ChangeList *list, Change *change)
{
    gsize octets = change_octets(change);
    if (list->changes->len >= CHANGE_LIST_MAX || list->octets + octets > CHANGE_LIST_OCTETS_MAX) {
        change_free(change);
        return FALSE;
    }
    list->octets += octets;
    g_ptr_array_add(list->changes, change);
    return TRUE;
}

void
change_list_move(ChangeList *to, ChangeList *from)
{
    g_ptr_array_extend_and_steal(to->changes, from->changes);
    from->changes = g_ptr_array_new_with_free_func((GDestroyNotify)change_free);
    to->octets += from->octets;
    from->octets = 0;
}
