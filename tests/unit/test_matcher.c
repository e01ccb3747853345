/*
 * policy/matcher: every form of a condition's value, its faults, and expressions that would take
 * for ever.
 */
#include "test_support.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/fact.h"
#include "policy/matcher.h"
#include "policy/octets.h"

/* A folder with the file `keys` in it. */
typedef struct {
    char *folder;
    char *path;
} Files;

static int
make_files(void **state)
{
    Files *files = g_new0(Files, 1);
    files->folder = g_dir_make_tmp("matcher-XXXXXX", NULL);
    files->path = g_build_filename(files->folder, "keys", NULL);
    *state = files;
    return files->folder == NULL;
}

static int
remove_files(void **state)
{
    Files *files = *state;
    g_unlink(files->path);
    g_rmdir(files->folder);
    g_free(files->folder);
    g_free(files->path);
    g_free(files);
    return 0;
}

static void
write_keys(const Files *files, const char *content)
{
    assert_true(g_file_set_contents(files->path, content, -1, NULL));
}

static Matcher *
matcher_of(Fact fact, const char *list, const char *folder, GError **error)
{
    const char *empty[] = {""};
    if (*list == '\0')
        return matcher_new(fact, empty, 1, folder, error);
    g_auto(GStrv) texts = g_strsplit(list, " & ", -1);
    return matcher_new(fact, (const char *const *)texts, g_strv_length(texts), folder, error);
}

/* " & " stands between the elements of a list, and between the values. */
static void
matches(void **state)
{
    static const struct {
        Fact fact;
        const char *list, *value;
        gboolean hit;
    } cases[] = {
        {FACT_HELO, "localhost", "LOCALHOST", TRUE},
        {FACT_HELO, "localhost", "localhost.example", FALSE},
        {FACT_HELO, "*.example", "mx.example", TRUE},
        {FACT_HELO, "*.example", "mx.example.org", FALSE},
        {FACT_HELO, "a*b*c", "axxbxxbxxc", TRUE},
        {FACT_HELO, "a*b*c", "axxcxxb", FALSE},
        {FACT_HELO, "**", "", TRUE},
        {FACT_HELO, "*", "x", TRUE},
        {FACT_HELO, "*", "", FALSE},
        {FACT_AUTH_USER, "!*", "", TRUE},
        {FACT_AUTH_USER, "!*", "joe", FALSE},
        {FACT_SENDER, "", "", TRUE},
        {FACT_SENDER, "", "a@b.example", FALSE},
        {FACT_SENDER, "!", "a@b.example", TRUE},
        {FACT_HELO, "/^local(host)?$/", "local", TRUE},
        {FACT_HELO, "/^local(host)?$/", "Local", FALSE},
        {FACT_HELO, "/^LOCAL/i", "localhost", TRUE},
        {FACT_HELO, "/a b # comment/x", "ab", TRUE},
        {FACT_HELO, "/a.b/s", "a\nb", TRUE},
        {FACT_HELO, "/a.b/", "a\nb", FALSE},
        {FACT_HELO, "/a/b/", "xa/bx", TRUE},
        {FACT_HELO, "/\xff/", "\xff\xfe", TRUE},
        {FACT_HELO, "!/^local/", "localhost", FALSE},
        {FACT_HELO, "!/^local/", "mx", TRUE},
        {FACT_CLIENT, "192.0.2.0/24", "192.0.2.77", TRUE},
        {FACT_CLIENT, "192.0.2.0/24", "::ffff:192.0.2.77", TRUE},
        {FACT_CLIENT, "!127.0.0.0/8", "127.0.0.1", FALSE},
        {FACT_CLIENT, "!127.0.0.0/8", "192.0.2.1", TRUE},
        {FACT_CLIENT, "192.0.2.*", "192.0.2.1", TRUE},
        {FACT_CLIENT, "10.0.0.0/8 & 192.0.2.0/24 & !192.0.2.7", "192.0.2.6", TRUE},
        {FACT_CLIENT, "10.0.0.0/8 & 192.0.2.0/24 & !192.0.2.7", "192.0.2.7", FALSE},
        {FACT_CLIENT, "10.0.0.0/8 & 192.0.2.0/24 & !192.0.2.7", "203.0.113.1", FALSE},
        {FACT_CLIENT, "!10.0.0.0/8 & !192.0.2.0/24", "203.0.113.1", TRUE},
        {FACT_SIZE, ">10M", "10485761", TRUE},
        {FACT_SIZE, ">10M", "10485760", FALSE},
        {FACT_SIZE, ">=10M", "10485760", TRUE},
        {FACT_SIZE, "< 1K", "1023", TRUE},
        {FACT_SIZE, "<=1K", "1025", FALSE},
        {FACT_SIZE, "=5", "5", TRUE},
        {FACT_SIZE, ">1K & !>2K", "3000", FALSE},
        {FACT_SIZE, ">1K & !>2K", "1500", TRUE},
        {FACT_HEADER, "Subject: *viagra*", "From: a & subject: VIAGRA now", TRUE},
        {FACT_HEADER, "Subject: *viagra*", "From: viagra & To: b", FALSE},
        {FACT_HEADER, "!List-Id:*", "From: a & List-Id: x", FALSE},
        {FACT_HEADER, "!List-Id:*", "From: a", TRUE},
        {FACT_CODE, "550", "550", TRUE},
        {FACT_CODE, "4*", "450", TRUE},
        {FACT_CODE, "4*", "550", FALSE},
        {FACT_STATUS, "5.7.*", "5.7.26", TRUE},
        {FACT_STATUS, "", "", TRUE},
        {FACT_STATUS, "!*", "", TRUE},
        {FACT_CATEGORY, "user-unknown", "user-unknown", TRUE},
        {FACT_CATEGORY, "mailbox-*", "mailbox-full", TRUE},
        {FACT_STAGE, "mail & rcpt", "rcpt", TRUE},
        {FACT_STAGE, "!eom", "eom", FALSE},
        {FACT_DIRECTION, "outbound", "inbound", FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Matcher) matcher = matcher_of(cases[i].fact, cases[i].list, NULL, &error);
        if (matcher == NULL)
            fail_msg("%s: %s", cases[i].list, error->message);
        g_auto(GStrv) values = g_strsplit(cases[i].value, " & ", -1);
        const char *none[] = {"", NULL};
        const char *const *all = cases[i].value[0] != '\0' ? (const char *const *)values : none;
        if (matcher_match(matcher, all, NULL) != cases[i].hit)
            fail_msg("%s on %s", cases[i].list, cases[i].value);
    }
}

