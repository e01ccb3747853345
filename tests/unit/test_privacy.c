/*
 * record/privacy: nothing that is to be hidden is left, in whatever form, and the rest stays.
 */
#include <string.h>

#include "test_support.h"

#include "base/clock.h"
#include "record/privacy.h"

typedef struct {
    PolicySettings settings;
    Facts facts;
    PrivacyFilter *filter;
} View;

static void
view_init(View *view, Privacy addresses, Privacy client)
{
    *view = (View){.settings = {.log = {.addresses = addresses, .client = client}}};
    view->settings.log.key = g_bytes_new_static("a key of this site", 18);
    facts_init(&view->facts, DOOR_MILTER);
    facts_set(&view->facts, FACT_CLIENT, "192.0.2.77");
    facts_set(&view->facts, FACT_CLIENT_NAME, "host-77.dyn.client.example");
    facts_set(&view->facts, FACT_HELO, "BOBS-PC");
    facts_set(&view->facts, FACT_SENDER, "alice@Sender.example");
    facts_set(&view->facts, FACT_RECIPIENT, "bob.smith+shop@rcpt.example");
    view->filter = privacy_filter_new(&view->settings, &view->facts);
}

static void
view_clear(View *view)
{
    privacy_filter_free(view->filter);
    facts_clear(&view->facts);
    g_bytes_unref(view->settings.log.key);
}

static void
leaves_all_where_all_is_plain(void **state)
{
    View view;
    (void)state;
    view_init(&view, PRIVACY_PLAIN, PRIVACY_PLAIN);
    assert_null(view.filter);
    g_autofree char *text = privacy_text(NULL, "bob@rcpt.example from 192.0.2.77");
    assert_string_equal(text, "bob@rcpt.example from 192.0.2.77");
    assert_null(privacy_client(NULL, NULL));
    view_clear(&view);
}

typedef char *(*Hide)(const PrivacyFilter *, const char *);

typedef struct {
    const char *raw, *hidden;
} Case;

static void
walk(View *view, Hide hide, const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *hidden = hide(view->filter, cases[i].raw);
        assert_string_equal(hidden, cases[i].hidden);
    }
}

