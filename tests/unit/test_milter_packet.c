/*
 * wire/milter_packet: where a packet begins and ends, at whichever octet the reads are split.
 */
#include <string.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "test_support.h"

#include "base/error.h"
#include "milter_samples.h"
#include "wire/milter_packet.h"

enum { LIMIT = 100 };

/* Decodes from a heap copy of just these octets. */
static MilterPacketState
decode(const char *octets, gsize length, MilterPacket *found, GError **error)
{
    g_autofree char *copy = g_memdup2(octets, length);
    MilterPacketState state = milter_packet_decode(copy, length, LIMIT, found, error);
    if (state == MILTER_PACKET_WHOLE)
        found->data = octets + (found->data - copy);
    return state;
}

static void
decodes_whole_ones(void **state)
{
    static const struct {
        const char *octets;
        gsize length;
        char code;
        const char *data;
        gsize data_length;
    } cases[] = {
        {OCTETS("\0\0\0\1Q"), 'Q', "", 0},           {OCTETS("\0\0\0\1c\0\0\0\1"), 'c', "", 0},
        {OCTETS("\0\0\0\4Ha.\0"), 'H', "a.", 3},     {OCTETS("\0\0\0\4B\0\0\0"), 'B', "\0\0", 3},
        {OCTETS("\0\0\0\2\0\xff"), '\0', "\xff", 1},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MilterPacket found;
        GError *error = NULL;
        assert_int_equal(decode(cases[i].octets, cases[i].length, &found, &error),
                         MILTER_PACKET_WHOLE);
        assert_null(error);
        assert_int_equal(found.code, cases[i].code);
        assert_int_equal(found.length, cases[i].data_length);
        assert_int_equal(found.size, cases[i].data_length + MILTER_PACKET_HEAD);
        assert_memory_equal(found.data, cases[i].data, cases[i].data_length);
    }
}

static void
asks_for_more_at_every_octet(void **state)
{
    static const char octets[] = "\0\0\0\x10Hmx.example.org";
    const gsize whole = sizeof octets; /* the literal's own NUL belongs to it */
    (void)state;
    for (gsize length = 0; length < whole; length++) {
        MilterPacket found;
        assert_int_equal(decode(octets, length, &found, NULL), MILTER_PACKET_MORE);
        assert_int_equal(found.size, length < MILTER_LONG_SIZE ? 0 : whole);
    }
    MilterPacket found;
    assert_int_equal(decode(octets, whole, &found, NULL), MILTER_PACKET_WHOLE);
    assert_string_equal(found.data, "mx.example.org");
}