static void
no_value_at_all(void **state)
{
    const char *none[] = {NULL};
    g_autoptr(Matcher) plain = matcher_of(FACT_HEADER, "X-Spam:*", NULL, NULL);
    g_autoptr(Matcher) negated = matcher_of(FACT_HEADER, "!X-Spam:*", NULL, NULL);
    (void)state;
    assert_false(matcher_match(plain, none, NULL));
    assert_true(matcher_match(negated, none, NULL));
}

static void
refuses(void **state)
{
    static const struct {
        Fact fact;
        const char *text, *fault;
    } cases[] = {
        {FACT_HELO, "/abc", "\"/abc\" begins a regular expression that no second \"/\" ends"},
        {FACT_HELO, "/", "\"/\" begins a regular expression that no second \"/\" ends"},
        {FACT_HELO, "/a/g",
         "unknown flag \"g\" behind the regular expression: i, m, s and x exist"},
        {FACT_HELO, "/(/", "\"/(/\" is no regular expression: missing terminating )"},
        {FACT_HELO, "/a: (b/", "\"/a: (b/\" is no regular expression: missing terminating )"},
        {FACT_HELO, "/\bword/",
         "the regular expression holds a control octet: a backslash is "
         "written twice, as in \"\\\\b\""},
        {FACT_CLIENT, "192.0.2.300", "\"192.0.2.300\" is no address and no address block"},
        {FACT_CLIENT, "mx*", "\"mx*\" is no address and no address block"},
        {FACT_CLIENT, "192.0.2.1/24",
         "\"192.0.2.1/24\" has bits set behind its prefix: did you mean \"192.0.2.0/24\"?"},
        {FACT_SIZE, "10M", "\"10M\" is no comparison with a size: write it as \">10M\""},
        {FACT_SIZE, ">10X", "\">10X\" is no comparison with a size: write it as \">10M\""},
        {FACT_SIZE, ">", "\">\" is no comparison with a size: write it as \">10M\""},
        {FACT_CODE, "250", "\"250\" is no code of a refusal: 400 to 599, or \"5*\""},
        {FACT_CODE, "6*", "\"6*\" is no code of a refusal: 400 to 599, or \"5*\""},
        {FACT_CODE, "55", "\"55\" is no code of a refusal: 400 to 599, or \"5*\""},
        {FACT_STATUS, "5.7", "\"5.7\" is no enhanced status: write it as \"5.1.1\" or \"5.7.*\""},
        {FACT_CATEGORY, "user-unknow",
         "unknown category \"user-unknow\": did you mean \"user-unknown\"?"},
        {FACT_CATEGORY, "zzz*",
         "unknown category \"zzz*\": `replyctl explain categories` lists them"},
        {FACT_DIRECTION, "in",
         "unknown direction \"in\": it can be one of inbound, outbound, local"},
        {FACT_STAGE, "recpt", "unknown stage \"recpt\": did you mean \"rcpt\"?"},
        {FACT_HEADER, "viagra", "\"viagra\" can match no header: write it as \"Subject: *text*\""},
        {FACT_HEADER, "file:x", "a header cannot be looked up in a file"},
        {FACT_HELO, "file:", "\"file:\" needs a path behind it"},
        {FACT_HELO, "file:/nowhere/at/all",
         "\"/nowhere/at/all\" cannot be opened: No such file or directory"},
        {FACT_HELO, "file:/", "\"/\" is a directory"},
        {FACT_HELO, "file:/dev/null", "\"/dev/null\" is not a regular file"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(matcher_of(cases[i].fact, cases[i].text, NULL, &error));
        assert_string_equal(error->message, cases[i].fault);
    }
    g_autoptr(GError) error = NULL;
    assert_null(matcher_new(FACT_HELO, NULL, 0, NULL, &error));
    assert_string_equal(error->message, "the list of \"helo\" is empty, so it could never match");
}

static void
captures(void **state)
{
    MatchCaptures captures = {NULL, NULL};
    const char *values[] = {"From: x", "Subject: Win 500 EUR", NULL};
    g_autoptr(Matcher) matcher =
        matcher_of(FACT_HEADER, "!/(never)/ & /^Subject: (\\w+) (a)?(\\d+)/", NULL, NULL);
    (void)state;
    assert_int_equal(matcher_groups(matcher), 3);
    assert_true(matcher_match(matcher, values, &captures));
    assert_int_equal(captures.captures->len, 3);
    assert_string_equal(g_ptr_array_index(captures.captures, 0), "Win");
    assert_string_equal(g_ptr_array_index(captures.captures, 1), "");
    assert_string_equal(g_ptr_array_index(captures.captures, 2), "500");
    /* A second condition adds its own. */
    const char *helo[] = {"mx7", NULL};
    g_autoptr(Matcher) other = matcher_of(FACT_HELO, "/x(\\d)/", NULL, NULL);
    assert_true(matcher_match(other, helo, &captures));
    assert_string_equal(g_ptr_array_index(captures.captures, 3), "7");
    assert_null(captures.value);
    match_captures_clear(&captures);
    assert_null(captures.captures);
}

static const char *
find(const Matcher *matcher, const char *value, MatchCaptures *captures)
{
    const char *values[] = {value, NULL};
    match_captures_clear(captures);
    if (!matcher_match(matcher, values, captures))
        return NULL;
    return captures->value != NULL ? captures->value : "";
}

static void
looks_into_files(void **state)
{
    Files *files = *state;
    MatchCaptures captures = {NULL, NULL};
    write_keys(files, "# moved people\n\nOld@Example.org   new@example.net \n"
                      "  @gone.example\tall of it\r\nplain@example.org\n<> null");
    g_autoptr(Matcher) sender = matcher_of(FACT_SENDER, "file:keys", files->folder, NULL);
    assert_non_null(sender);
    assert_true(matcher_has_values(sender));
    assert_string_equal(find(sender, "old@example.ORG", &captures), "new@example.net");
    assert_string_equal(find(sender, "any@gone.example", &captures), "all of it");
    assert_string_equal(find(sender, "plain@example.org", &captures), "");
    assert_string_equal(find(sender, "", &captures), "null");
    assert_null(find(sender, "other@example.org", &captures));
    assert_null(find(sender, "gone.example", &captures));
    assert_null(find(sender, "# moved people", &captures));
    g_autofree char *text = g_strdup_printf("\"file:%s\"", files->path);
    assert_string_equal(matcher_text(sender), text);

    write_keys(files, "192.0.2.0/24 net\n192.0.2.7 host\n2001:db8::/32\n0.0.0.0/0 world\n");
    g_autoptr(Matcher) client = matcher_of(FACT_CLIENT, "file:keys", files->folder, NULL);
    assert_string_equal(find(client, "192.0.2.7", &captures), "host");
    assert_string_equal(find(client, "::ffff:192.0.2.8", &captures), "net");
    assert_string_equal(find(client, "203.0.113.9", &captures), "world");
    assert_string_equal(find(client, "2001:db8::5", &captures), "");
    assert_null(find(client, "2001:db9::5", &captures));
    assert_null(find(client, "unknown", &captures));
    match_captures_clear(&captures);

    write_keys(files, "a\nb\n");
    g_autoptr(Matcher) negated = matcher_of(FACT_HELO, "!file:keys", files->folder, NULL);
    assert_false(matcher_has_values(negated));
    assert_null(find(negated, "a", &captures));
    assert_string_equal(find(negated, "c", &captures), "");
}

static void
refuses_files(void **state)
{
    Files *files = *state;
    static const struct {
        Fact fact;
        const char *content, *fault; /* behind the path */
    } cases[] = {
        {FACT_HELO, "a x\n\nA y\n", ":3: \"A\" has stood in line 1 already"},
        {FACT_HELO, "a gr\xc3\xbcn\n", ":1: the value holds what cannot stand in a reply"},
        {FACT_CLIENT, "192.0.2.0/24\nnonsense\n",
         ":2: \"nonsense\" is no address and no address "
         "block"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        write_keys(files, cases[i].content);
        assert_null(matcher_of(cases[i].fact, "file:keys", files->folder, &error));
        g_autofree char *fault = g_strconcat(files->path, cases[i].fault, NULL);
        assert_string_equal(error->message, fault);
    }
    g_autoptr(GError) nul = NULL;
    assert_true(g_file_set_contents(files->path, "a\0b", 3, NULL));
    assert_null(matcher_of(FACT_HELO, "file:keys", files->folder, &nul));
    assert_non_null(strstr(nul->message, "holds a NUL octet"));
    g_autoptr(GError) open = NULL;
    write_keys(files, "a\n");
    assert_int_equal(chmod(files->path, 0666), 0);
    assert_null(matcher_of(FACT_HELO, "file:keys", files->folder, &open));
    assert_non_null(strstr(open->message, "can be written by everybody: chmod o-w it"));
    g_autoptr(GError) large = NULL;
    assert_int_equal(chmod(files->path, 0600), 0);
    assert_int_equal(truncate(files->path, 10 * 1024 * 1024 + 1), 0);
    assert_null(matcher_of(FACT_HELO, "file:keys", files->folder, &large));
    assert_non_null(strstr(large->message, "is larger than 10M"));
}

/* Each would take years without the match limit. */
static void
ends_quickly(void **state)
{
    static const char *const expressions[] = {
        "/(a+)+$/",        "/(a|aa)+$/", "/(\\w+\\s?)+$/", "/^(([a-z])+.)+[A-Z]([a-z])+$/",
        "/a(.*)*x(.*)*y/", "/a.*a.*b/",  "/a.{0,4000}b/",  "/(*LIMIT_MATCH=4000000000)(a|a)*$/"};
    g_autofree char *value = g_strnfill(60000, 'a');
    value[59999] = '!';
    const char *values[] = {value, NULL};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(expressions); i++) {
        g_autoptr(Matcher) matcher = matcher_of(FACT_TEXT, expressions[i], NULL, NULL);
        assert_non_null(matcher);
        gint64 before = clock_monotonic_us();
        assert_false(matcher_match(matcher, values, NULL));
        assert_true(clock_monotonic_us() - before < 5 * G_USEC_PER_SEC);
    }
}

static void
names_slow_expressions(void **state)
{
    static const struct {
        const char *expression;
        gboolean slow;
    } cases[] = {
        {"/(a+)+$/", TRUE},        {"/(\\w+\\s?)+$/", TRUE},   {"/^(qu|qu)*$/", TRUE},
        {"/^localhost$/i", FALSE}, {"/spam|viagra/i", FALSE},  {"/^\\[?[\\d.]+\\]?$/", FALSE},
        {"/.*foo.*bar/", FALSE},   {"/^[^@]+@[^@]+$/", FALSE}, {"plain", FALSE},
        {"*glob*", FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Matcher) matcher = matcher_of(FACT_TEXT, cases[i].expression, NULL, NULL);
        const char *slow = matcher_slow_pattern(matcher);
        if ((slow != NULL) != cases[i].slow)
            fail_msg("%s", cases[i].expression);
        if (slow != NULL)
            assert_string_equal(slow, cases[i].expression);
    }
}

static void
writes_again(void **state)
{
    g_autoptr(Matcher) one = matcher_of(FACT_TEXT, "!/\\d \"x\"/i", NULL, NULL);
    g_autoptr(Matcher) two = matcher_of(FACT_CLIENT, "!10.0.0.0/8 & *", NULL, NULL);
    (void)state;
    assert_string_equal(matcher_text(one), "\"!/\\\\d \\\"x\\\"/i\"");
    assert_string_equal(matcher_text(two), "[ \"!10.0.0.0/8\", \"*\" ]");
}

static void
knows_facts(void **state)
{
    Fact fact;
    (void)state;
    for (guint i = 0; i < FACT_COUNT; i++) {
        assert_true(fact_from_name(fact_name((Fact)i), &fact));
        assert_int_equal(fact, i);
    }
    assert_false(fact_from_name("nothing", &fact));
    assert_int_equal(g_strv_length((char **)fact_names()), FACT_COUNT);
    assert_int_equal(fact_known_at(FACT_TEXT), CHECK_POINT_NEVER);
    assert_int_equal(fact_known_at(FACT_AUTH_USER), CHECK_POINT_MAIL);
    assert_string_equal(check_point_name(CHECK_POINT_HEADERS), "headers");
    assert_int_equal(check_point_stage(CHECK_POINT_HEADERS), SMTP_STAGE_EOM);
}

static void
reads_sizes(void **state)
{
    static const struct {
        const char *text;
        gint64 octets;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"1023", 1023, "1023"},
        {"64K", 65536, "64K"},
        {"1024k", 1048576, "1M"},
        {"3G", 3221225472, "3G"},
        {"9223372036854775807", G_MAXINT64, "9223372036854775807"},
    };
    static const char *const wrong[] = {
        "", "M", "-1", "1 M", "1MB", "1.5M", "9223372036854775808", "9223372036854775807K"};
    gint64 octets;
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(octets_parse(cases[i].text, &octets));
        assert_int_equal(octets, cases[i].octets);
        g_autofree char *printed = octets_format(octets);
        assert_string_equal(printed, cases[i].printed);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        assert_false(octets_parse(wrong[i], &octets));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(no_value_at_all),
        cmocka_unit_test(refuses),
        cmocka_unit_test(captures),
        cmocka_unit_test_setup_teardown(looks_into_files, make_files, remove_files),
        cmocka_unit_test_setup_teardown(refuses_files, make_files, remove_files),
        cmocka_unit_test(ends_quickly),
        cmocka_unit_test(names_slow_expressions),
        cmocka_unit_test(writes_again),
        cmocka_unit_test(knows_facts),
        cmocka_unit_test(reads_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
