/*
 * What replyctl says about every code, every status and every category: all of it fits a terminal,
 * nothing is said twice, and what is known is said.
 */
#include "test_support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replyctl/explain_screen.h"
#include "replyctl/screen.h"

enum { COLUMNS = 80, LONGEST_WORD = 50 };

static Classifier *classifier;

/* ---- what is printed ----------------------------------------------------------------------------
 */

typedef struct {
    FILE *file;
    int kept; /* the real standard output */
} Capture;

static void
capture_begin(Capture *capture)
{
    fflush(stdout);
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->kept = dup(STDOUT_FILENO);
    assert_true(dup2(fileno(capture->file), STDOUT_FILENO) >= 0);
}

/* What has been printed since; the caller frees it. */
static char *
capture_end(Capture *capture)
{
    char block[4096];
    gsize count;
    GString *text = g_string_new(NULL);
    fflush(stdout);
    dup2(capture->kept, STDOUT_FILENO);
    close(capture->kept);
    rewind(capture->file);
    while ((count = fread(block, 1, sizeof(block), capture->file)) > 0)
        g_string_append_len(text, block, (gssize)count);
    fclose(capture->file);
    /* The empty line before a heading that is not the first. */
    return g_strchug(g_string_free(text, FALSE));
}

static char *
explained(const char *what, gboolean all)
{
    Capture capture;
    Meaning meaning;
    assert_true(meaning_make(classifier, what, &meaning));
    capture_begin(&capture);
    explain_screen_meaning(&meaning, all);
    char *text = capture_end(&capture);
    meaning_clear(&meaning);
    return text;
}

/* ---- what holds for all of it -------------------------------------------------------------------
 */

static gboolean
has_long_word(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    for (char **word = words; *word != NULL; word++)
        if (strlen(*word) > LONGEST_WORD)
            return TRUE;
    return FALSE;
}

/* Two equal lines in a row, or a paragraph of many words that stands there twice. */
static void
assert_nothing_twice(const char *what, char **lines)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (char **line = lines; *line != NULL; line++) {
        /* A full line of prose is not there by chance. */
        if (strlen(*line) < 70 || g_hash_table_add(seen, g_strchug(*line)))
            continue;
        fail_msg("%s: said twice: %s", what, *line);
    }
}

static void
assert_good_text(const char *what, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    assert_true(strlen(text) > 100);
    for (char **line = lines; *line != NULL; line++) {
        if (strlen(*line) > COLUMNS && !has_long_word(*line))
            fail_msg("%s: a long line: %s", what, *line);
        for (const char *at = *line; *at != '\0'; at++)
            if (*at < 0x20 || *at > 0x7e)
                fail_msg("%s: octet %d: %s", what, *at, *line);
        if (g_str_has_suffix(*line, " "))
            fail_msg("%s: blank at the end: \"%s\"", what, *line);
    }
    assert_nothing_twice(what, lines);
}

static void
assert_says(const char *what, const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL)
        fail_msg("%s: \"%s\" is missing in:\n%s", what, wanted, text);
}

static void
check_number(const char *what, const char *title, guint readings)
{
    for (int all = 0; all <= 1; all++) {
        g_autofree char *text = explained(what, all);
        assert_good_text(what, text);
        assert_true(g_str_has_prefix(text, what));
        if (title != NULL && strlen(title) < 40)
            assert_says(what, text, title);
        if (readings > 0)
            assert_says(what, text, readings == 1 ? "Likely cause (" : "Likely causes");
        if (readings > 0 && all)
            assert_says(what, text, "sender  ");
    }
}

/* ---- cases --------------------------------------------------------------------------------------
 */

static void
test_every_code(void **state)
{
    (void)state;
    for (guint code = 200; code < 600; code++) {
        g_autofree char *what = g_strdup_printf("%u", code);
        const CatalogReplyCode *row = catalog_reply_code(code);
        check_number(what, row != NULL ? row->title : NULL, row != NULL ? row->reading_count : 0);
    }
}

static void
test_every_status(void **state)
{
    guint count;
    const CatalogStatus *rows = catalog_statuses(&count);
    (void)state;
    for (guint i = 0; i < count; i++)
        for (guint8 class = 2; class <= 5; class ++) {
            char what[ENHANCED_STATUS_TEXT_SIZE];
            EnhancedStatus status = {class, rows[i].subject, rows[i].detail};
            if (class != 3 && catalog_status(status) == &rows[i])
                check_number(enhanced_status_format(status, what), rows[i].title,
                             rows[i].reading_count);
        }
}

static void
test_every_category(void **state)
{
    (void)state;
    for (Category category = 0; category < CATEGORY_COUNT; category++) {
        const char *name = category_info(category)->name;
        Capture capture;
        capture_begin(&capture);
        explain_screen_category(category, TRUE);
        g_autofree char *text = capture_end(&capture);
        assert_good_text(name, text);
        assert_true(g_str_has_prefix(text, name));
    }
}

static void
test_every_digit(void **state)
{
    static const char *const masks[] = {"2xx", "4xx",   "5xx",   "x0x",   "x5x",   "xx0",
                                        "55x", "X.1.X", "5.7.X", "4.X.X", "X.X.1", "5.X.999"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(masks); i++) {
        DigitMask mask;
        Capture capture;
        assert_true(digit_mask_parse(masks[i], &mask));
        g_autofree char *name = digit_mask_format(&mask);
        assert_string_equal(name, masks[i]);
        capture_begin(&capture);
        explain_screen_mask(&mask);
        g_autofree char *text = capture_end(&capture);
        assert_good_text(masks[i], text);
    }
}

