/*
 * wire/netstring: what is taken, what is refused, at whichever octet the reads are split.
 */
#include <string.h>

#include "test_support.h"

#include "base/error.h"
#include "wire/netstring.h"

enum { LIMIT = 100 };

/* Decodes from a heap copy of just these octets, so that a sanitizer sees any look behind them. */
static NetstringState
decode(const char *data, gsize length, Netstring *found, GError **error)
{
    g_autofree char *copy = g_memdup2(data, length);
    NetstringState state = netstring_decode(copy, length, LIMIT, found, error);
    if (state == NETSTRING_WHOLE)
        found->payload = data + (found->payload - copy);
    return state;
}

static void
decodes_whole_ones(void **state)
{
    static const struct {
        const char *wire;
        gsize length; /* of wire */
        const char *payload;
        gsize payload_length, size;
    } cases[] = {
        {"0:,", 3, "", 0, 3},
        {"5:hello,", 8, "hello", 5, 8},
        {"5:hello,3:", 10, "hello", 5, 8},
        {"3:a\0b,", 6, "a\0b", 3, 6},
        {"4:1:,,,", 7, "1:,,", 4, 7},
        {"10:0123456789,", 14, "0123456789", 10, 14},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Netstring found;
        GError *error = NULL;
        assert_int_equal(decode(cases[i].wire, cases[i].length, &found, &error), NETSTRING_WHOLE);
        assert_null(error);
        assert_int_equal(found.length, cases[i].payload_length);
        assert_int_equal(found.size, cases[i].size);
        assert_memory_equal(found.payload, cases[i].payload, cases[i].payload_length);
    }
}

static void
asks_for_more_at_every_octet(void **state)
{
    static const char wire[] = "26:footer 550 5.1.1 not here.,";
    const gsize whole = sizeof wire - 1;
    (void)state;
    for (gsize length = 0; length < whole; length++) {
        Netstring found;
        assert_int_equal(decode(wire, length, &found, NULL), NETSTRING_MORE);
        assert_int_equal(found.size, length < 3 ? 0 : whole);
    }
    Netstring found;
    assert_int_equal(decode(wire, whole, &found, NULL), NETSTRING_WHOLE);
}

static void
refuses_what_is_none(void **state)
{
    static const struct {
        const char *wire;
        gsize fault; /* octets that must be there before it is seen */
        int code;
        const char *said;
    } cases[] = {
        {"hello", 1, REPLYMILTER_ERROR_PROTOCOL, "its length does not begin with a digit"},
        {":,", 1, REPLYMILTER_ERROR_PROTOCOL, "its length does not begin with a digit"},
        {" 1:a,", 1, REPLYMILTER_ERROR_PROTOCOL, "its length does not begin with a digit"},
        {"-1:a,", 1, REPLYMILTER_ERROR_PROTOCOL, "its length does not begin with a digit"},
        {"+1:a,", 1, REPLYMILTER_ERROR_PROTOCOL, "its length does not begin with a digit"},
        {"00:,", 2, REPLYMILTER_ERROR_PROTOCOL, "its length begins with a zero"},
        {"01:a,", 2, REPLYMILTER_ERROR_PROTOCOL, "its length begins with a zero"},
        {"1 :a,", 2, REPLYMILTER_ERROR_PROTOCOL, "no colon behind its length"},
        {"1;a,", 2, REPLYMILTER_ERROR_PROTOCOL, "no colon behind its length"},
        {"1\r\n", 2, REPLYMILTER_ERROR_PROTOCOL, "no colon behind its length: \"1\\r\\n\""},
        {"1:ab,", 4, REPLYMILTER_ERROR_PROTOCOL, "no comma behind its payload: \"b\""},
        {"0:\n", 3, REPLYMILTER_ERROR_PROTOCOL, "no comma behind its payload: \"\\n\""},
        {"101:", 3, REPLYMILTER_ERROR_LIMIT, "a netstring of 101 octets or more; at most 100"},
        {"99999999999999999999999999:", 3, REPLYMILTER_ERROR_LIMIT, "of 999 octets or more"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (gsize length = 0; length <= strlen(cases[i].wire); length++) {
            Netstring found;
            g_autoptr(GError) error = NULL;
            NetstringState got = decode(cases[i].wire, length, &found, &error);
            assert_int_equal(got, length < cases[i].fault ? NETSTRING_MORE : NETSTRING_BROKEN);
            if (got != NETSTRING_BROKEN) {
                assert_null(error);
                continue;
            }
            assert_true(g_error_matches(error, REPLYMILTER_ERROR, cases[i].code));
            if (length == strlen(cases[i].wire))
                assert_non_null(strstr(error->message, cases[i].said));
        }
    }
}

static void
takes_as_much_as_it_said(void **state)
{
    g_autofree char *longest = g_strnfill(LIMIT, 'x');
    g_autoptr(GString) wire = g_string_new(NULL);
    Netstring found;
    (void)state;
    netstring_append(wire, longest, -1);
    assert_int_equal(decode(wire->str, wire->len, &found, NULL), NETSTRING_WHOLE);
    assert_int_equal(found.length, LIMIT);
}

static void
appends_what_it_decodes(void **state)
{
    static const char octets[] = "a\0,:\n9\xff";
    g_autoptr(GString) wire = g_string_new(NULL);
    Netstring found;
    (void)state;
    netstring_append(wire, octets, sizeof octets - 1);
    netstring_append(wire, "", -1);
    assert_int_equal(decode(wire->str, wire->len, &found, NULL), NETSTRING_WHOLE);
    assert_int_equal(found.length, sizeof octets - 1);
    assert_memory_equal(found.payload, octets, sizeof octets - 1);
    assert_string_equal(wire->str + found.size, "0:,");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_whole_ones),      cmocka_unit_test(asks_for_more_at_every_octet),
        cmocka_unit_test(refuses_what_is_none),    cmocka_unit_test(takes_as_much_as_it_said),
        cmocka_unit_test(appends_what_it_decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
