/*
 * match/normal_text: what is masked, what must not be, and the way back to the original.
 */
#include <string.h>
#include <time.h>

#include "test_support.h"

#include "match/normal_text.h"

typedef struct {
    const char *raw, *normal;
} TextCase;

static NormalText *
normal_of(const char *raw, gsize length)
{
    NormalText *normal = normal_text_new();
    normal_text_read(normal, raw, length);
    return normal;
}

static void
check_cases(const TextCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(NormalText) normal = normal_of(cases[i].raw, strlen(cases[i].raw));
        if (strcmp(normal->text, cases[i].normal) != 0)
            print_error("raw: %s\n", cases[i].raw);
        assert_string_equal(normal->text, cases[i].normal);
        assert_int_equal(normal->length, strlen(normal->text));
    }
}

static void
masks_names(void **state)
{
    static const TextCase cases[] = {
        {"<spam@example.org>: unknown", "<addr>: unknown"},
        {"user spam@example.org unknown", "user <addr> unknown"},
        {"spam@example.org... No such user", "<addr>... No such user"},
        {"'ada@example.org'", "'<addr>'"},
        {"(ada@example.org, bob@example.org)", "(<addr>, <addr>)"},
        {"<\"ada b\"@example.org>", "<\"ada b\"@<host>>"},
        {"<=?utf-8?B?8J+QiA=?=@example.org>... User", "<addr>... User"},
        {"ada@[192.0.2.1] x", "<addr> x"},
        {"a!b@c.example", "<addr>"},
        {"rcpt=ada@example.org;x", "rcpt=<addr>;x"},
        {"To:ada@example.org", "To:<addr>"},
        {"<full>: Helo command rejected", "<addr>: Helo command rejected"},
        {"from <> to", "from <> to"},
        {"&lt;ada@example.org&gt; x", "&lt;<addr>; x"},
        {"see https://example.org/spam?x=user-unknown.", "see <url>."},
        {"(see http://example.org/a(b)c)", "(see <url>)"},
        {"<http://example.org/x>", "<url>"},
        {"see:http://example.org/x,", "see:<url>,"},
        {"https://support.example/?p=Full id1", "<url> id1"},
        {"example.org/spam/listed now", "<url> now"},
        {"listed at zen.spamhaus.org.", "listed at <host>."},
        {"mx1.example.org[192.0.2.1]:25 said", "<host><ip>:25 said"},
        {"<mx1.example.org[192.0.2.1]>: Client", "<<host><ip>>: Client"},
        {"host [192.0.2.1] x", "host <ip> x"},
        {"192.0.2.0/24", "<ip>/24"},
        {"IP:192.0.2.1,", "IP:<ip>,"},
        {"[IPv6:2001:db8::1]", "[IPv6:<ip>]"},
        {"2001:db8:0:0:0:0:0:1 ::1 x", "<ip> <ip> x"},
        {"::ffff:192.0.2.1", "<ip>"},
        {"/var/mail/full: Disk quota", "<path>: Disk quota"},
        {"queued as 4BtR3X1jSLz9sRb x", "queued as <id> x"},
        {"49365A7E688: y3si675602plr.1 - gsmtp", "<id>: <id> - gsmtp"},
        {"EXAMPLE.ORG does", "<host> does"},
        {"xn--bcher-kva.example x", "<host> x"},
        {"mail.unlisted.domainlike y", "<host> y"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
leaves_what_has_meaning(void **state)
{
    static const TextCase cases[] = {
        {"550 5.7.1 Relay access denied", "550 5.7.1 Relay access denied"},
        {"550-5.7.26 x 550 5.7.26 y", "550-5.7.26 x 550 5.7.26 y"},
        {"#5.1.0 Address rejected", "#5.1.0 Address rejected"},
        {"\"v=spf1 -all\" found", "\"v=spf1 -all\" found"},
        {"p=reject; DKIM=fail", "p=reject; DKIM=fail"},
        {"[TSS04] [BL23] (S3140) OFR005_104 RL000001",
         "[TSS04] [BL23] (S3140) OFR005_104 RL000001"},
        {"RESOLVER.ADR.RecipNotFound; not found", "RESOLVER.ADR.RecipNotFound; not found"},
        {"STOREDRV.Deliver: full", "STOREDRV.Deliver: full"},
        {"is_blocked.For assistance", "is_blocked.For assistance"},
        {"was rejected.Please ask", "was rejected.Please ask"},
        {"invoice.exe is not allowed", "invoice.exe is not allowed"},
        {"Win.Test.EICAR_HDB-1 found", "Win.Test.EICAR_HDB-1 found"},
        {"retry in 00:04:59, at 12:30:45", "retry in 00:04:59, at 12:30:45"},
        {"e.g. and/or at/Hilfe", "e.g. and/or at/Hilfe"},
        {"Net::SMTP said", "Net::SMTP said"},
        {"more than 90% of 10485760 bytes", "more than 90% of 10485760 bytes"},
        {"452 4.3.1", "452 4.3.1"},
        {"@", "@"},
        {"< >", "< >"},
        {"user @ host", "user @ host"},
        {"TLSv1.2 IPv4 8BITMIME SMTPUTF8", "TLSv1.2 IPv4 8BITMIME SMTPUTF8"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
folds_space_and_letters(void **state)
{
    static const TextCase cases[] = {
        {"", ""},
        {" \r\n\t ", ""},
        {"a \r\n\t b", "a b"},
        {"a\xc2\xa0\xe3\x80\x80 b", "a b"},
        {"Bo\xc3\xaete pleine", "Boite pleine"},
        {"Bo\xeete pleine", "Boite pleine"},
        {"Empf\xc3\xa4nger unzul\xc3\xa4ssig gro\xc3\x9f", "Empfanger unzulassig gross"},
        {"\xc5\x82\xc3\xb3\xc5\xbcko nie istnieje", "lozko nie istnieje"},
        {"doesn\xe2\x80\x99t exist \xe2\x80\x93 sorry\xe2\x80\xa6", "doesn't exist - sorry..."},
        {"\xd0\x9f\xd0\x9e\xd0\xa7\xd0\xa2\xd0\x90", "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0"},
        {"\xef\xbc\xb5\xef\xbd\x93\xef\xbd\x85\xef\xbd\x92", "User"},
        {"ada@example.jp\xe3\x81\xaf\xe8\xa6\x8b", "<addr>\xe3\x81\xaf\xe8\xa6\x8b"},
        {"\xe8\xa6\x8bmx.example.jp\xe3\x81\xaf", "\xe8\xa6\x8b<host>\xe3\x81\xaf"},
        {"\x80\xff", "\x80y"},
    };
    (void)state;
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
finds_the_way_back(void **state)
{
    static const struct {
        const char *raw, *find, *original;
    } cases[] = {
        {"550  <ada@example.org>:  no such user", "no such", "no such"},
        {"550  <ada@example.org>:\r\n no such user", "<addr>: no", "<ada@example.org>:\r\n no"},
        {"x ada@example.org y", "<addr>", "ada@example.org"},
        {"x ada@example.org y", "add", "ada@example.org"},
        {"Bo\xc3\xaete pleine", "Boite", "Bo\xc3\xaete"},
        {"zu gro\xc3\x9f!", "gros", "gro\xc3\x9f"},
        {"end <ada@example.org>", "<addr>", "<ada@example.org>"},
        {"end \xe2\x80\xa6", "...", "\xe2\x80\xa6"},
        {"listed [192.0.2.1]", "listed <ip>", "listed [192.0.2.1]"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NormalText) normal = normal_of(cases[i].raw, strlen(cases[i].raw));
        const char *found = strstr(normal->text, cases[i].find);
        assert_non_null(found);
        gsize start = (gsize)(found - normal->text);
        g_autofree char *original =
            normal_text_original(normal, cases[i].raw, start, start + strlen(cases[i].find));
        assert_string_equal(original, cases[i].original);
    }
}

static void
lists_what_it_masked(void **state)
{
    static const char raw[] = "[192.0.2.1] blocked using zen.spamhaus.org; <http://a.example/x>";
    static const struct {
        NormalMaskKind kind;
        const char *name, *mask;
    } masks[] = {
        {NORMAL_MASK_IP, "192.0.2.1", "<ip>"},
        {NORMAL_MASK_HOST, "zen.spamhaus.org", "<host>"},
        {NORMAL_MASK_URL, "http://a.example/x", "<url>"},
    };
    (void)state;
    g_autoptr(NormalText) normal = normal_of(raw, strlen(raw));
    assert_int_equal(normal->mask_count, G_N_ELEMENTS(masks));
    for (guint i = 0; i < normal->mask_count; i++) {
        const NormalMask *mask = &normal->masks[i];
        assert_int_equal(mask->kind, masks[i].kind);
        assert_int_equal(mask->length, strlen(masks[i].name));
        assert_memory_equal(raw + mask->start, masks[i].name, mask->length);
        assert_memory_equal(normal->text + mask->at, masks[i].mask, strlen(masks[i].mask));
    }
}

/* Processor time that normalising `octets` of a flood takes, in nanoseconds. */
static gint64
work(const char *unit, gsize octets)
{
    struct timespec before, after;
    g_autoptr(GString) flood = g_string_new(NULL);
    while (flood->len < octets)
        g_string_append(flood, unit);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    g_autoptr(NormalText) normal = normal_of(flood->str, flood->len);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    assert_true(normal->length <= 2 * flood->len + 1);
    assert_true(normal->mask_count <= NORMAL_TEXT_MAX_MASKS);
    return (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec + 1;
}

/*
 * What a careless scanner reads again and again. Of sixteen times the text the work is sixteenfold;
 * of reading again it would be 256-fold each time, while what else the machine does disturbs only
 * some of the rounds.
 */
static void
stays_linear(void **state)
{
    static const char *const floods[] = {"<",         "a@b+",   "a.",   "a:",      "a::", "/a",
                                         "://",       "::",     "@",    "a://",    "-",   "a@",
                                         "[",         "<a",     "\xff", "1.2.",    "x@[", "a@[b",
                                         "(http://x", "x.de/,", "/.",   "http://,"};
    enum { SIZE = 2 * 1024, TIMES = 16, LINEAR = 4 * TIMES, ROUNDS = 4 };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(floods); i++) {
        gint64 ratio = LINEAR;
        for (int round = 0; round < ROUNDS && ratio >= LINEAR; round++)
            ratio = work(floods[i], (gsize)SIZE * TIMES) / work(floods[i], SIZE);
        if (ratio >= LINEAR)
            fail_msg("%s: %d times the text, %d times the work", floods[i], TIMES, (int)ratio);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_names),
        cmocka_unit_test(leaves_what_has_meaning),
        cmocka_unit_test(folds_space_and_letters),
        cmocka_unit_test(finds_the_way_back),
        cmocka_unit_test(lists_what_it_masked),
        cmocka_unit_test(stays_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
