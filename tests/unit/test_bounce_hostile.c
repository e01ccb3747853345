/*
 * classify/bounce on mails made to hurt: huge, deep, of very many parts or recipients, and each
 * example of the tree cut off at every octet.
 *
 * Every hostile mail is read in a process of its own, whose memory and CPU time are bounded by what
 * replyctl(1) promises. Sanitizers need more of both, and cut off at fewer places.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_support.h"

#include "classify/bounce.h"

#if TEST_SANITIZED
enum { MOST_KIB = 1024 * 1024, MOST_SECONDS = 120, CUT_STRIDE = 11 };
#else
enum { MOST_KIB = 128 * 1024, MOST_SECONDS = 10, CUT_STRIDE = 1 };
#endif

static Classifier *classifier;

/* What compiling has left is given back: a child's memory counts from here. */
static int
build_classifier(void **state)
{
    g_autoptr(GError) error = NULL;
    (void)state;
    mime_view_init();
    classifier = classifier_new(&error);
    if (classifier == NULL)
        print_error("%s\n", error->message);
    malloc_trim(0);
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

/* ---- the mails ------------------------------------------------------------------------------ */

#define MANY    100000
#define MIB     (1024 * 1024)
#define LONG(n) ((n) / 64)
#define LETTERS ((gsize)64 * 1024)
#define X64     "xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx xxxxxxx "
#define LINES8  "\n\n\n\n\n\n\n\n"
#define LINES64 LINES8 LINES8 LINES8 LINES8 LINES8 LINES8 LINES8 LINES8
#define TO64    "user@example.com: 550 5.1.1 there is no such user on this host;\n"

#define DAEMON                                                                                     \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\n"                                        \
    "Subject: Undelivered Mail Returned to Sender\n"
#define MIXED  DAEMON "Content-Type: multipart/mixed; boundary=b\n\n"
#define REPORT DAEMON "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
#define STATUS                                                                                     \
    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
#define FAILED "Final-Recipient: rfc822; u#@example.com\nAction: failed\nStatus: 5.1.1\n\n"
#define WORDY  "\n550 " X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 X64 "\n"

typedef struct {
    const char *name;
    /* The head; then the piece, so often: '#' is its number from 0 on, '~' NUL,
     * '^' 64 KiB of letters that take more room in UTF-8; then the tail. */
    const char *head, *piece;
    guint times;
    const char *tail;
    MailKind kind;
    const char *layout;   /* NULL: whichever */
    guint recipients;     /* at least */
    const char *category; /* of the first recipient; NULL: whichever */
    gboolean truncated;
} HostileMail;

static const HostileMail hostile_mails[] = {
    /* large */
    {"100 MB returned",
     REPORT STATUS "Final-Recipient: rfc822; u@example.com\nAction: failed\n"
                   "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n\n"
                   "--b\nContent-Type: message/rfc822\n\nSubject: x\n\n",
     X64 "\n", LONG(100 * MIB), "--b--\n", MAIL_KIND_FAILURE, "dsn", 1, "user-unknown", TRUE},
    {"100 MB in one line", DAEMON "\nuser@example.com: 550 5.1.1 User unknown\n", X64,
     LONG(100 * MIB), "", MAIL_KIND_FAILURE, NULL, 1, "user-unknown", TRUE},
    {"100 MB of reasons", DAEMON "\n", TO64, LONG(100 * MIB), "", MAIL_KIND_FAILURE, NULL, 1,
     "user-unknown", TRUE},
    {"100 MB of nothing", DAEMON "\n", LINES64, LONG(100 * MIB), "", MAIL_KIND_FAILURE,
     "header-only", 1, NULL, TRUE},
    {"16 MB of NUL", DAEMON "\n", "~~~~~~~~~~~~~~~~", MIB, "", MAIL_KIND_FAILURE, "header-only", 1,
     NULL, TRUE},
    {"NUL between all", "Return-Path: ~<~>~\nFrom: ~MAILER-DAEMON~@mx.example.net~\n\n",
     "~\n~user#@example.com~:~ 550 5.1.1~ User~ unknown~\n", 20, "~", MAIL_KIND_FAILURE, NULL, 1,
     "user-unknown", FALSE},
    {"letters that grow", MIXED TO64,
     "\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\n^^^^^^^^^^^^^^^", 16, TO64,
     MAIL_KIND_FAILURE, "header-only", 1, NULL, TRUE},
    {"large pages", MIXED, "--b\nContent-Type: text/html\n\n<p>" TO64 "^^^^^^^</p>\n", 32, "",
     MAIL_KIND_FAILURE, NULL, 1, "user-unknown", TRUE},
    /* many parts, and deep */
    {"10,000 parts", MIXED, "--b\n\n" TO64, 10000, "--b--\n", MAIL_KIND_FAILURE, NULL, 1,
     "user-unknown", TRUE},
    {"10,000 reports", REPORT, STATUS FAILED, 10000, "--b--\n", MAIL_KIND_FAILURE, "dsn", 1, NULL,
     TRUE},
    {"1,000 deep", DAEMON, "Content-Type: multipart/mixed; boundary=b#\n\n--b#\n\n" TO64 "--b#\n",
     1000, "", MAIL_KIND_FAILURE, NULL, 1, "user-unknown", TRUE},
    {"1,000 mails in mails", DAEMON, "Content-Type: message/rfc822\n\n", 1000, TO64,
     MAIL_KIND_FAILURE, "header-only", 1, NULL, FALSE},
    /* headers */
    {"1 MB subject", DAEMON "Subject: ", X64, LONG(MIB), "\n\n" TO64, MAIL_KIND_FAILURE, NULL, 1,
     "user-unknown", TRUE},
    {"1 MB folded", DAEMON "X-Note: ", X64 "\n ", LONG(MIB), "\n\n" TO64, MAIL_KIND_FAILURE, NULL,
     1, "user-unknown", TRUE},
    {"1 MB of encoded words", DAEMON "X-Note: ", "=?utf-8?B?w6TDpMOk?= ", MIB / 21, "\n\n" TO64,
     MAIL_KIND_FAILURE, NULL, 1, "user-unknown", FALSE},
    {"1 MB boundary", DAEMON "Content-Type: multipart/report; boundary=\"", X64, LONG(MIB),
     "\"\n\n" TO64, MAIL_KIND_FAILURE, NULL, 1, "user-unknown", TRUE},
    {"100,000 fields", DAEMON, "X-Note-#: x\n", MANY, "\n" TO64, MAIL_KIND_FAILURE, NULL, 1,
     "user-unknown", TRUE},
    {"1 MB field in a report",
     REPORT STATUS "Final-Recipient: rfc822; u@example.com\n"
                   "Action: failed\nDiagnostic-Code: smtp; 550 5.1.1 ",
     X64, LONG(MIB), "\n\n--b--\n", MAIL_KIND_FAILURE, "dsn", 1, "user-unknown", TRUE},
    /* recipients */
    {"100,000 in a report", REPORT STATUS, FAILED, MANY, "--b--\n", MAIL_KIND_FAILURE, "dsn", 9000,
     "user-unknown", TRUE},
    {"20,000 in a short report", REPORT STATUS, "Final-Recipient:;u#@x.yz\n\n", 20000, "--b--\n",
     MAIL_KIND_FAILURE, "dsn", BOUNCE_MAX_RECIPIENTS, NULL, TRUE},
    {"100,000 in a report without parts", DAEMON "\n", FAILED, MANY, "", MAIL_KIND_FAILURE, "dsn",
     500, "user-unknown", TRUE},
    {"100,000 of Postfix", DAEMON "\nThis is the mail system at host mx.example.net.\n\n",
     "<u#@x.yz>: no\n", MANY, "", MAIL_KIND_FAILURE, "postfix", BOUNCE_MAX_RECIPIENTS, NULL, TRUE},
    {"100,000 of qmail",
     DAEMON "\nHi. This is the qmail-send program at mx.example.org.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n\n",
     "<u#@x.yz>:\nno\n\n", MANY, "", MAIL_KIND_FAILURE, "qmail", BOUNCE_MAX_RECIPIENTS, NULL, TRUE},
    {"100,000 of Sendmail",
     DAEMON "\n   ----- The following addresses had permanent fatal errors -----\n", "<u#@x.yz>\n",
     MANY, "", MAIL_KIND_FAILURE, "sendmail", BOUNCE_MAX_RECIPIENTS, NULL, TRUE},
    {"20,000 in a transcript",
     DAEMON "\n   ----- The following addresses had permanent fatal errors -----\n"
            "<u0@x.yz>\n\n   ----- Transcript of session follows -----\n",
     "550 5.1.1 <u#@x.yz>... User unknown\n", 20000, "", MAIL_KIND_FAILURE, "sendmail", 1,
     "user-unknown", FALSE},
    {"100,000 in a field", DAEMON "X-Failed-Recipients: ", "u#@x.yz, ", MANY, "\n\nUser unknown\n",
     MAIL_KIND_FAILURE, NULL, 1, "user-unknown", TRUE},
    {"100,000 in prose",
     DAEMON "\nYour message could not be delivered to the following recipients:\n\n", "u#@x.yz\n",
     MANY, "\nUser unknown\n", MAIL_KIND_FAILURE, NULL, 9000, NULL, TRUE},
    {"one long reason for all",
     DAEMON "\nYour message could not be delivered to the following recipients:\n\n", "u#@x.yz\n",
     BOUNCE_MAX_RECIPIENTS, WORDY, MAIL_KIND_FAILURE, NULL, BOUNCE_MAX_RECIPIENTS, NULL, FALSE},
    {"100,000 in JSON",
     "From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n\n"
     "{\"notificationType\":\"Bounce\",\"bounce\":{\"bounceType\":\"Permanent\","
     "\"bouncedRecipients\":[{}",
     ",{\"emailAddress\":\"u#@x.yz\"}", MANY, "]}}\n", MAIL_KIND_NOT_A_BOUNCE, NULL, 0, NULL, TRUE},
    {"100,000 deep in JSON", "From: no-reply@sns.amazonaws.com\nSubject: AWS Notification\n\n",
     "{\"a\":[", MANY, "", MAIL_KIND_NOT_A_BOUNCE, NULL, 0, NULL, FALSE},
    {"100,000 in a feedback report",
     "From: fbl@example.net\nSubject: abuse\n"
     "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
     "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n"
     "User-Agent: x\n",
     "Original-Rcpt-To: u#@x.yz\n", MANY, "", MAIL_KIND_FEEDBACK, NULL, 100, NULL, TRUE},
};

static void
append_letters(GString *mail)
{
    gsize end = mail->len + LETTERS;
    g_string_set_size(mail, end);
    memset(mail->str + end - LETTERS, '\xe4', LETTERS);
}

static void
append_piece(GString *mail, const char *piece, guint number)
{
    for (gsize plain; *piece != '\0'; piece += plain) {
        plain = strcspn(piece, "#^~");
        g_string_append_len(mail, piece, (gssize)plain);
        if (piece[plain] == '#')
            g_string_append_printf(mail, "%u", number);
        else if (piece[plain] == '^')
            append_letters(mail);
        else if (piece[plain] == '~')
            g_string_append_c(mail, '\0');
        plain += piece[plain] != '\0';
    }
}

static gsize
piece_octets(const char *piece)
{
    gsize octets = strlen(piece);
    for (; *piece != '\0'; piece++)
        octets += *piece == '#' ? strlen("100000") : *piece == '^' ? LETTERS : 0;
    return octets;
}

/* In one allocation: what a mail needs while it grows is not counted. */
static GString *
make_mail(const HostileMail *hostile)
{
    GString *mail =
        g_string_sized_new(strlen(hostile->head) + hostile->times * piece_octets(hostile->piece) +
                           strlen(hostile->tail) + 1);
    append_piece(mail, hostile->head, 0);
    for (guint i = 0; i < hostile->times; i++)
        append_piece(mail, hostile->piece, i);
    append_piece(mail, hostile->tail, 0);
    return mail;
}

/* ---- a process for each --------------------------------------------------------------------- */

/* The most memory that this process has had, in KiB. */
static long
peak_kib(void)
{
    g_autofree char *status = NULL;
    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL))
        return -1;
    const char *peak = strstr(status, "VmHWM:");
    return peak != NULL ? atol(peak + strlen("VmHWM:")) : -1;
}

