/*
 * What a connection to the tables may bring: netstrings with requests, and answers to a client.
 */
#include <stdint.h>
#include <string.h>

#include "wire/netstring.h"
#include "wire/socketmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 4096 };

/* What was understood must be the same when it has been sent once more. */
static void
check_request(const Netstring *found)
{
    g_auto(SocketmapRequest) request;
    g_autoptr(GString) again = g_string_new(NULL);
    Netstring decoded;

    if (!socketmap_request_parse(found->payload, found->length, &request, NULL))
        return;
    socketmap_request_append(again, request.name, request.key);
    g_assert(netstring_decode(again->str, again->len, LIMIT, &decoded, NULL) == NETSTRING_WHOLE);
    g_assert(decoded.length == found->length);
    g_assert(memcmp(decoded.payload, found->payload, found->length) == 0);
}

static void
check_answer(const Netstring *found)
{
    g_auto(SocketmapAnswer) answer;
    g_autoptr(GString) again = g_string_new(NULL);
    Netstring decoded;

    if (!socketmap_answer_parse(found->payload, found->length, &answer, NULL))
        return;
    socketmap_answer_append(again, answer.status, answer.text);
    g_assert(netstring_decode(again->str, again->len, LIMIT, &decoded, NULL) == NETSTRING_WHOLE);
    g_assert(decoded.length == found->length);
}

/* However the reads are split, a prefix is never taken for something else than the whole. */
static void
check_prefixes(const char *text, const Netstring *whole)
{
    for (gsize length = 0; length < MIN(whole->size, 64); length++) {
        Netstring found;
        g_assert(netstring_decode(text, length, LIMIT, &found, NULL) == NETSTRING_MORE);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    for (;;) {
        g_autoptr(GError) error = NULL;
        Netstring found;
        NetstringState state = netstring_decode(text, size, LIMIT, &found, &error);
        g_assert((state == NETSTRING_BROKEN) == (error != NULL));
        if (state != NETSTRING_WHOLE)
            return 0;
        g_assert(found.size <= size && found.length <= LIMIT);
        check_prefixes(text, &found);
        check_request(&found);
        check_answer(&found);
        text += found.size;
        size -= found.size;
    }
}
