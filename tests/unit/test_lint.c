/*
 * engine/lint, engine/repair: each rule is found, named, explained and repaired, and a repaired
 * reply has no finding.
 */
#include <string.h>

#include "test_support.h"

#include "engine/fit.h"
#include "engine/lint.h"
#include "engine/milter_text.h"
#include "engine/repair.h"

/* What is on the wire after a repair, as the context demands it. */
static char *
wire_of(const SmtpReply *reply, const LintContext *context)
{
    char *wire = smtp_reply_to_wire(reply);
    if (!context->milter_text)
        return wire;
    char *escaped = milter_text_escape(wire);
    g_free(wire);
    return escaped;
}

static char *
names_of(const GPtrArray *findings)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < findings->len; i++) {
        const LintFinding *finding = g_ptr_array_index(findings, i);
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "", lint_rule_name(finding->rule));
        assert_true(g_str_has_suffix(finding->sentence, "."));
        assert_true(g_str_has_suffix(finding->repair, "."));
        assert_true(g_ascii_isprint(*finding->sentence));
    }
    return g_strdup(names->str);
}

static void
check_repaired(const char *wire, const LintContext *context)
{
    g_autoptr(GPtrArray) findings = lint_reply(wire, -1, context);
    g_autofree char *names = names_of(findings);
    if (findings->len > 0)
        print_error("repaired: %s\n", wire);
    assert_string_equal(names, "");
    g_autoptr(SmtpReply) again = repair_text(wire, -1, context, NULL);
    g_autofree char *rewired = wire_of(again, context);
    assert_string_equal(rewired, wire);
}

static void
check_case(const char *raw, gssize length, const LintContext *context, const char *names,
           const char *wire)
{
    g_autoptr(GPtrArray) findings = lint_reply(raw, length, context);
    g_autofree char *found = names_of(findings);
    g_autoptr(SmtpReply) repaired = repair_text(raw, length, context, NULL);
    g_autofree char *repaired_wire = wire_of(repaired, context);
    if (strcmp(found, names) != 0 || strcmp(repaired_wire, wire) != 0)
        print_error("input: %s\n", raw);
    assert_string_equal(found, names);
    assert_string_equal(repaired_wire, wire);
    check_repaired(repaired_wire, context);
}

typedef struct {
    const char *raw;
    SmtpStage stage;
    const char *names; /* of the findings, in order */
    const char *wire;  /* repaired */
} LintCase;

static void
check_cases(const LintCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        LintContext context = {.stage = cases[i].stage};
        check_case(cases[i].raw, -1, &context, cases[i].names, cases[i].wire);
    }
}

