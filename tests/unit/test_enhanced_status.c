/*
 * mail/enhanced_status, mail/smtp_stage and mail/address: the small values.
 */
#include "test_support.h"

#include "mail/address.h"
#include "mail/enhanced_status.h"
#include "mail/smtp_stage.h"

static void
scans(void **state)
{
    static const struct {
        const char *text;
        gsize taken;
        EnhancedStatus status;
    } cases[] = {
        {"5.1.1", 5, {5, 1, 1}},    {"5.7.133 no", 7, {5, 7, 133}},
        {"4.0.0)", 5, {4, 0, 0}},   {"2.10.999\r", 8, {2, 10, 999}},
        {"5.1.1.", 5, {5, 1, 1}},   {"5.1.1.2", 0, {0, 0, 0}},
        {"5.1.1x", 0, {0, 0, 0}},   {"5.01.1", 0, {0, 0, 0}},
        {"5.1.1234", 0, {0, 0, 0}}, {"3.1.1", 0, {0, 0, 0}},
        {"5.1", 0, {0, 0, 0}},      {"5..1", 0, {0, 0, 0}},
        {"", 0, {0, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        EnhancedStatus status = ENHANCED_STATUS_NONE;
        assert_int_equal(enhanced_status_scan(cases[i].text, &status), cases[i].taken);
        assert_true(enhanced_status_equal(status, cases[i].status));
    }
}

static void
formats_what_it_parses(void **state)
{
    char buffer[ENHANCED_STATUS_TEXT_SIZE];
    EnhancedStatus status;
    (void)state;
    assert_true(enhanced_status_parse("5.999.999", &status));
    assert_string_equal(enhanced_status_format(status, buffer), "5.999.999");
    assert_false(enhanced_status_parse("5.1.1 ", &status));
    assert_string_equal(enhanced_status_format(ENHANCED_STATUS_NONE, buffer), "");
    status = enhanced_status_with_class((EnhancedStatus){5, 7, 1}, 4);
    assert_string_equal(enhanced_status_format(status, buffer), "4.7.1");
}

static void
names_stages(void **state)
{
    (void)state;
    for (SmtpStage stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++)
        assert_int_equal(smtp_stage_from_name(smtp_stage_name(stage)), stage);
    assert_null(smtp_stage_name(SMTP_STAGE_UNKNOWN));
    assert_int_equal(smtp_stage_from_name("nowhere"), SMTP_STAGE_UNKNOWN);
    assert_int_equal(smtp_stage_from_command("RCPT TO"), SMTP_STAGE_RCPT);
    assert_int_equal(smtp_stage_from_command("end of DATA command"), SMTP_STAGE_EOM);
    assert_int_equal(smtp_stage_from_command("DATA command"), SMTP_STAGE_DATA);
    assert_int_equal(smtp_stage_from_command("MAIL FROM"), SMTP_STAGE_MAIL);
    assert_int_equal(smtp_stage_from_command("XYZZY"), SMTP_STAGE_UNKNOWN);
}

static void
reads_addresses(void **state)
{
    static const struct {
        const char *path, *address, *domain;
    } cases[] = {
        {"<a@Example.ORG>", "a@Example.ORG", "example.org"},
        {"a@b.example", "a@b.example", "b.example"},
        {"<@one,@two:a@b.example>", "a@b.example", "b.example"},
        {"rfc822; a@b.example", "a@b.example", "b.example"},
        {"RFC822;<a@b.example>", "a@b.example", "b.example"},
        {"  <\"odd@ local\"@b.example> ", "\"odd@ local\"@b.example", "b.example"},
        {"<>", "", ""},
        {"", "", ""},
        {"postmaster", "postmaster", ""},
        {"<unclosed@b.example", "unclosed@b.example", "b.example"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *address = address_parse(cases[i].path);
        g_autofree char *domain = address_domain(address);
        assert_string_equal(address, cases[i].address);
        assert_string_equal(domain, cases[i].domain);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans),
        cmocka_unit_test(formats_what_it_parses),
        cmocka_unit_test(names_stages),
        cmocka_unit_test(reads_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