static void
refuses_what_is_none(void **state)
{
    static const struct {
        const char *octets;
        gsize length;
        int code;
        const char *said;
    } cases[] = {
        {OCTETS("\0\0\0\0"), REPLYMILTER_ERROR_PROTOCOL, "a packet of no octets"},
        {OCTETS("\0\0\0\x66"), REPLYMILTER_ERROR_LIMIT, "of 102 octets; at most 101 are taken"},
        {OCTETS("\0\1\0\0"), REPLYMILTER_ERROR_LIMIT, "of 65536 octets"},
        {OCTETS("HTTP/1.1 400 Bad Request\r\n"), REPLYMILTER_ERROR_LIMIT, "of 1213486160 octets"},
        {OCTETS("\xff\xff\xff\xff"), REPLYMILTER_ERROR_LIMIT, "of 4294967295 octets"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (gsize length = 0; length <= cases[i].length; length++) {
            MilterPacket found;
            g_autoptr(GError) error = NULL;
            MilterPacketState got = decode(cases[i].octets, length, &found, &error);
            assert_int_equal(got, length < 4 ? MILTER_PACKET_MORE : MILTER_PACKET_BROKEN);
            if (got != MILTER_PACKET_BROKEN)
                continue;
            assert_true(g_error_matches(error, REPLYMILTER_ERROR, cases[i].code));
            assert_non_null(strstr(error->message, cases[i].said));
        }
}

static void
takes_as_much_as_it_said(void **state)
{
    g_autofree char *longest = g_strnfill(LIMIT, 'x');
    g_autoptr(GString) out = g_string_new("before");
    MilterPacket found;
    (void)state;
    assert_int_equal(milter_packet_append(out, 'B', longest, LIMIT), LIMIT);
    assert_memory_equal(out->str,
                        "before\0\0\0\x65"
                        "Bx",
                        12);
    assert_int_equal(decode(out->str + 6, out->len - 6, &found, NULL), MILTER_PACKET_WHOLE);
    assert_int_equal(found.length, LIMIT);
}

static void
names_each_code_once(void **state)
{
    static const char commands[] = "ABCDEHKLMNOQRTU", answers[] = "+-24abcdefhilmpqrsty";
    (void)state;
    for (int code = 0; code < 256; code++) {
        const char *name = milter_code_name((char)code);
        if (code != 0 && strchr(commands, code) != NULL)
            assert_true(g_str_has_prefix(name, "SMFIC_"));
        else if (code != 0 && strchr(answers, code) != NULL)
            assert_true(g_str_has_prefix(name, "SMFIR_"));
        else
            assert_null(name);
    }
    assert_string_equal(milter_code_name(MILTER_COMMAND_QUIT_NC), "SMFIC_QUIT_NC");
    assert_string_equal(milter_code_name(MILTER_ANSWER_ADDRCPT_PAR), "SMFIR_ADDRCPT_PAR");
}

/* The codes, and the names in messages, are those of Sendmail's header. */
static void
agrees_with_mfdef(void **state)
{
#define SAME(ours, theirs)                                                                         \
    assert_int_equal(ours, theirs);                                                                \
    assert_string_equal(milter_code_name(theirs), #theirs)

    (void)state;
    SAME(MILTER_COMMAND_ABORT, SMFIC_ABORT);
    SAME(MILTER_COMMAND_BODY, SMFIC_BODY);
    SAME(MILTER_COMMAND_CONNECT, SMFIC_CONNECT);
    SAME(MILTER_COMMAND_MACRO, SMFIC_MACRO);
    SAME(MILTER_COMMAND_BODYEOB, SMFIC_BODYEOB);
    SAME(MILTER_COMMAND_HELO, SMFIC_HELO);
    SAME(MILTER_COMMAND_QUIT_NC, SMFIC_QUIT_NC);
    SAME(MILTER_COMMAND_HEADER, SMFIC_HEADER);
    SAME(MILTER_COMMAND_MAIL, SMFIC_MAIL);
    SAME(MILTER_COMMAND_EOH, SMFIC_EOH);
    SAME(MILTER_COMMAND_OPTNEG, SMFIC_OPTNEG);
    SAME(MILTER_COMMAND_QUIT, SMFIC_QUIT);
    SAME(MILTER_COMMAND_RCPT, SMFIC_RCPT);
    SAME(MILTER_COMMAND_DATA, SMFIC_DATA);
    SAME(MILTER_COMMAND_UNKNOWN, SMFIC_UNKNOWN);
    SAME(MILTER_ANSWER_ADDRCPT, SMFIR_ADDRCPT);
    SAME(MILTER_ANSWER_DELRCPT, SMFIR_DELRCPT);
    SAME(MILTER_ANSWER_ADDRCPT_PAR, SMFIR_ADDRCPT_PAR);
    SAME(MILTER_ANSWER_SHUTDOWN, SMFIR_SHUTDOWN);
    SAME(MILTER_ANSWER_ACCEPT, SMFIR_ACCEPT);
    SAME(MILTER_ANSWER_REPLBODY, SMFIR_REPLBODY);
    SAME(MILTER_ANSWER_CONTINUE, SMFIR_CONTINUE);
    SAME(MILTER_ANSWER_DISCARD, SMFIR_DISCARD);
    SAME(MILTER_ANSWER_CHGFROM, SMFIR_CHGFROM);
    SAME(MILTER_ANSWER_CONN_FAIL, SMFIR_CONN_FAIL);
    SAME(MILTER_ANSWER_ADDHEADER, SMFIR_ADDHEADER);
    SAME(MILTER_ANSWER_INSHEADER, SMFIR_INSHEADER);
    SAME(MILTER_ANSWER_SETSYMLIST, SMFIR_SETSYMLIST);
    SAME(MILTER_ANSWER_CHGHEADER, SMFIR_CHGHEADER);
    SAME(MILTER_ANSWER_PROGRESS, SMFIR_PROGRESS);
    SAME(MILTER_ANSWER_QUARANTINE, SMFIR_QUARANTINE);
    SAME(MILTER_ANSWER_REJECT, SMFIR_REJECT);
    SAME(MILTER_ANSWER_SKIP, SMFIR_SKIP);
    SAME(MILTER_ANSWER_TEMPFAIL, SMFIR_TEMPFAIL);
    SAME(MILTER_ANSWER_REPLYCODE, SMFIR_REPLYCODE);
    assert_int_equal(MILTER_DATA_MAX, MILTER_MAX_DATA_SIZE);
    assert_int_equal(MILTER_CHUNK_MAX, MILTER_CHUNK_SIZE);
#undef SAME
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_whole_ones),   cmocka_unit_test(asks_for_more_at_every_octet),
        cmocka_unit_test(refuses_what_is_none), cmocka_unit_test(takes_as_much_as_it_said),
        cmocka_unit_test(names_each_code_once), cmocka_unit_test(agrees_with_mfdef),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
