/*
 * engine/fit, engine/milter_text: texts that fit the wire, and lose nothing that matters.
 */
#include <string.h>

#include "test_support.h"

#include "engine/fit.h"
#include "engine/milter_text.h"

static void
cleans(void **state)
{
    static const struct {
        const char *text, *clean, *utf8;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"  a\tb\r\nc \f", "a b  c", "a b  c"},
        {"a\x01\x7f", "a??", "a??"},
        {"gr\xc3\xbc\xc3\x9f dich", "gruss dich", "gr\xc3\xbc\xc3\x9f dich"},
        {"cafe\xcc\x81", "cafe", "cafe\xcc\x81"},
        {"\xe6\x97\xa5\xe6\x9c\xac x", "? x", "\xe6\x97\xa5\xe6\x9c\xac x"},
        {"bad \xff\xfe octets", "bad ? octets", "bad ? octets"},
        {"cut \xc3", "cut ?", "cut ?"},
        {"turn \xe2\x80\xae around", "turn ? around", "turn ? around"},
        {"line\xe2\x80\xa8separator", "line?separator", "line?separator"},
        {"what??550 x", "what?? 550 x", "what?? 550 x"},
        {"says__451 x", "says__ 451 x", "says__ 451 x"},
        {"\xff\xfe"
         "550",
         "?550", "?550"},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = fit_clean(cases[i].text, FALSE);
        g_autofree char *utf8 = fit_clean(cases[i].text, TRUE);
        g_autofree char *again = fit_clean(clean, FALSE);
        assert_string_equal(clean, cases[i].clean);
        assert_string_equal(utf8, cases[i].utf8);
        assert_string_equal(again, clean);
    }
}

static char *
wrapped(const char *text, gsize first, gsize other)
{
    g_autoptr(GPtrArray) lines = fit_wrap(text, (FitWidth){first, other});
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("|", (char **)lines->pdata);
}