static gboolean
is_as_expected(const HostileMail *hostile, const Bounce *bounce)
{
    const BounceRecipient *first =
        bounce->recipients->len > 0 ? bounce->recipients->pdata[0] : NULL;
    const char *category =
        first != NULL ? category_info(first->classification.category)->name : "none";
    gboolean right = bounce->kind == hostile->kind && bounce->truncated == hostile->truncated &&
                     bounce->recipients->len >= hostile->recipients &&
                     bounce->recipients->len <= BOUNCE_MAX_RECIPIENTS &&
                     (hostile->layout == NULL || g_strcmp0(hostile->layout, bounce->layout) == 0) &&
                     (hostile->category == NULL || strcmp(hostile->category, category) == 0);
    if (!right)
        print_error("%s: %s, %u recipients by %s, %s%s\n", hostile->name,
                    mail_kind_name(bounce->kind), bounce->recipients->len,
                    bounce->layout != NULL ? bounce->layout : "nothing", category,
                    bounce->truncated ? ", truncated" : "");
    return right;
}

/* In the child. Who takes too long is ended by the system. */
static gboolean
survives(const HostileMail *hostile)
{
    const struct rlimit seconds = {MOST_SECONDS, MOST_SECONDS};
    setrlimit(RLIMIT_CPU, &seconds);
    g_autoptr(GString) mail = make_mail(hostile);
    long before = peak_kib();
    clock_t began = clock();
    g_autoptr(Bounce) bounce = read_octets(mail->str, mail->len);
    double took = (double)(clock() - began) / CLOCKS_PER_SEC;
    long kib = peak_kib() - before;
    print_message("%s: %.1f MB, %.2f s, %.1f MB more\n", hostile->name, (double)mail->len / 1e6,
                  took, (double)kib / 1e3);
    return before > 0 && kib <= MOST_KIB && is_as_expected(hostile, bounce);
}

