/*
 * What a filter or an MTA may send by the milter protocol: packets with commands, answers and
 * negotiations.
 */
#include <stdint.h>
#include <string.h>

#include "../unit/milter_samples.h"
#include "wire/milter_answer.h"
#include "wire/milter_negotiation.h"
#include "wire/milter_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = MILTER_DATA_MAX };

/* A packet that was written once more is the one that was read; a text may have gained its NUL. */
static void
check_same(const GString *again, const MilterPacket *packet, gboolean text)
{
    MilterPacket decoded;
    g_assert(milter_packet_decode(again->str, again->len, LIMIT + 1, &decoded, NULL) ==
             MILTER_PACKET_WHOLE);
    g_assert(decoded.size == again->len && decoded.code == packet->code);
    g_assert(decoded.length == packet->length || (text && decoded.length == packet->length + 1));
    g_assert(memcmp(decoded.data, packet->data, packet->length) == 0);
}

static void
check_command(const MilterPacket *packet)
{
    g_autoptr(GString) again = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    MilterCommand command;

    gboolean parsed = milter_command_parse(packet, &command, &error);
    g_assert(parsed == (error == NULL));
    if (!parsed || command.code == MILTER_COMMAND_OPTNEG)
        return;
    sample_append_command(again, &command);
    check_same(again, packet, FALSE);
}

static void
check_answer(const MilterPacket *packet)
{
    g_autoptr(GString) again = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    MilterAnswer answer;

    gboolean parsed = milter_answer_parse(packet, &answer, &error);
    g_assert(parsed == (error == NULL));
    if (!parsed)
        return;
    g_assert(milter_answer_kind(answer.code) != MILTER_ANSWER_IS_UNKNOWN);
    milter_answer_append(again, &answer);
    check_same(again, packet,
               answer.code == MILTER_ANSWER_REPLYCODE || answer.code == MILTER_ANSWER_QUARANTINE);
}

/* Lists of macros may be put in order, but nothing is added. */
static void
check_negotiation(const MilterPacket *packet)
{
    g_autoptr(GString) again = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_auto(MilterNegotiation) offer = milter_negotiation_offer(MILTER_VERSION_MAX);
    g_auto(MilterNegotiation) answer;

    gboolean parsed = milter_negotiation_parse(packet, &answer, &error);
    g_assert(parsed == (error == NULL));
    if (!parsed)
        return;
    g_assert(milter_negotiation_append(again, &answer) <= packet->length);
    if (milter_negotiation_settle(&offer, &answer, NULL)) {
        g_assert((answer.actions & ~offer.actions) == 0 && (answer.steps & ~offer.steps) == 0);
        g_assert(milter_steps_data_max(answer.steps) == MILTER_DATA_MAX);
    }
}

/* However the reads are split, a prefix is never taken for something else than the whole. */
static void
check_prefixes(const char *octets, const MilterPacket *whole)
{
    for (gsize length = 0; length < MIN(whole->size, 64); length++) {
        MilterPacket found;
        g_assert(milter_packet_decode(octets, length, LIMIT, &found, NULL) == MILTER_PACKET_MORE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *octets = (const char *)data;

    for (;;) {
        g_autoptr(GError) error = NULL;
        MilterPacket found;
        MilterPacketState state = milter_packet_decode(octets, size, LIMIT, &found, &error);
        g_assert((state == MILTER_PACKET_BROKEN) == (error != NULL));
        if (state != MILTER_PACKET_WHOLE)
            return 0;
        g_assert(found.size <= size && found.length <= LIMIT);
        check_prefixes(octets, &found);
        check_command(&found);
        check_answer(&found);
        check_negotiation(&found);
        octets += found.size;
        size -= found.size;
    }
}
