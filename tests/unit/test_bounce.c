/*
 * classify/bounce: the mails of tests/data/mails/, each with what it means in EXPECTED; and the
 * small modules that a bounce is read with.
 */
#include <string.h>

#include "test_support.h"

#include "classify/bounce.h"
#include "classify/quoted_status.h"
#include "classify/recipient_name.h"

#define MAILS TEST_SOURCE_DIR "/tests/data/mails/"

static Classifier *classifier;

static int
build_classifier(void **state)
{
    g_autoptr(GError) error = NULL;
    (void)state;
    mime_view_init();
    classifier = classifier_new(&error);
    if (classifier == NULL)
        print_error("%s\n", error->message);
    return classifier != NULL ? 0 : -1;
}

static int
drop_classifier(void **state)
{
    (void)state;
    classifier_unref(classifier);
    return 0;
}

static Bounce *
read_octets(const char *octets, gsize length)
{
    g_autoptr(MimeView) view = mime_view_new(octets, length, &mime_limits_default);
    return bounce_read(classifier, view);
}

static char *
load(const char *name, gsize *length)
{
    g_autofree char *path = g_strconcat(MAILS, name, NULL);
    char *octets;
    assert_true(g_file_get_contents(path, &octets, length, NULL));
    return octets;
}

static Bounce *
read_mail(const char *name)
{
    gsize length;
    g_autofree char *octets = load(name, &length);
    return read_octets(octets, length);
}

/* ---- the mails ------------------------------------------------------------------------------ */

enum { FILE_NAME, KIND, RECIPIENT, STATUS, CATEGORY, PERMANENT, COLUMNS };

