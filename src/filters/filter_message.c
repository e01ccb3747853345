/*
 * filter_message: a held message shown to one filter, as an MTA would send it.
 */
#include "filters/filter_message.h"

static FilterVerdict
show_header(FilterClient *client, const HeldHeader *header, GString *packet, gboolean *asked)
{
    guint32 steps = filter_client_negotiated(client)->steps;
    const char *value = header->value;
    if ((steps & MILTER_STEP_HDR_LEADSPC) == 0 && value[0] == ' ')
        value++;
    g_string_truncate(packet, 0);
    milter_command_append_header(packet, header->name, value);
    return filter_client_tell(client, MILTER_COMMAND_HEADER, packet, asked);
}

static FilterVerdict
show_headers(FilterClient *client, const HeldMessage *message, GString *packet, gboolean *asked)
{
    guint count = held_message_header_count(message);
    for (guint i = 0; i < count && filter_client_wants(client, MILTER_COMMAND_HEADER); i++) {
        FilterVerdict verdict =
            show_header(client, held_message_header_get(message, i), packet, asked);
        if (verdict != FILTER_VERDICT_CONTINUE)
            return verdict;
    }
    g_string_truncate(packet, 0);
    milter_command_append(packet, MILTER_COMMAND_EOH);
    return filter_client_tell(client, MILTER_COMMAND_EOH, packet, asked);
}

static FilterVerdict
show_body(FilterClient *client, HeldMessage *message, GString *packet, gboolean *asked)
{
    g_autoptr(GError) error = NULL;
    Spool *body = held_message_get_body(message);
    gsize count;
    for (guint64 at = 0; filter_client_wants(client, MILTER_COMMAND_BODY); at += count) {
        const char *piece = spool_piece(body, at, &count, &error);
        if (piece == NULL) {
            *asked = TRUE;
            return filter_client_give_up(client, error->message);
        }
        if (count == 0)
            break;
        g_string_truncate(packet, 0);
        milter_command_append_body(packet, MILTER_COMMAND_BODY, piece, count);
        FilterVerdict verdict = filter_client_tell(client, MILTER_COMMAND_BODY, packet, asked);
        if (verdict != FILTER_VERDICT_CONTINUE)
            return verdict;
    }
    return FILTER_VERDICT_CONTINUE;
}

FilterVerdict
filter_message_show(FilterClient *client, HeldMessage *message, ChangeList *changes,
                    gboolean *asked)
{
    g_autoptr(GString) packet = g_string_new(NULL);
    FilterVerdict verdict = FILTER_VERDICT_CONTINUE;
    /* Of one that is not in, the end tells the verdict. */
    if (filter_client_wants(client, MILTER_COMMAND_BODYEOB)) {
        if (held_message_gap(message) != NULL) {
            *asked = TRUE;
            return filter_client_give_up(client, held_message_gap(message));
        }
        verdict = show_headers(client, message, packet, asked);
        if (verdict == FILTER_VERDICT_CONTINUE)
            verdict = show_body(client, message, packet, asked);
    }
    if (verdict != FILTER_VERDICT_CONTINUE)
        return verdict;
    return filter_client_tell_end(client, changes, asked);
}
