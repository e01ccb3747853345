/*
 * milter_packet: the frame of the milter protocol, and the names of what is sent in it.
 */
#include "wire/milter_packet.h"

#include <string.h>

#include "base/error.h"

static const struct {
    char code;
    const char *name;
} names[] = {
    {MILTER_COMMAND_ABORT, "SMFIC_ABORT"},
    {MILTER_COMMAND_BODY, "SMFIC_BODY"},
    {MILTER_COMMAND_CONNECT, "SMFIC_CONNECT"},
    {MILTER_COMMAND_MACRO, "SMFIC_MACRO"},
    {MILTER_COMMAND_BODYEOB, "SMFIC_BODYEOB"},
    {MILTER_COMMAND_HELO, "SMFIC_HELO"},
    {MILTER_COMMAND_QUIT_NC, "SMFIC_QUIT_NC"},
    {MILTER_COMMAND_HEADER, "SMFIC_HEADER"},
    {MILTER_COMMAND_MAIL, "SMFIC_MAIL"},
    {MILTER_COMMAND_EOH, "SMFIC_EOH"},
    {MILTER_COMMAND_OPTNEG, "SMFIC_OPTNEG"},
    {MILTER_COMMAND_QUIT, "SMFIC_QUIT"},
    {MILTER_COMMAND_RCPT, "SMFIC_RCPT"},
    {MILTER_COMMAND_DATA, "SMFIC_DATA"},
    {MILTER_COMMAND_UNKNOWN, "SMFIC_UNKNOWN"},
    {MILTER_ANSWER_ADDRCPT, "SMFIR_ADDRCPT"},
    {MILTER_ANSWER_DELRCPT, "SMFIR_DELRCPT"},
    {MILTER_ANSWER_ADDRCPT_PAR, "SMFIR_ADDRCPT_PAR"},
    {MILTER_ANSWER_SHUTDOWN, "SMFIR_SHUTDOWN"},
    {MILTER_ANSWER_ACCEPT, "SMFIR_ACCEPT"},
    {MILTER_ANSWER_REPLBODY, "SMFIR_REPLBODY"},
    {MILTER_ANSWER_CONTINUE, "SMFIR_CONTINUE"},
    {MILTER_ANSWER_DISCARD, "SMFIR_DISCARD"},
    {MILTER_ANSWER_CHGFROM, "SMFIR_CHGFROM"},
    {MILTER_ANSWER_CONN_FAIL, "SMFIR_CONN_FAIL"},
    {MILTER_ANSWER_ADDHEADER, "SMFIR_ADDHEADER"},
    {MILTER_ANSWER_INSHEADER, "SMFIR_INSHEADER"},
    {MILTER_ANSWER_SETSYMLIST, "SMFIR_SETSYMLIST"},
    {MILTER_ANSWER_CHGHEADER, "SMFIR_CHGHEADER"},
    {MILTER_ANSWER_PROGRESS, "SMFIR_PROGRESS"},
    {MILTER_ANSWER_QUARANTINE, "SMFIR_QUARANTINE"},
    {MILTER_ANSWER_REJECT, "SMFIR_REJECT"},
    {MILTER_ANSWER_SKIP, "SMFIR_SKIP"},
    {MILTER_ANSWER_TEMPFAIL, "SMFIR_TEMPFAIL"},
    {MILTER_ANSWER_REPLYCODE, "SMFIR_REPLYCODE"},
};

const char *
milter_code_name(char code)
{
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return NULL;
}

static MilterPacketState
too_long(guint32 announced, gsize limit, GError **error)
{
    error_fail(error, REPLYMILTER_ERROR_LIMIT,
               "a milter packet of %" G_GUINT32_FORMAT " octets; at most %" G_GSIZE_FORMAT
               " are taken",
               announced, limit + 1);
    return MILTER_PACKET_BROKEN;
}

MilterPacketState
milter_packet_decode(const char *octets, gsize length, gsize limit, MilterPacket *found,
                     GError **error)
{
    g_assert(limit < G_MAXINT32);
    *found = (MilterPacket){0};
    if (length < MILTER_LONG_SIZE)
        return MILTER_PACKET_MORE;
    guint32 announced = milter_long_read(octets);
    if (announced == 0) {
        error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                   "not of the milter protocol: a packet of no octets");
        return MILTER_PACKET_BROKEN;
    }
    if (announced - 1 > limit)
        return too_long(announced, limit, error);
    found->size = MILTER_LONG_SIZE + (gsize)announced;
    if (length < found->size)
        return MILTER_PACKET_MORE;
    found->code = octets[MILTER_LONG_SIZE];
    found->data = octets + MILTER_PACKET_HEAD;
    found->length = (gsize)announced - 1;
    return MILTER_PACKET_WHOLE;
}

gsize
milter_packet_append(GString *out, char code, const char *data, gsize length)
{
    gsize begun = milter_packet_begin(out, code);
    if (length > 0)
        g_string_append_len(out, data, (gssize)length);
    return milter_packet_end(out, begun);
}

gsize
milter_packet_begin(GString *out, char code)
{
    gsize begun = out->len;
    milter_long_append(out, 0);
    g_string_append_c(out, code);
    return begun;
}

gsize
milter_packet_end(GString *out, gsize begun)
{
    gsize length = out->len - begun - MILTER_PACKET_HEAD;
    guint32 announced = GUINT32_TO_BE((guint32)length + 1);
    g_assert(length < G_MAXINT32);
    memcpy(out->str + begun, &announced, sizeof announced);
    return length;
}

guint32
milter_long_read(const char *octets)
{
    guint32 network;
    memcpy(&network, octets, sizeof network);
    return GUINT32_FROM_BE(network);
}

void
milter_long_append(GString *out, guint32 number)
{
    guint32 network = GUINT32_TO_BE(number);
    g_string_append_len(out, (const char *)&network, sizeof network);
}