/* The table's rows, each a char ** of COLUMNS. */
static GPtrArray *
load_expected(void)
{
    gsize length;
    g_autofree char *text = load("EXPECTED", &length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    for (guint i = 0; lines[i] != NULL; i++) {
        if (*lines[i] == '\0' || *lines[i] == '#')
            continue;
        g_ptr_array_add(rows, g_strsplit(lines[i], "\t", -1));
        assert_int_equal(g_strv_length(rows->pdata[rows->len - 1]), COLUMNS);
    }
    return rows;
}

static gboolean
is_one_of(const char *value, const char *values)
{
    g_auto(GStrv) list = g_strsplit(values, "|", -1);
    return g_strv_contains((const char *const *)list, value);
}

static gboolean
is_as_expected(char *const *row, const BounceRecipient *recipient)
{
    const Classification *result = &recipient->classification;
    const char *category = category_info(result->category)->name;
    char status[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(recipient->reply->status, status);
    const char *permanent = result->permanent ? "yes" : "no";
    if (strcmp(mail_kind_name(recipient->kind), row[KIND]) == 0 &&
        strcmp(recipient->recipient, row[RECIPIENT]) == 0 && strcmp(status, row[STATUS]) == 0 &&
        is_one_of(category, row[CATEGORY]) && strcmp(permanent, row[PERMANENT]) == 0)
        return TRUE;
    print_error("%s: %s <%s> %s %s %s by %s: %s\n", row[FILE_NAME], mail_kind_name(recipient->kind),
                recipient->recipient, status, category, permanent, result->rule, recipient->text);
    return FALSE;
}

/* The rows of one mail, from the first on; returns how many there are. */
static guint
check_mail(GPtrArray *rows, guint first, guint *faults)
{
    char *const *row = rows->pdata[first];
    g_autoptr(Bounce) bounce = read_mail(row[FILE_NAME]);
    guint count = 1;
    while (first + count < rows->len &&
           strcmp(((char **)rows->pdata[first + count])[FILE_NAME], row[FILE_NAME]) == 0)
        count++;
    guint recipients = strcmp(row[KIND], "not-a-bounce") == 0 ? 0 : count;
    if (bounce->recipients->len != recipients) {
        print_error("%s: %u recipients, %s by %s\n", row[FILE_NAME], bounce->recipients->len,
                    mail_kind_name(bounce->kind), bounce->layout);
        ++*faults;
        return count;
    }
    for (guint i = 0; i < recipients; i++)
        *faults += !is_as_expected(rows->pdata[first + i], bounce->recipients->pdata[i]);
    return count;
}

static void
test_mails(void **state)
{
    guint faults = 0;
    (void)state;
    g_autoptr(GPtrArray) rows = load_expected();
    assert_true(rows->len > 30);
    for (guint i = 0; i < rows->len;)
        i += check_mail(rows, i, &faults);
    assert_int_equal(faults, 0);
}

/* Every mail of the folder is in the table. */
static void
test_table_is_whole(void **state)
{
    const char *name;
    (void)state;
    g_autoptr(GPtrArray) rows = load_expected();
    g_autoptr(GDir) folder = g_dir_open(MAILS, 0, NULL);
    while ((name = g_dir_read_name(folder)) != NULL) {
        gboolean found = !g_str_has_suffix(name, ".eml");
        for (guint i = 0; i < rows->len && !found; i++)
            found = strcmp(((char **)rows->pdata[i])[FILE_NAME], name) == 0;
        if (!found)
            fail_msg("%s is not in EXPECTED", name);
    }
}

static void
test_original(void **state)
{
    (void)state;
    g_autoptr(Bounce) bounce = read_mail("dsn-failed.eml");
    assert_string_equal(bounce->layout, "dsn");
    assert_string_equal(bounce->reporting_mta, "mta.example.net");
    assert_string_equal(bounce->message_id, "minutes.2026@example.org");
    assert_string_equal(bounce->original_sender, "anna@example.org");
    const BounceRecipient *recipient = bounce->recipients->pdata[0];
    assert_string_equal(recipient->remote_mta, "mx.example.com");
    assert_int_equal(recipient->reply->code, 550);
    g_autoptr(Bounce) text = read_mail("dsn-in-text.eml");
    assert_string_equal(text->message_id, "lost-boundary@example.org");
    g_autoptr(Bounce) qmail = read_mail("refused-before-recipient.eml");
    assert_string_equal(qmail->layout, "qmail");
    assert_string_equal(qmail->message_id, "greeting@example.org");
    g_autoptr(Bounce) reply = read_mail("auto-reply-german.eml");
    assert_string_equal(reply->message_id, "minutes.2026@example.org");
}

static void
test_worst_kind(void **state)
{
    (void)state;
    g_autoptr(Bounce) mixed = read_mail("dsn-of-all-kinds.eml");
    assert_int_equal(mixed->kind, MAIL_KIND_FAILURE);
    g_autoptr(Bounce) delivered = read_mail("dsn-relayed-and-expanded.eml");
    assert_int_equal(delivered->kind, MAIL_KIND_DELIVERED);
}

/* A mail system that writes no words of a report: only a reason makes it one. */
static void
test_plain_words(void **state)
{
    static const struct {
        const char *text;
        const char *category; /* NULL: no report */
    } cases[] = {
        {"The mail you sent to charles@example.net came back: there is no such user.",
         "user-unknown"},
        {"Your mail to charles@example.net came back. Its mailbox is full.", "mailbox-full"},
        {"Your message to charles@example.net is bigger than 10 MB, which is too large.",
         "message-too-large"},
        {"Your mail to charles@example.net waits until you confirm it.", NULL},
        {"Your message was read by charles@example.net.", NULL},
        {"The mail of today: charles@example.net wrote to you.", NULL},
        {"Welcome! Write to charles@example.net if a mail is missing.", NULL},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *mail = g_strconcat("From: MAILER-DAEMON@example.net\nTo: ada@example.org\n"
                                            "Subject: engine\n\n",
                                            cases[i].text, "\n", NULL);
        g_autoptr(Bounce) bounce = read_octets(mail, strlen(mail));
        assert_int_equal(bounce->kind,
                         cases[i].category != NULL ? MAIL_KIND_FAILURE : MAIL_KIND_NOT_A_BOUNCE);
        if (cases[i].category == NULL)
            continue;
        const BounceRecipient *recipient = g_ptr_array_index(bounce->recipients, 0);
        assert_string_equal(recipient->recipient, "charles@example.net");
        assert_string_equal(category_info(recipient->classification.category)->name,
                            cases[i].category);
    }
}

/* ---- statuses and names --------------------------------------------------------------------- */

static void
test_quoted_status(void **state)
{
    static const struct {
        const char *text, *own, *status;
    } cases[] = {
        {"550 5.1.1 no such user", "5.1.1", "5.1.1"},
        {"Message expired.<421 4.4.2 timed out>", "4.4.7", "4.4.2"},
        {"unknown recipient -> 550 5.1.1 no such user", "5.1.0", "5.1.1"},
        {"unknown recipient -> 550 no such user", "5.1.351", "5.1.351"},
        {"RCPT TO not accepted: 5.7.1 no relaying", "", "5.7.1"},
        {"Resources are short [#4.2.2].", "", "4.2.2"},
        {"no mailbox here by that name (#5.1.1)", "", "5.1.1"},
        {"ERROR_CODE :550, ERROR_CODE :5.1.1 unknown", "", "5.1.1"},
        {"host 192.0.2.5 of Exim 4.80.1 and version 5.0.2", "", ""},
        {"refused - 4.16.55.1; see the page", "", ""},
        {"4.7.650.1 is not one, nor x4.2.2", "", ""},
        {"(552 4.0.0 said nothing)", "5.2.2", "5.2.2"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EnhancedStatus own = ENHANCED_STATUS_NONE;
        char found[ENHANCED_STATUS_TEXT_SIZE];
        enhanced_status_parse(cases[i].own, &own);
        enhanced_status_format(quoted_status(cases[i].text, own), found);
        assert_string_equal(found, cases[i].status);
    }
}

static void
test_quoted_code(void **state)
{
    static const struct {
        const char *text;
        guint code;
    } cases[] = {
        {"mailbox unavailable. [SMTP Error Code 550]", 550},
        {"the server answered (response code: 452)", 452},
        {"reply code is 554", 554},
        {"ERROR_CODE :552, ERROR_CODE :5.2.2 full", 552},
        {"exit code 75", 0},
        {"exit code 5", 0},
        {"decoded 550 bytes", 0},
        {"error code 5501", 0},
        {"area code, then 550", 0},
        {"", 0},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(quoted_code(cases[i].text), cases[i].code);
}

static void
test_real_names(void **state)
{
    static const char *const real[] = {"a@example.com", "a.b+c@sub.example.com", "a@[192.0.2.1]",
                                       "\"a b\"@example.com"};
    static const char *const unreal[] = {"",
                                         "bert",
                                         "bert@store",
                                         "@example.com",
                                         "|/usr/bin/vacation bert",
                                         "/o=Org/ou=Site/cn=bert",
                                         "IMCEAEX-_O=ORG_CN=BERT@example.com",
                                         "bert@mail.local",
                                         "bert@server.lan"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(real); i++)
        assert_true(recipient_name_is_real(real[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(unreal); i++)
        assert_false(recipient_name_is_real(unreal[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mails),       cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_original),    cmocka_unit_test(test_worst_kind),
        cmocka_unit_test(test_plain_words), cmocka_unit_test(test_quoted_status),
        cmocka_unit_test(test_quoted_code), cmocka_unit_test(test_real_names),
    };
    return cmocka_run_group_tests(tests, build_classifier, drop_classifier);
}