static void
test_hostile(void **state)
{
    guint faults = 0;
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(hostile_mails); i++) {
        int status = 0;
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            gboolean good = survives(&hostile_mails[i]);
            fflush(NULL);
            _exit(good ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (status != 0)
            print_error("%s: ended with %d\n", hostile_mails[i].name, status);
        faults += status != 0;
    }
    assert_int_equal(faults, 0);
}

/* ---- cut off -------------------------------------------------------------------------------- */

static void
check_sound(const Bounce *bounce)
{
    assert_true((bounce->kind == MAIL_KIND_NOT_A_BOUNCE) == (bounce->recipients->len == 0));
    for (guint i = 0; i < bounce->recipients->len; i++) {
        const BounceRecipient *recipient = bounce->recipients->pdata[i];
        assert_non_null(recipient->reply);
        assert_non_null(recipient->classification.rule);
        assert_true(g_utf8_validate(recipient->text, -1, NULL));
        assert_null(strpbrk(recipient->text, "\r\n"));
        if (recipient->kind != MAIL_KIND_FAILURE)
            assert_false(recipient->classification.permanent);
    }
}

/* Each piece is an allocation of its own, so that a sanitizer sees who reads behind it. An ordinary
 * mail stays ordinary, however it ends. */
static void
cut_mail(const char *path)
{
    g_autofree char *octets = NULL;
    gsize length;
    assert_true(g_file_get_contents(path, &octets, &length, NULL));
    g_autoptr(Bounce) whole = read_octets(octets, length);
    for (gsize cut = 1; cut < length; cut += CUT_STRIDE) {
        g_autofree char *piece = g_memdup2(octets, cut);
        g_autoptr(Bounce) bounce = read_octets(piece, cut);
        check_sound(bounce);
        if (whole->kind == MAIL_KIND_NOT_A_BOUNCE)
            assert_int_equal(bounce->kind, MAIL_KIND_NOT_A_BOUNCE);
    }
}

static guint
cut_mails(const char *folder_name)
{
    const char *name;
    guint count = 0;
    g_autoptr(GDir) folder = g_dir_open(folder_name, 0, NULL);
    assert_non_null(folder);
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(folder_name, name, NULL);
        if (!g_str_has_suffix(name, ".eml"))
            continue;
        cut_mail(path);
        count++;
    }
    return count;
}

static void
test_mails_cut_off(void **state)
{
    (void)state;
    if (CUT_STRIDE > 1)
        print_message("cut off at every %dth octet only, for the sanitizer's sake\n", CUT_STRIDE);
    assert_true(cut_mails(TEST_SOURCE_DIR "/tests/data/mails") > 30);
    assert_true(cut_mails(TEST_SOURCE_DIR "/tests/layouts") > 40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_mails_cut_off),
    };
    return cmocka_run_group_tests(tests, build_classifier, drop_classifier);
}