static void
leaves_what_is_right(void **state)
{
    static const LintCase cases[] = {
        {"550 5.1.1 <a@b.example>: User unknown", SMTP_STAGE_RCPT, "",
         "550 5.1.1 <a@b.example>: User unknown"},
        {"450-4.7.1 one\r\n450 4.7.1 two", SMTP_STAGE_RCPT, "", "450-4.7.1 one\r\n450 4.7.1 two"},
        {"554 5.7.1 100% refused", SMTP_STAGE_EOM, "", "554 5.7.1 100% refused"},
        {"554 mx.example.org no service", SMTP_STAGE_CONNECT, "", "554 mx.example.org no service"},
        {"421 4.7.0 too many connections", SMTP_STAGE_CONNECT, "",
         "421 4.7.0 too many connections"},
        {"550 HELO refused", SMTP_STAGE_HELO, "", "550 HELO refused"},
        {"354 go ahead", SMTP_STAGE_DATA, "", "354 go ahead"},
        {"250 2.1.5 fine", SMTP_STAGE_RCPT, "", "250 2.1.5 fine"},
        {"535 5.7.8 authentication failed", SMTP_STAGE_AUTH, "", "535 5.7.8 authentication failed"},
        {"550 5.7.1 version 3.02.17 and 5.7 megabytes", SMTP_STAGE_RCPT, "",
         "550 5.7.1 version 3.02.17 and 5.7 megabytes"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
repairs_the_class(void **state)
{
    static const LintCase cases[] = {
        {"550 4.7.1 no", SMTP_STAGE_RCPT, "class-mismatch", "550 5.7.1 no"},
        {"451 5.7.1 later", SMTP_STAGE_RCPT, "class-mismatch", "451 4.7.1 later"},
        {"550 4.7.23 SPF", SMTP_STAGE_EOM, "class-mismatch", "550 5.7.23 SPF"},
        {"550 2.0.0 ok?", SMTP_STAGE_RCPT, "class-mismatch", "550 5.0.0 ok?"},
        {"250 5.1.5 fine", SMTP_STAGE_RCPT, "class-mismatch", "250 2.1.5 fine"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
repairs_the_status(void **state)
{
    static const LintCase cases[] = {
        {"550 sorry, no such mailbox (#5.1.1)", SMTP_STAGE_RCPT, "status-missing",
         "550 5.1.1 sorry, no such mailbox (#5.1.1)"},
        {"550 5.7.1234 no", SMTP_STAGE_RCPT, "status-missing status-malformed", "550 5.7.1 no"},
        {"550 5.07.1 no", SMTP_STAGE_RCPT, "status-missing status-malformed", "550 5.7.1 no"},
        {"354 2.0.0 go", SMTP_STAGE_DATA, "status-misplaced", "354 go"},
        {"250 2.0.0 mx.example.org", SMTP_STAGE_HELO, "status-misplaced", "250 mx.example.org"},
        {"354 2.0.0 2.0.0 go", SMTP_STAGE_DATA, "status-misplaced status-misplaced", "354 go"},
        {"553 5.6.10 no", SMTP_STAGE_RCPT, "status-deprecated", "553 5.6.8 no"},
        {"450 5.6.10 no", SMTP_STAGE_RCPT, "class-mismatch status-deprecated", "450 4.6.8 no"},
        {"550 5.7.1 5.7.1 no", SMTP_STAGE_RCPT, "status-twice", "550 5.7.1 no"},
        {"550 5.7.1 #5.7.1: no", SMTP_STAGE_RCPT, "status-twice", "550 5.7.1 no"},
        {"550 5.7.1 5.1.1 kept", SMTP_STAGE_RCPT, "", "550 5.7.1 5.1.1 kept"},
        {"550-5.1.1 a\r\n550 5.7.1 b", SMTP_STAGE_RCPT, "statuses-differ",
         "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550-5.1.1 a\r\n550 b", SMTP_STAGE_RCPT, "statuses-differ", "550-5.1.1 a\r\n550 5.1.1 b"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
repairs_the_code(void **state)
{
    static const LintCase cases[] = {
        {"650 5.7.1 no", SMTP_STAGE_RCPT, "code-unknown", "550 5.7.1 no"},
        {"999 5.1.1 no", SMTP_STAGE_RCPT, "code-unknown", "550 5.1.1 no"},
        {"099-4.2.2 full", SMTP_STAGE_RCPT, "code-unknown", "450 4.2.2 full"},
        {"999-5.1.1 no\r\n999 5.1.1 one", SMTP_STAGE_RCPT, "code-unknown",
         "550-5.1.1 no\r\n550 5.1.1 one"},
        {"5.1.1 no", SMTP_STAGE_RCPT, "code-missing", "550 5.1.1 no"},
        {"650 4.7.1 no", SMTP_STAGE_RCPT, "code-unknown", "450 4.7.1 no"},
        {"599 5.7.1 no", SMTP_STAGE_EOM, "code-unknown", "554 5.7.1 no"},
        {"5.1.1 unknown", SMTP_STAGE_RCPT, "code-missing", "550 5.1.1 unknown"},
        {"4.2.2 full", SMTP_STAGE_EOM, "code-missing", "451 4.2.2 full"},
        {"354 x", SMTP_STAGE_RCPT, "", "354 x"},
        {"551 5.1.6 moved", SMTP_STAGE_EOM, "code-at-stage", "554 5.1.6 moved"},
        {"530 5.7.0 login", SMTP_STAGE_AUTH, "", "530 5.7.0 login"},
        {"550-5.7.1 a\r\n551 5.7.1 b", SMTP_STAGE_RCPT, "codes-differ",
         "551-5.7.1 a\r\n551 5.7.1 b"},
        {"550-5.7.1 a\r\nb\r\n550 5.7.1 c", SMTP_STAGE_RCPT, "line-code-missing statuses-differ",
         "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1 c"},
        {"421 4.7.0 go away", SMTP_STAGE_RCPT, "hangup", "450 4.7.0 go away"},
        {"421 4.7.0 go away", SMTP_STAGE_EOM, "hangup", "451 4.7.0 go away"},
        {"521 5.7.1 bye", SMTP_STAGE_MAIL, "hangup", "550 5.7.1 bye"},
        {"521 5.7.1 bye", SMTP_STAGE_EOM, "hangup", "554 5.7.1 bye"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
repairs_the_lines(void **state)
{
    static const LintCase cases[] = {
        {"550-5.7.1 a\r550 5.7.1 b", SMTP_STAGE_RCPT, "bare-cr", "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550-5.7.1 a\n550 5.7.1 b", SMTP_STAGE_RCPT, "bare-lf", "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550 5.7.1 a\r\n", SMTP_STAGE_RCPT, "line-end", "550 5.7.1 a"},
        {"550-5.7.1 a\r\n\r\n550 5.7.1 b", SMTP_STAGE_RCPT, "line-code-missing",
         "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550 5.7.1 a\r\n550 5.7.1 b", SMTP_STAGE_RCPT, "line-mark", "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550-5.7.1 a\r\n550-5.7.1 b", SMTP_STAGE_RCPT, "line-mark", "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550-5.7.1 a", SMTP_STAGE_RCPT, "line-mark", "550 5.7.1 a"},
        {"550#5.7.1 a", SMTP_STAGE_RCPT, "line-mark", "550 5.7.1 a"},
        {"550-5.7.1 a 550 5.7.1 b", SMTP_STAGE_RCPT, "line-mark", "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550-5.7.1 a\r\n550-5.7.1\r\n550 5.7.1 b", SMTP_STAGE_RCPT, "text-empty",
         "550-5.7.1 a\r\n550 5.7.1 b"},
        {"550 5.7.1 bell\a", SMTP_STAGE_RCPT, "control-octet", "550 5.7.1 bell?"},
        {"550 5.7.1 a\tb", SMTP_STAGE_RCPT, "", "550 5.7.1 a b"},
        {"550 5.7.1 gr\xc3\xbcn", SMTP_STAGE_RCPT, "8-bit-octet", "550 5.7.1 grun"},
        {"550 5.7.1 \xe9t\xe9", SMTP_STAGE_RCPT, "8-bit-octet", "550 5.7.1 ?t?"},
        {"550 5.7.1 a\r\n250 2.0.0 sent", SMTP_STAGE_RCPT, "codes-differ line-mark statuses-differ",
         "250-2.0.0 a\r\n250 2.0.0 sent"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
finds_nul(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT};
    (void)state;
    check_case("550 5.7.1 a\0b", 13, &context, "control-octet", "550 5.7.1 a b");
}

static void
gives_words(void **state)
{
    static const char *const empty[] = {
        "550 5.7.1", "550-5.7.1 \r\n550 5.7.1 ", "550",
        "550 ",      "550 5.7.1 5.7.1",          "550 5.7.1 \xe6\x97\xa5"};
    const LintContext context = {.stage = SMTP_STAGE_RCPT};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(empty); i++) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        g_autoptr(SmtpReply) reply = repair_text(empty[i], -1, &context, names);
        assert_true(g_ptr_array_find(names, lint_rule_name(LINT_TEXT_EMPTY), NULL));
        assert_int_equal(smtp_reply_line_count(reply), 1);
        assert_true(g_ascii_isalpha(smtp_reply_line(reply, 0)->text[0]));
        g_autofree char *wire = smtp_reply_to_wire(reply);
        check_repaired(wire, &context);
    }
}

static void
hangs_up_where_that_is_meant(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT, .hangup_intended = TRUE};
    (void)state;
    check_case("421 4.7.0 go", -1, &context, "", "421 4.7.0 go");
}

static void
keeps_utf8_for_smtputf8(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT, .smtputf8 = TRUE};
    (void)state;
    check_case("550 5.7.1 gr\xc3\xbcn", -1, &context, "", "550 5.7.1 gr\xc3\xbcn");
    check_case("550 5.7.1 gr\xfcn", -1, &context, "8-bit-octet", "550 5.7.1 gr?n");
}

static void
finds_a_lone_percent(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT, .milter_text = TRUE};
    (void)state;
    check_case("550 5.7.1 100% sure", -1, &context, "percent-lone", "550 5.7.1 100%% sure");
    check_case("550 5.7.1 100%% sure", -1, &context, "", "550 5.7.1 100%% sure");
}

static Classification
cause_of(Category category, Confidence confidence)
{
    return (Classification){.category = category, .confidence = confidence, .retry_after = -1};
}

static void
asks_the_classification(void **state)
{
    static const struct {
        const char *raw;
        Category category;
        Confidence confidence;
        SmtpStage stage;
        const char *line; /* its start */
    } cases[] = {
        {"550 no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, SMTP_STAGE_RCPT,
         "550 5.1.1 no mailbox"},
        {"550 no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_MEDIUM, SMTP_STAGE_RCPT,
         "550 5.1.1 no mailbox"},
        {"550 no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_LOW, SMTP_STAGE_RCPT,
         "550 5.7.1 no mailbox"},
        {"450 no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, SMTP_STAGE_RCPT,
         "450 4.1.1 no mailbox"},
        {"452 over quota", CATEGORY_MAILBOX_FULL, CONFIDENCE_HIGH, SMTP_STAGE_RCPT,
         "452 4.2.2 over quota"},
        {"550 4.7.1 no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, SMTP_STAGE_RCPT,
         "550 5.7.1 no mailbox"},
        {"no mailbox", CATEGORY_USER_UNKNOWN, CONFIDENCE_HIGH, SMTP_STAGE_RCPT,
         "550 5.1.1 no mailbox"},
        {"come back", CATEGORY_GREYLISTED, CONFIDENCE_HIGH, SMTP_STAGE_RCPT, "450 4."},
        {"who knows", CATEGORY_UNCLASSIFIED, CONFIDENCE_LOW, SMTP_STAGE_RCPT, "450 4."},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Classification cause = cause_of(cases[i].category, cases[i].confidence);
        LintContext context = {.stage = cases[i].stage, .cause = &cause};
        g_autoptr(SmtpReply) reply = repair_text(cases[i].raw, -1, &context, NULL);
        g_autofree char *line = smtp_reply_to_line(reply);
        if (!g_str_has_prefix(line, cases[i].line))
            print_error("%s -> %s\n", cases[i].raw, line);
        assert_true(g_str_has_prefix(line, cases[i].line));
        check_repaired(line, &context);
    }
    Classification cause = cause_of(CATEGORY_SPAM, CONFIDENCE_HIGH);
    LintContext context = {.stage = SMTP_STAGE_EOM, .cause = &cause};
    g_autoptr(SmtpReply) reply = repair_text("554", -1, &context, NULL);
    assert_string_equal(smtp_reply_line(reply, 0)->text, category_info(CATEGORY_SPAM)->sentence);
}

static void
leaves_a_delivery_status_without_code(void **state)
{
    static const struct {
        const char *raw, *line;
    } cases[] = {
        {"5.1.1 unknown", "5.1.1 unknown"},
        {"2.0.0 sent", "2.0.0 sent"},
        {"5.6.10 unknown", "5.6.8 unknown"},
        {"4.4.1 connect to mx[192.0.2.1]:25: timed out",
         "4.4.1 connect to mx[192.0.2.1]:25: timed out"},
        {"451 x", "4.3.0 x"},
    };
    const LintContext context = {.without_code = TRUE};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SmtpReply) reply = repair_text(cases[i].raw, -1, &context, NULL);
        g_autofree char *line = smtp_reply_to_line(reply);
        assert_string_equal(line, cases[i].line);
    }
}

static void
wraps_long_lines(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT, .address = "user@example.org"};
    (void)state;
    g_autoptr(GString) raw = g_string_new("550 5.7.1 See");
    while (raw->len < 460)
        g_string_append(raw, " word");
    g_string_append(raw, " https://example.org/why/a-rather-long-page?with=arguments end");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(SmtpReply) reply = repair_text(raw->str, -1, &context, names);
    assert_true(g_ptr_array_find(names, lint_rule_name(LINT_LINE_TOO_LONG), NULL));
    assert_int_equal(smtp_reply_line_count(reply), 2);
    assert_string_equal(smtp_reply_line(reply, 1)->text,
                        "https://example.org/why/a-rather-long-page?with=arguments end");
    g_autofree char *wire = smtp_reply_to_wire(reply);
    check_repaired(wire, &context);
}

static void
bounds_lines(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT};
    (void)state;
    g_autoptr(GString) raw = g_string_new(NULL);
    for (int i = 0; i < 33; i++)
        g_string_append_printf(raw, "%s550%c5.7.1 line %d", i > 0 ? "\r\n" : "", i < 32 ? '-' : ' ',
                               i);
    g_autoptr(GPtrArray) findings = lint_reply(raw->str, -1, &context);
    g_autofree char *names = names_of(findings);
    assert_string_equal(names, "too-many-lines");
    g_autoptr(SmtpReply) reply = repair_text(raw->str, -1, &context, NULL);
    assert_true(smtp_reply_line_count(reply) <= FIT_MAX_LINES);
    g_string_assign(raw, "550 5.7.1 ");
    for (int i = 0; i < SMTP_REPLY_MAX_TEXT; i++)
        g_string_append_c(raw, 'x');
    g_autoptr(GPtrArray) more = lint_reply(raw->str, -1, &context);
    g_autofree char *more_names = names_of(more);
    assert_string_equal(more_names, "too-long line-too-long too-many-lines");
}

static void
names_each_repair_once(void **state)
{
    const LintContext context = {.stage = SMTP_STAGE_RCPT};
    (void)state;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(SmtpReply) parsed = smtp_reply_parse("550 4.7.1 a\r\n550 4.7.1 b\r\n550 4.7.1 c", -1);
    g_autoptr(SmtpReply) repaired = repair_reply(parsed, &context, names);
    assert_int_equal(names->len, 2);
    assert_string_equal(names->pdata[0], "line-mark");
    assert_string_equal(names->pdata[1], "class-mismatch");
    assert_int_equal(parsed->status.class, 4);
    assert_int_equal(repaired->status.class, 5);
}

/* ---- hostile input -------------------------------------------------------------------------- */

static guint32
next_random(guint32 *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static GString *
hostile_text(guint32 *seed)
{
    static const char *const pieces[] = {
        "550 ",     "550-",      "5.7.1 ",
        "4.7.1 ",   "5.7.1234 ", "\r\n",
        "\n",       "\r",        "421 ",
        "521-",     "250 ",      "%",
        "%%",       "\xc3\xbc",  "\xff",
        "\x01",     "??550 ",    "__451 ",
        "word ",    "#5.7.1",    " ",
        "\t",       "354 ",      "650 ",
        "2.0.0 ",   "https://",  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ": ",       "said: ",    "(in reply to RCPT TO command)",
        "(#5.1.1)", "<<< "};
    GString *text = g_string_new(NULL);
    for (guint32 count = next_random(seed) % 40; count > 0; count--)
        g_string_append(text, pieces[next_random(seed) % G_N_ELEMENTS(pieces)]);
    if (next_random(seed) % 8 == 0)
        for (guint32 count = next_random(seed) % 200; count > 0; count--)
            g_string_append(text, " filler 5.7.1 5.7.1234");
    return text;
}

static void
is_idempotent(void **state)
{
    enum { ROUNDS = 20000 };
    guint32 seed = 2821;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        g_autoptr(GString) raw = hostile_text(&seed);
        Classification cause =
            cause_of((Category)(next_random(&seed) % (CATEGORY_UNCLASSIFIED + 1)),
                     (Confidence)(next_random(&seed) % 3));
        LintContext context = {.stage = (SmtpStage)(next_random(&seed) % SMTP_STAGE_COUNT),
                               .cause = next_random(&seed) % 2 ? &cause : NULL,
                               .address = next_random(&seed) % 2 ? "user@example.org" : NULL,
                               .smtputf8 = next_random(&seed) % 2,
                               .hangup_intended = next_random(&seed) % 2,
                               .milter_text = next_random(&seed) % 2};
        g_autoptr(SmtpReply) reply = repair_text(raw->str, (gssize)raw->len, &context, NULL);
        g_autofree char *wire = wire_of(reply, &context);
        check_repaired(wire, &context);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_what_is_right),
        cmocka_unit_test(repairs_the_class),
        cmocka_unit_test(repairs_the_status),
        cmocka_unit_test(repairs_the_code),
        cmocka_unit_test(repairs_the_lines),
        cmocka_unit_test(finds_nul),
        cmocka_unit_test(gives_words),
        cmocka_unit_test(hangs_up_where_that_is_meant),
        cmocka_unit_test(keeps_utf8_for_smtputf8),
        cmocka_unit_test(finds_a_lone_percent),
        cmocka_unit_test(asks_the_classification),
        cmocka_unit_test(leaves_a_delivery_status_without_code),
        cmocka_unit_test(wraps_long_lines),
        cmocka_unit_test(bounds_lines),
        cmocka_unit_test(names_each_repair_once),
        cmocka_unit_test(is_idempotent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
