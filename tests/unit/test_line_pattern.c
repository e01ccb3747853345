/*
 * classify/line_pattern: what lines match, and what stands for what.
 */
#include <string.h>

#include "test_support.h"

#include "classify/line_pattern.h"

static char *
piece_text(LinePiece piece)
{
    return piece.start != NULL ? g_strndup(piece.start, piece.length) : g_strdup("-");
}

/* "address|host|code|text", "-" for what there is not; "no" if the line does not match. */
static char *
matched(const char *pattern_text, const char *text)
{
    g_autoptr(LinePattern) pattern = line_pattern_new(pattern_text, NULL);
    assert_non_null(pattern);
    g_autofree char *lower = g_ascii_strdown(text, -1);
    Line line = {text, lower, strlen(text), FALSE};
    LineMatch match;
    if (!line_pattern_match(pattern, &line, &match))
        return g_strdup("no");
    g_autofree char *address = piece_text(match.address), *host = piece_text(match.host);
    g_autofree char *code = piece_text(match.code), *said = piece_text(match.text);
    return g_strdup_printf("%s|%s|%s|%s", address, host, code, said);
}

static void
matches_lines(void **state)
{
    static const struct {
        const char *pattern, *line, *match;
    } cases[] = {
        {"<{address}>:{text}", "<a@b.example>:", "a@b.example|-|-|"},
        {"<{address}>:{text}", "<a@b.example>: 550 no", "a@b.example|-|-| 550 no"},
        {"<{address}>:{text}", "<a>: 550 no", "no"},
        {"<{user}>:{text}", "<a>: 550 no", "a|-|-| 550 no"},
        {"<{user}>", "<a b>", "no"},
        {"{address}", "a@b.example", "a@b.example|-|-|-"},
        {"{address}", "a@b.example x", "no"},
        {"{address}", "a@b", "a@b|-|-|-"},
        {"{address}", "a@[192.0.2.1]", "a@[192.0.2.1]|-|-|-"},
        {"{address}", "\"a b\"@c.example", "\"a b\"@c.example|-|-|-"},
        {"{address}", "@relay.example:a@b.example", "@relay.example:a@b.example|-|-|-"},
        {"{address}", "@b.example", "no"},
        {"{address}", "a@", "no"},
        {"{address}. reason: {text}", "a@b.example. Reason: none", "a@b.example|-|-|none"},
        {"{address} on {*}", "A@B.example  on\tMonday", "A@B.example|-|-|-"},
        {"{*}{address}{*}", "to <a@b.example>, please", "a@b.example|-|-|-"},
        {"{*}{address}{*}", "'a@b.example'", "a@b.example|-|-|-"},
        {"{*}{address}{*}",
         "\xe6\x94\xb6\xe4\xbb\xb6"
         "a@b.example\xe3\x80\x82",
         "a@b.example|-|-|-"},
        {"{address}",
         "\xe6\x94\xb6\xef\xbc\x9a"
         "a@b.example",
         "no"},
        {"{*}{address}{*}", "nobody", "no"},
        {"{*}<{address}>{*}", "from <here> to <a@b.example> now", "a@b.example|-|-|-"},
        {"{addresses}", "<a@b.example>, c@d.example;e@f.example",
         "<a@b.example>, c@d.example;e@f.example|-|-|-"},
        {"to: {addresses}", "To: a@b.example and c@d.example", "no"},
        {"host {host} [{*}]: {text}", "host mx.example [192.0.2.1]: 550 a: b",
         "-|mx.example|-|550 a: b"},
        {"{host} does not like recipient.", "192.0.2.1 does not like recipient.",
         "-|192.0.2.1|-|-"},
        {"talking to {host}:", "talking to [192.0.2.1]:", "-|[192.0.2.1]|-|-"},
        {"{code}{text}", "550 no", "-|-|550| no"},
        {"{code}{text}", "550-5.7.1 no", "-|-|550-5.7.1| no"},
        {"{code}{text}", "550 5.1.1.1 no", "-|-|550| 5.1.1.1 no"},
        {"{code}{text}", "5501 no", "no"},
        {"{code}{text}", "150 no", "no"},
        {"{code} <{user}>... {text}", "550 5.1.1 <a@b.example>... no",
         "a@b.example|-|550 5.1.1|no"},
        {"{code} {user}... {text}", "550 a... no... really", "a|-|550|no... really"},
        {"(reason: {text})", "(reason: 550 (no))", "-|-|-|550 (no)"},
        {"returned '{text}'", "Returned 'it's no'", "-|-|-|it's no"},
        {"x{*}y{*}z", "x y y z", "-|-|-|-"},
        {"reason: {text}", "Reason:", "-|-|-|"},
        {"{*}undeliver{*}", "Undeliverable: x", "-|-|-|-"},
        {"<>", "<>", "-|-|-|-"},
        {"a", "", "no"},
        {"{text}", "", "-|-|-|"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *match = matched(cases[i].pattern, cases[i].line);
        if (strcmp(match, cases[i].match) != 0)
            print_message("\"%s\" on \"%s\"\n", cases[i].pattern, cases[i].line);
        assert_string_equal(match, cases[i].match);
    }
    (void)state;
}

static void
refuses_what_it_cannot_read(void **state)
{
    static const char *const cases[] = {"", "{", "{address", "{adress}", "x {} y"};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(LinePattern) pattern = line_pattern_new(cases[i], &error);
        assert_null(pattern);
        assert_non_null(error);
    }
    (void)state;
}

static void
reads_no_further_than_its_limit(void **state)
{
    g_autoptr(GString) line = g_string_new(NULL);
    while (line->len < 4 * LINE_OCTETS)
        g_string_append(line, "<<<@@@...");
    g_autofree char *none = matched("{*}<{address}>... {*}<{address}>{text}... {*}", line->str);
    assert_string_equal(none, "no");
    g_string_insert(line, LINE_OCTETS, "<a@b.example>");
    g_autofree char *beyond = matched("{*}<{address}>{*}", line->str);
    assert_string_equal(beyond, "no");
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_lines),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(reads_no_further_than_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