static void
shows_domains_and_prefixes(void **state)
{
    static const Case addresses[] = {
        {"", ""},
        {"alice@Sender.example", "*@Sender.example"},
        {"\"a b@c\"@sender.example", "*@sender.example"},
        {"postmaster", "*"},
        {"x@[192.0.2.5]", "*@[192.0.2.0/24]"},
        {"x@[IPv6:2001:db8:1:2::5]", "*@[IPv6:2001:db8:1::/48]"},
    };
    static const Case clients[] = {
        {"192.0.2.77", "192.0.2.0/24"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
        {"::ffff:192.0.2.77", "192.0.2.0/24"},
        {"::1", "::/48"},
        {"localhost", "localhost"},
        {"/var/run/socket", "*"},
    };
    static const Case hosts[] = {
        {"unknown", "unknown"},
        {"mail.client.example", "*.client.example"},
        {"a.b.c.client.example", "*.client.example"},
        {"client.example", "client.example"},
        {"client.example.", "*.example."},
        {"192-0-2-77.example", "*"},
        {"77.2.0.192.dyn.client.example", "*.client.example"},
        {"BOBS-PC", "*"},
        {"[192.0.2.77]", "[192.0.2.0/24]"},
        {"[IPv6:2001:db8:1:2::5]", "[2001:db8:1::/48]"},
        {"192.0.2.77", "192.0.2.0/24"},
        {"2.77", "*"},
        {"what is this\r\n", "*"},
        {"bob@client.example", "*"},
    };
    View view;
    (void)state;
    view_init(&view, PRIVACY_PARTIAL, PRIVACY_PARTIAL);
    walk(&view, privacy_address, addresses, G_N_ELEMENTS(addresses));
    walk(&view, privacy_client, clients, G_N_ELEMENTS(clients));
    walk(&view, privacy_host, hosts, G_N_ELEMENTS(hosts));
    view_clear(&view);
}

static void
hides_in_texts(void **state)
{
    static const Case texts[] = {
        {"", ""},
        {"User unknown in local recipient table", "User unknown in local recipient table"},
        {"<bob.smith+shop@rcpt.example>: Recipient address rejected",
         "<*@rcpt.example>: Recipient address rejected"},
        {"no mailbox BOB.SMITH here, nor bob.smith+shop.", "no mailbox * here, nor *."},
        {"bobby.smithers is another word", "bobby.smithers is another word"},
        {"<a@b.example>,<c@d.example>; e@f", "<*@b.example>,<*@d.example>; *@f"},
        {"\"john doe\"@x.example is quoted", "*@x.example is quoted"},
        {"a@b@c.example", "*@c.example"},
        {"bounces+bob.smith=rcpt.example@list.example", "*@list.example"},
        {"odd o'neil/x{y}|z@x.example", "odd *@x.example"},
        {"gr\xc3\xbc\xc3\x9f@x.example", "*@x.example"},
        {"cut off joe@", "cut off *@"},
        {"joe @ x.example, and joe [at] x [dot] example",
         "* @ x.example, and * [at] x [dot] example"},
        {"noon @ 12 o'clock", "noon @ 12 o'clock"},
        {"see https://help.example/why?e=joe%40x.example&c=550 now",
         "see https://help.example/why?e=*%40x.example&c=550 now"},
        {"see https://help.example/u/joe@x.example", "see https://help.example/u/*@x.example"},
        {"joe%2540x.example joe=40x.example joe&#64;x.example joe&#x40;x.example",
         "*%2540x.example *=40x.example *&#64;x.example *&#x40;x.example"},
        {"rfc822;joe+40x.example", "rfc822;*+40x.example"},
        {"joe\xef\xbc\xa0x.example j\xc2\xad"
         "oe@x.example",
         "*\xef\xbc\xa0x.example *@x.example"},
        {"token am9lQHguZXhhbXBsZQ== or 6a6f6540782e6578616d706c65", "token *== or *"},
        {"token VXNlciB1bmtub3du stays", "token VXNlciB1bmtub3du stays"},
        {"Client host [192.0.2.77] blocked using zen.example",
         "Client host [192.0.2.0/24] blocked using zen.example"},
        {"https://list.example/query/ip/192.0.2.77.",
         "https://list.example/query/ip/192.0.2.0/24."},
        {"77.2.0.192.zen.example", "*.zen.example"},
        {"5.5.5.5.zen.example and x9-9-9-9.pool.example", "*.zen.example and x*.pool.example"},
        {"192-0-2-77 192_0_2_77 c000024d 3221226061 192000002077", "* * * * *"},
        {"192%2E0%2E2%2E77 192.0.2[.]77 192.000.002.077", "192.0.2.0/24 192.0.2.0/24 192.0.2.0/24"},
        {"IPv6:2001:db8:1:2::5: no, [2001:db8:1:2::5]:25",
         "IPv6:2001:db8:1::/48: no, [2001:db8:1::/48]:25"},
        {"::ffff:192.0.2.9", "192.0.2.0/24"},
        {"5.0.0.0.1.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "*ip6.arpa"},
        {"h-2001-db8-1-2-0-0-0-5.isp.example 2001-db8-1--5.isp.example",
         "h-*.isp.example *.isp.example"},
        {"aa:bb:cc:dd:ee:ff at 12:30:45", "* at 12:30:45"},
        {"550-5.7.1 Postfix 3.7.11, 2026-11-21, 1.3.6.1",
         "550-5.7.1 Postfix 3.7.11, 2026-11-21, 1.3.6.0/24"},
        {"<bobs-pc>: Helo command rejected; host-77.dyn.client.example[192.0.2.77]",
         "<*>: Helo command rejected; *.client.example[192.0.2.0/24]"},
        {"mx.remote.example said no", "mx.remote.example said no"},
    };
    View view;
    (void)state;
    view_init(&view, PRIVACY_PARTIAL, PRIVACY_PARTIAL);
    walk(&view, privacy_text, texts, G_N_ELEMENTS(texts));
    view_clear(&view);
}

static void
hides_one_kind_alone(void **state)
{
    const char *text = "<joe@x.example> from [192.0.2.77], HELO bobs-pc, alice";
    View view;
    (void)state;
    view_init(&view, PRIVACY_PARTIAL, PRIVACY_PLAIN);
    g_autofree char *addresses = privacy_text(view.filter, text);
    assert_string_equal(addresses, "<*@x.example> from [192.0.2.77], HELO bobs-pc, *");
    g_autofree char *helo = privacy_host(view.filter, "joe@x.example");
    assert_string_equal(helo, "*@x.example");
    view_clear(&view);
    view_init(&view, PRIVACY_PLAIN, PRIVACY_PARTIAL);
    g_autofree char *clients = privacy_text(view.filter, text);
    assert_string_equal(clients, "<joe@x.example> from [192.0.2.0/24], HELO *, alice");
    g_autofree char *literal = privacy_address(view.filter, "x@[192.0.2.5]");
    assert_string_equal(literal, "x@[192.0.2.0/24]");
    view_clear(&view);
}

/* The hash of a value is the same in its field and in every text. */
static void
hashes_alike_everywhere(void **state)
{
    View view;
    (void)state;
    view_init(&view, PRIVACY_HASHED, PRIVACY_HASHED);
    g_autofree char *recipient = privacy_address(view.filter, "bob.smith+shop@rcpt.example");
    g_autofree char *client = privacy_client(view.filter, "192.0.2.77");
    g_autofree char *mapped = privacy_client(view.filter, "::ffff:192.0.2.77");
    g_autofree char *helo = privacy_host(view.filter, "bobs-pc");
    assert_true(g_str_has_prefix(recipient, "hash:"));
    assert_int_equal(strlen(recipient), strlen("hash:") + 16);
    assert_string_equal(client, mapped);
    assert_string_not_equal(client, helo);
    g_autofree char *text = privacy_text(
        view.filter, "<Bob.Smith+shop@RCPT.example> bob.smith%2Bshop%40rcpt.example at "
                     "[192.0.2.77] 77.2.0.192.zen.example <BOBS-PC>");
    g_autofree char *expected = g_strdup_printf("<%s> %s at [%s] %s.zen.example <%s>", recipient,
                                                recipient, client, client, helo);
    assert_string_equal(text, expected);
    g_autofree char *null_sender = privacy_address(view.filter, "");
    assert_string_equal(null_sender, "");
    view_clear(&view);
}

static void
hashes_with_the_key(void **state)
{
    View view;
    (void)state;
    view_init(&view, PRIVACY_HASHED, PRIVACY_HASHED);
    g_autofree char *one = privacy_address(view.filter, "a@b.example");
    g_bytes_unref(view.settings.log.key);
    view.settings.log.key = g_bytes_new_static("another", 7);
    g_autofree char *other = privacy_address(view.filter, "a@b.example");
    assert_string_not_equal(one, other);
    g_bytes_unref(view.settings.log.key);
    view.settings.log.key = NULL;
    g_autofree char *none = privacy_address(view.filter, "a@b.example");
    assert_string_equal(none, "hidden");
    view.settings.log.key = g_bytes_new_static("", 0);
    view_clear(&view);
}

/* What makes a search slow if it is made wrong: a second is a hundred times what it takes. */
static void
takes_linear_time(void **state)
{
    static const char *const units[] = {"@",   "@[",   "a@",   "\"@",  "\"a\"@", "%25",   "1.",
                                        "1-",  ":a",   "::",   "a.",   "a-",     "bob.",  "=40",
                                        "[at", "192.", "6a6f", "QUFB", "/?&=a@", " @ x.", "<"};
    View view;
    (void)state;
    view_init(&view, PRIVACY_HASHED, PRIVACY_PARTIAL);
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < 65536)
            g_string_append(text, units[i]);
        gint64 start_us = clock_monotonic_us();
        g_autofree char *hidden = privacy_text(view.filter, text->str);
        assert_non_null(hidden);
        assert_true(clock_monotonic_us() - start_us < 4 * G_USEC_PER_SEC);
    }
    view_clear(&view);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_all_where_all_is_plain),
        cmocka_unit_test(shows_domains_and_prefixes),
        cmocka_unit_test(hides_in_texts),
        cmocka_unit_test(hides_one_kind_alone),
        cmocka_unit_test(hashes_alike_everywhere),
        cmocka_unit_test(hashes_with_the_key),
        cmocka_unit_test(takes_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
