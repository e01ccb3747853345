/*
 * policy/address_block: blocks, what they hold, and how they are printed.
 */
#include "test_support.h"

#include "policy/address_block.h"

static void
parses_and_prints(void **state)
{
    static const struct {
        const char *text, *printed, *fault;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24", NULL},
        {"192.0.2.1", "192.0.2.1", NULL},
        {"192.0.2.1/32", "192.0.2.1", NULL},
        {"0.0.0.0/0", "0.0.0.0/0", NULL},
        {"::/0", "::/0", NULL},
        {"2001:DB8::/32", "2001:db8::/32", NULL},
        {"::1", "::1", NULL},
        {"::ffff:192.0.2.0/120", "192.0.2.0/24", NULL},
        {"[192.0.2.1]", "192.0.2.1", NULL},
        {"IPv6:2001:db8::1", "2001:db8::1", NULL},
        {"192.0.2.1/24", NULL,
         "\"192.0.2.1/24\" has bits set behind its prefix: did you mean \"192.0.2.0/24\"?"},
        {"192.0.2.0/33", NULL, "\"192.0.2.0/33\": the prefix is a number from 0 to 32"},
        {"2001:db8::/129", NULL, "\"2001:db8::/129\": the prefix is a number from 0 to 128"},
        {"192.0.2.0/", NULL, "\"192.0.2.0/\": the prefix is a number from 0 to 32"},
        {"192.0.2.0/-1", NULL, "\"192.0.2.0/-1\": the prefix is a number from 0 to 32"},
        {"192.0.2", NULL, "\"192.0.2\" is no address and no address block"},
        {"", NULL, "\"\" is no address and no address block"},
        {"localhost", NULL, "\"localhost\" is no address and no address block"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        AddressBlock block;
        gboolean parsed = address_block_parse(cases[i].text, &block, &error);
        if (cases[i].fault != NULL) {
            assert_false(parsed);
            assert_string_equal(error->message, cases[i].fault);
            continue;
        }
        assert_true(parsed);
        g_autofree char *printed = address_block_format(&block);
        assert_string_equal(printed, cases[i].printed);
    }
}

static void
holds_addresses(void **state)
{
    static const struct {
        const char *block, *address;
        gboolean inside;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", TRUE},
        {"192.0.2.0/24", "192.0.3.0", FALSE},
        {"192.0.2.0/24", "::ffff:192.0.2.9", TRUE},
        {"192.0.2.0/24", "[192.0.2.9]", TRUE},
        {"192.0.2.0/25", "192.0.2.128", FALSE},
        {"0.0.0.0/0", "203.0.113.1", TRUE},
        {"0.0.0.0/0", "2001:db8::1", FALSE},
        {"::/0", "2001:db8::1", TRUE},
        {"2001:db8::/33", "2001:db8:8000::", FALSE},
        {"2001:db8::/33", "IPv6:2001:db8:7fff::1", TRUE},
        {"2001:db8::/32", "unknown", FALSE},
        {"::1", "::1", TRUE},
        {"0.0.0.0/0", "", FALSE},
        {"0.0.0.0/0", "[", FALSE},
        {"0.0.0.0/0", "[]", FALSE},
        {"0.0.0.0/0", "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
         FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        AddressBlock block;
        assert_true(address_block_parse(cases[i].block, &block, NULL));
        assert_int_equal(address_block_contains(&block, cases[i].address), cases[i].inside);
    }
}

static void
covers_blocks(void **state)
{
    AddressBlock wide, narrow;
    (void)state;
    assert_true(address_block_parse("10.0.0.0/8", &wide, NULL));
    assert_true(address_block_parse("10.1.0.0/16", &narrow, NULL));
    assert_true(address_block_covers(&wide, &narrow));
    assert_false(address_block_covers(&narrow, &wide));
    assert_true(address_block_covers(&wide, &wide));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_prints),
        cmocka_unit_test(holds_addresses),
        cmocka_unit_test(covers_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
