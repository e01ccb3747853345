/*
 * milter_cases: what the tests of commands and of answers do with each of their examples.
 */
#pragma once

#include "test_support.h"

#include "base/error.h"
#include "milter_samples.h"

/* A packet that must be refused. */
typedef struct {
    char code;
    const char *data;
    gsize length;     /* of data */
    const char *said; /* in the error */
} MilterFault;

/* Does this parse? It then must be the same when it is written once more. */
typedef gboolean (*MilterTrial)(const MilterPacket *packet, GError **error);

static inline void
assert_same_string(const char *got, const char *wanted)
{
    if (wanted == NULL)
        assert_null(got);
    else
        assert_string_equal(got, wanted);
}

/* FALSE: refused, by an error of the right kind that says `said`. */
static inline gboolean
taken(MilterTrial trial, char code, const char *data, gsize length, const char *said)
{
    g_autofree char *copy = NULL;
    g_autoptr(GError) error = NULL;
    MilterPacket packet = sample_packet(code, data, length, &copy);

    if (trial(&packet, &error)) {
        assert_null(error);
        return TRUE;
    }
    assert_true(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL));
    assert_non_null(strstr(error->message, said));
    return FALSE;
}

static inline void
assert_refused(MilterTrial trial, const MilterFault *faults, gsize count)
{
    for (gsize i = 0; i < count; i++)
        assert_false(
            taken(trial, faults[i].code, faults[i].data, faults[i].length, faults[i].said));
}

/* `wire`: a whole packet. How many prefixes of its data are taken? */
static inline guint
taken_shorter(MilterTrial trial, const char *wire, gsize length)
{
    char code = wire[MILTER_LONG_SIZE];
    guint count = 0;
    for (gsize size = MILTER_PACKET_HEAD; size < length; size++)
        count += taken(trial, code, wire + MILTER_PACKET_HEAD, size - MILTER_PACKET_HEAD,
                       milter_code_name(code))
                     ? 1
                     : 0;
    return count;
}

/* Is the packet taken with one more octet in it? */
static inline gboolean
taken_longer(MilterTrial trial, const char *wire, gsize length)
{
    g_autoptr(GString) longer = g_string_new_len(wire, (gssize)length);
    char code = wire[MILTER_LONG_SIZE];
    g_string_append_c(longer, 'x');
    return taken(trial, code, longer->str + MILTER_PACKET_HEAD, longer->len - MILTER_PACKET_HEAD,
                 milter_code_name(code));
}
