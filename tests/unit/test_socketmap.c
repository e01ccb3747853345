/*
 * wire/socketmap: requests and answers, both ways.
 */
#include <string.h>

#include "test_support.h"

#include "base/error.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

static void
parses_requests(void **state)
{
    static const struct {
        const char *payload, *name, *key;
    } cases[] = {
        {"footer 550 5.1.1 <u@example.org>: no", "footer", "550 5.1.1 <u@example.org>: no"},
        {"reject 554-5.6.0 one\r\n554 5.6.0 two", "reject", "554-5.6.0 one\r\n554 5.6.0 two"},
        {"rbl ", "rbl", ""},
        {"x  two spaces", "x", " two spaces"},
        {"delivery gr\xc3\xbc\xff", "delivery", "gr\xc3\xbc\xff"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SocketmapRequest) request;
        gsize length = strlen(cases[i].payload);
        g_autofree char *payload = g_memdup2(cases[i].payload, length);
        assert_true(socketmap_request_parse(payload, length, &request, NULL));
        assert_string_equal(request.name, cases[i].name);
        assert_string_equal(request.key, cases[i].key);
    }
}

static void
refuses_what_is_no_request(void **state)
{
    static const struct {
        const char *payload;
        gsize length;
        const char *said;
    } cases[] = {
        {"", 0, "no space in it"},
        {"footer", 6, "no space in it: \"footer\""},
        {" key", 4, "nothing before the space: \" key\""},
        {"footer a\0b", 10, "a NUL octet in it"},
        {"fo\0ter ab", 9, "a NUL octet in it"},
        {"line\nfeed", 9, "\"line\\nfeed\""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SocketmapRequest) request;
        g_autoptr(GError) error = NULL;
        assert_false(socketmap_request_parse(cases[i].payload, cases[i].length, &request, &error));
        assert_true(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL));
        assert_non_null(strstr(error->message, cases[i].said));
        assert_null(request.name);
    }
}

static void
appends_requests(void **state)
{
    g_autoptr(GString) wire = g_string_new(NULL);
    (void)state;
    socketmap_request_append(wire, "footer", "550 5.1.1 x");
    assert_string_equal(wire->str, "18:footer 550 5.1.1 x,");
}

static void
appends_answers(void **state)
{
    static const struct {
        SocketmapStatus status;
        const char *text, *wire;
    } cases[] = {
        {SOCKETMAP_OK, "See https://mail.example.org/", "32:OK See https://mail.example.org/,"},
        {SOCKETMAP_NOTFOUND, NULL, "9:NOTFOUND ,"},
        {SOCKETMAP_TEMP, "why", "8:TEMP why,"},
        {SOCKETMAP_TIMEOUT, "why", "11:TIMEOUT why,"},
        {SOCKETMAP_PERM, "why", "8:PERM why,"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) wire = g_string_new(NULL);
        g_auto(SocketmapAnswer) answer;
        Netstring found;
        assert_int_equal(socketmap_answer_append(wire, cases[i].status, cases[i].text),
                         cases[i].status);
        assert_string_equal(wire->str, cases[i].wire);
        assert_int_equal(netstring_decode(wire->str, wire->len, SOCKETMAP_ANSWER_MAX, &found, NULL),
                         NETSTRING_WHOLE);
        assert_true(socketmap_answer_parse(found.payload, found.length, &answer, NULL));
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(answer.text, cases[i].text != NULL ? cases[i].text : "");
    }
}

static void
refuses_what_is_no_answer(void **state)
{
    static const char *const cases[] = {"", "OK", "ok yes", "MAYBE x", " x", "NOT\x1b[1mFOUND "};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SocketmapAnswer) answer;
        g_autoptr(GError) error = NULL;
        assert_false(socketmap_answer_parse(cases[i], strlen(cases[i]), &answer, &error));
        assert_true(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL));
        assert_null(strchr(error->message, '\x1b'));
    }
}

/* Postfix drops the connection at an answer that is longer than it takes. */
static void
never_appends_more_than_postfix_takes(void **state)
{
    static const struct {
        SocketmapStatus status, appended;
        gsize length, payload;
    } cases[] = {
        {SOCKETMAP_OK, SOCKETMAP_OK, SOCKETMAP_TEXT_MAX, SOCKETMAP_TEXT_MAX + 3},
        {SOCKETMAP_OK, SOCKETMAP_NOTFOUND, SOCKETMAP_TEXT_MAX + 1, 9},
        {SOCKETMAP_OK, SOCKETMAP_NOTFOUND, 2 * SOCKETMAP_TEXT_MAX, 9},
        {SOCKETMAP_PERM, SOCKETMAP_PERM, SOCKETMAP_TEXT_MAX + 1, SOCKETMAP_TEXT_MAX + 5},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strnfill(cases[i].length, 'x');
        g_autoptr(GString) wire = g_string_new(NULL);
        Netstring found;
        assert_int_equal(socketmap_answer_append(wire, cases[i].status, text), cases[i].appended);
        assert_int_equal(netstring_decode(wire->str, wire->len, SOCKETMAP_ANSWER_MAX, &found, NULL),
                         NETSTRING_WHOLE);
        assert_int_equal(found.length, cases[i].payload);
        assert_int_equal(found.size, wire->len);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_requests),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(appends_requests),
        cmocka_unit_test(appends_answers),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(never_appends_more_than_postfix_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
