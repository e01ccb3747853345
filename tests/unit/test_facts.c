/*
 * engine/facts and engine/reference: what a door knows, and the id of a rewritten reply.
 */
#include "test_support.h"

#include <string.h>

#include "engine/facts.h"
#include "engine/reference.h"

static void
doors_have_names(void **state)
{
    Door door = DOOR_COUNT;
    (void)state;
    for (guint i = 0; i < DOOR_COUNT; i++) {
        assert_true(door_from_name(door_name((Door)i), &door));
        assert_int_equal(door, i);
    }
    assert_string_equal(door_name(DOOR_FOOTER), "footer");
    assert_false(door_from_name("window", &door));
}

static void
unknown_is_not_none(void **state)
{
    Facts facts;
    (void)state;
    facts_init(&facts, DOOR_REJECT);
    assert_null(facts_get(&facts, FACT_SENDER));
    assert_int_equal(facts.size, -1);
    facts_set(&facts, FACT_SENDER, "");
    assert_string_equal(facts_get(&facts, FACT_SENDER), "");
    facts_set(&facts, FACT_SENDER, facts_get(&facts, FACT_SENDER));
    assert_string_equal(facts_get(&facts, FACT_SENDER), "");
    facts_set(&facts, FACT_SENDER, NULL);
    assert_null(facts_get(&facts, FACT_SENDER));
    facts_set(&facts, FACT_HELO, "mx.example.org");
    facts_clear(&facts);
    assert_null(facts_get(&facts, FACT_HELO));
    assert_int_equal(facts.door, DOOR_REJECT);
}

/* Each letter depends on bits of its own, and no two sets of bits give the same reference. */
static void
references_are_unbiased(void **state)
{
    (void)state;
    for (guint place = 0; place < REFERENCE_LENGTH; place++) {
        g_autofree char *seen = g_strdup("");
        for (guint64 bits = 0; bits < 32; bits++) {
            g_autofree char *reference = reference_new(bits << (5 * place));
            assert_int_equal(strlen(reference), REFERENCE_LENGTH);
            assert_null(strpbrk(reference, "0O1Il"));
            assert_null(strchr(seen, reference[place]));
            char *more = g_strdup_printf("%s%c", seen, reference[place]);
            g_free(seen);
            seen = more;
        }
        assert_int_equal(strlen(seen), 32);
    }
}

static void
own_lines_are_recognised(void **state)
{
    static const struct {
        const char *line;
        gboolean ours;
    } cases[] = {
        {"Reference: KX7M2QRT", TRUE},   {"See the help page. Reference: KX7M2QRT", TRUE},
        {"Reference: KX7M2QR", FALSE},   /* short */
        {"Reference: KX7M2QRTT", FALSE}, /* long */
        {"Reference: KX7M2QR0", FALSE},  /* not a letter of ours */
        {"Reference: kx7m2qrt", FALSE},  /* case counts */
        {"Reference: KX7M2QRT.", FALSE}, /* something behind it */
        {"XReference: KX7M2QRT", FALSE}, /* another word */
        {"Reference:  KX7M2QRT", FALSE}, {"", FALSE},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(reference_ends(cases[i].line), cases[i].ours);
    g_autofree char *reference = reference_new(G_GUINT64_CONSTANT(0x0123456789abcdef));
    g_autofree char *line = reference_line(reference);
    assert_true(reference_ends(line));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doors_have_names),
        cmocka_unit_test(unknown_is_not_none),
        cmocka_unit_test(references_are_unbiased),
        cmocka_unit_test(own_lines_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