static void
wraps_at_words(void **state)
{
    static const struct {
        gsize first, other;
        const char *text, *lines;
    } cases[] = {
        {10, 10, "short", "short"},
        {10, 10, "exactly 10", "exactly 10"},
        {10, 10, "exactly 10 and", "exactly 10|and"},
        {10, 10, "one two three four", "one two|three four"},
        {5, 10, "one two three four", "one|two three|four"},
        {10, 10, "abcdefghijklmno", "abcdefghij|klmno"},
        {10, 10, "a bcdefghijklmno", "a|bcdefghijk|lmno"},
        {10, 10, "a  b          c", "a  b|c"},
        {10, 30, "see https://example.org/abc now", "see|https://example.org/abc now"},
        {10, 23, "https://example.org/abc now", "https://example.org/abc|now"},
        {10, 10, "see https://example.org/abc now", "see|(link too long)|now"},
        {6, 6, "aaaa\xc3\xbc\xc3\xbc", "aaaa\xc3\xbc|\xc3\xbc"},
        {5, 5, "aaaa\xc3\xbc\xc3\xbc", "aaaa|\xc3\xbc\xc3\xbc"},
        {10, 10, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *lines = wrapped(cases[i].text, cases[i].first, cases[i].other);
        assert_string_equal(lines, cases[i].lines);
    }
}

/* libmilter counts the doubled '%', and refuses the whole reply above 980. */
static void
leaves_room_for_doubled_percents(void **state)
{
    (void)state;
    char text[501];
    memset(text, '%', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    g_autoptr(GPtrArray) lines = fit_wrap(text, (FitWidth){500, 500});
    assert_int_equal(lines->len, 2);
    assert_int_equal(strlen(lines->pdata[0]), FIT_MAX_MILTER_TEXT / 2);
}

static void
knows_the_width(void **state)
{
    const EnhancedStatus status = {5, 7, 1};
    (void)state;
    FitWidth width = fit_width(550, status, NULL);
    assert_int_equal(width.first, 512 - 2 - 4 - 6);
    assert_int_equal(width.other, width.first);
    LintContext context = {.stage = SMTP_STAGE_RCPT, .address = "user@example.org"};
    width = fit_width(550, status, &context);
    assert_int_equal(width.first, 500 - strlen("<user@example.org>... "));
    assert_int_equal(width.other, 500);
    context.stage = SMTP_STAGE_EOM;
    assert_int_equal(fit_width(550, ENHANCED_STATUS_NONE, &context).first, 506);
}

static SmtpReply *
reply_of_words(guint lines, guint words)
{
    SmtpReply *reply = smtp_reply_new(550, (EnhancedStatus){5, 7, 1}, "first");
    for (guint i = 1; i < lines; i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (guint j = 0; j < words; j++)
            g_string_append_printf(text, "%sword%u", j > 0 ? " " : "", i * 1000 + j);
        smtp_reply_add_line(reply, text->str);
    }
    return reply;
}

static void
joins_short_lines(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply = reply_of_words(40, 3);
    g_autofree char *before = smtp_reply_text(reply);
    fit_reply(reply, NULL, NULL);
    assert_true(smtp_reply_line_count(reply) <= FIT_MAX_LINES);
    g_autofree char *after = smtp_reply_text(reply);
    assert_string_equal(after, before);
}

static void
cuts_what_is_too_much(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply = reply_of_words(150, 50);
    fit_reply(reply, NULL, NULL);
    assert_int_equal(smtp_reply_line_count(reply), FIT_MAX_LINES);
    assert_true(g_str_has_suffix(smtp_reply_line(reply, FIT_MAX_LINES - 1)->text, " ..."));
    for (guint i = 0; i < FIT_MAX_LINES; i++)
        assert_true(strlen(smtp_reply_line(reply, i)->text) <= 500);
}

static char *
added(const char *const *lines, guint kept)
{
    g_autoptr(SmtpReply) reply = smtp_reply_new(550, (EnhancedStatus){5, 7, 1}, "no");
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (; *lines != NULL; lines++)
        g_ptr_array_add(all, (gpointer)*lines);
    g_autoptr(GPtrArray) fitting = fit_added_lines(reply, all, kept);
    g_ptr_array_add(fitting, NULL);
    return g_strjoinv("|", (char **)fitting->pdata);
}

static void
adds_three_lines_at_most(void **state)
{
    const char *const four[] = {"one", "two", "three", "Reference: X", NULL};
    const char *const none[] = {NULL};
    (void)state;
    g_autofree char *without = added(four, 0);
    assert_string_equal(without, "one|two|three");
    g_autofree char *with = added(four, 1);
    assert_string_equal(with, "one|two|Reference: X");
    g_autofree char *nothing = added(none, 1);
    assert_string_equal(nothing, "");
}

static void
adds_400_octets_at_most(void **state)
{
    (void)state;
    g_autoptr(GString) words = g_string_new("Start");
    while (words->len < 600)
        g_string_append(words, " word");
    g_autofree char *link = g_strdup_printf("https://example.org/%0400d", 1);
    const char *const lines[] = {words->str, link, "Reference: X", NULL};
    g_autofree char *result = added(lines, 1);
    assert_true(g_str_has_prefix(result, "Start word"));
    assert_true(g_str_has_suffix(result, "word ...|Reference: X"));
    assert_true(strlen(result) - strlen("|") + 2 * 12 <= FIT_MAX_ADDED_OCTETS);
    assert_null(strstr(result, "https"));
}

static void
adds_nothing_to_a_full_reply(void **state)
{
    (void)state;
    g_autoptr(SmtpReply) reply = reply_of_words(FIT_MAX_LINES, 1);
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    g_ptr_array_add(lines, (gpointer) "one more");
    g_autoptr(GPtrArray) none = fit_added_lines(reply, lines, 0);
    assert_int_equal(none->len, 0);
}

static void
doubles_percents(void **state)
{
    static const struct {
        const char *raw, *unescaped;
        gssize lone;
    } cases[] = {
        {"100%% sure", "100% sure", -1},
        {"100% sure", "100% sure", 3},
        {"%%%", "%%", 2},
        {"%%%%", "%%", -1},
        {"%", "%", 0},
        {"", "", -1},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *unescaped = milter_text_unescape(cases[i].raw);
        g_autofree char *escaped = milter_text_escape(unescaped);
        g_autofree char *again = milter_text_unescape(escaped);
        assert_string_equal(unescaped, cases[i].unescaped);
        assert_string_equal(again, unescaped);
        assert_int_equal(milter_text_lone_percent(cases[i].raw, strlen(cases[i].raw)),
                         cases[i].lone);
        assert_int_equal(milter_text_lone_percent(escaped, strlen(escaped)), -1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans),
        cmocka_unit_test(wraps_at_words),
        cmocka_unit_test(leaves_room_for_doubled_percents),
        cmocka_unit_test(knows_the_width),
        cmocka_unit_test(joins_short_lines),
        cmocka_unit_test(cuts_what_is_too_much),
        cmocka_unit_test(adds_three_lines_at_most),
        cmocka_unit_test(adds_400_octets_at_most),
        cmocka_unit_test(adds_nothing_to_a_full_reply),
        cmocka_unit_test(doubles_percents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