static void
test_no_digit_mask(void **state)
{
    static const char *const texts[] = {"",    "550",     "5.1.1",  "xxx",     "x.x.x",
                                        "5x",  "5xxx",    "5.7",    "5..x",    "5.x.",
                                        "a5x", "5.x.x.x", "5.7.x1", "5.1234.x"};
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        DigitMask mask;
        if (digit_mask_parse(texts[i], &mask))
            fail_msg("taken for digits: %s", texts[i]);
    }
}

/* ---- replies ------------------------------------------------------------------------------------
 */

typedef struct {
    const char *text;
    guint code;
    const char *status;
    Category category;
} PastedCase;

static const PastedCase pasted[] = {
    {"550 5.1.1 <a@b.example>: User unknown", 550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"550-5.1.1 <a@b.example>:\r\n550 5.1.1 User unknown", 550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"smtp; 550 5.1.1 <a@b.example>: User unknown", 550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
     550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"Nov 21 12:00:01 mx postfix/smtp[123]: 4XyZ: to=<a@b.example>, "
     "relay=mx.example.org[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (host "
     "mx.example.org[192.0.2.1] said: 550 5.1.1 <a@b.example>: Recipient address rejected: User "
     "unknown (in reply to RCPT TO command))",
     550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"x postfix/smtp[1]: 4XyZ: to=<a@b.example>, dsn=4.4.1, status=deferred (connect to "
     "mx.b.example[192.0.2.9]:25: Connection timed out)",
     0, "4.4.1", CATEGORY_NETWORK_ERROR},
    {"x postfix/smtpd[1]: NOQUEUE: reject: RCPT from mx.example.org[192.0.2.1]: 554 5.7.1 "
     "<a@b.example>: Relay access denied; from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<x>",
     554, "5.7.1", CATEGORY_RELAY_DENIED},
    {"x postfix/cleanup[1]: 4XyZ: milter-reject: END-OF-MESSAGE from mx.example.org[192.0.2.1]: "
     "5.7.1 Spam message rejected; from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<x>",
     0, "5.7.1", CATEGORY_SPAM},
    {"x sm-mta[1]: 6AL: ruleset=check_rcpt, arg1=<a@b.example>, relay=mx [192.0.2.1], "
     "reject=550 5.7.1 <a@b.example>... Relaying denied",
     550, "5.7.1", CATEGORY_RELAY_DENIED},
    {"x sm-mta[1]: 6AL: to=<a@b.example>, delay=00:00:01, dsn=5.1.1, stat=User unknown", 0, "5.1.1",
     CATEGORY_USER_UNKNOWN},
    {"2026-11-21 12:00:00 1abc-00 ** a@b.example R=dnslookup T=remote_smtp H=mx.b.example "
     "[192.0.2.9]: SMTP error from remote mail server after RCPT TO:<a@b.example>: 550 5.1.1 User "
     "unknown",
     550, "5.1.1", CATEGORY_USER_UNKNOWN},
    {"2026-11-21 12:00:00 1abc-00 == a@b.example R=dnslookup: SMTP error from remote mail server "
     "after end of data: host mx.b.example [192.0.2.9]: 450 4.2.0 Greylisted",
     450, "4.2.0", CATEGORY_GREYLISTED},
};

static void
test_pasted_replies(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(pasted); i++) {
        const PastedCase *row = &pasted[i];
        char status[ENHANCED_STATUS_TEXT_SIZE];
        Meaning meaning;
        assert_true(meaning_make(classifier, row->text, &meaning));
        enhanced_status_format(meaning.reply->status, status);
        if (meaning.reply->code != row->code || strcmp(status, row->status) != 0 ||
            meaning.cause.category != row->category)
            fail_msg("%s: taken for %u %s %s", row->text, meaning.reply->code, status,
                     category_info(meaning.cause.category)->name);
        meaning_clear(&meaning);
        g_autofree char *text = explained(row->text, FALSE);
        assert_good_text(row->text, text);
        assert_true(g_str_has_prefix(text, "This reply: "));
        assert_null(strstr(text, "proto="));
    }
}

/* What the outside supplies is escaped, wrapped, and never broken where it is one word. */
static void
test_screen_is_safe(void **state)
{
    g_autofree char *word = g_strnfill(300, 'w');
    g_autofree char *text = g_strdup_printf("one \x1b[31m two\r\n%s \xff three \xe2\x80\xae", word);
    Capture capture;
    (void)state;
    capture_begin(&capture);
    screen_paragraph(STYLE_BAD, 2, text);
    screen_field(2, 10, "label\x1b", text);
    g_autofree char *printed = capture_end(&capture);
    for (const char *at = printed; *at != '\0'; at++)
        assert_true(*at == '\n' || (*at >= 0x20 && *at <= 0x7e));
    assert_non_null(strstr(printed, word));
}

static int
set_up(void **state)
{
    (void)state;
    classifier = classifier_new(NULL);
    return classifier != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    classifier_unref(classifier);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),     cmocka_unit_test(test_every_status),
        cmocka_unit_test(test_every_category), cmocka_unit_test(test_every_digit),
        cmocka_unit_test(test_no_digit_mask),  cmocka_unit_test(test_screen_is_safe),
        cmocka_unit_test(test_pasted_replies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
