/*
 * server/policy_holder: the policy in force, whole, for as long as somebody holds it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "test_support.h"

#include "policy_fixture.h"
#include "server/policy_holder.h"

#define POLICIES 40

/* Its number stands in three places. */
static Policy *
numbered_policy(int number)
{
    g_autofree char *text =
        g_strdup_printf("site = { contact = \"%d@example.net\"; };\n"
                        "log = { rate = %d; };\n"
                        "replies = { rules = ( { name = \"rule-%d\"; when = { code = \"550\"; };\n"
                        "  then = { mode = \"keep\"; }; } ); };\n",
                        number, number, number);
    return policy_from(text);
}

/* The policy's number, or -1 if it is not whole. */
static int
number_of(const Policy *policy)
{
    const PolicySettings *settings = policy_settings(policy);
    g_autofree char *contact = g_strdup_printf("%u@example.net", settings->log.rate);
    g_autofree char *rule = g_strdup_printf("rule-%u", settings->log.rate);
    gboolean whole = strcmp(settings->site.contact, contact) == 0 &&
                     policy_rule_count(policy) == 1 &&
                     strcmp(policy_rule(policy, 0)->name, rule) == 0;
    return whole ? (int)settings->log.rate : -1;
}

static void
gives_the_one_in_force(void **state)
{
    Policy *first = numbered_policy(1), *second = numbered_policy(2);
    g_autoptr(PolicyHolder) holder = policy_holder_new(first);
    (void)state;
    g_autoptr(Policy) begun_with = policy_holder_get(holder);
    assert_ptr_equal(begun_with, first);
    policy_holder_set(holder, second);
    g_autoptr(Policy) now = policy_holder_get(holder);
    assert_ptr_equal(now, second);
    /* What began with the old one goes on with it. */
    assert_int_equal(number_of(begun_with), 1);
    assert_int_equal(number_of(now), 2);
}

static void
outlives_its_holder(void **state)
{
    PolicyHolder *holder = policy_holder_new(numbered_policy(7));
    (void)state;
    g_autoptr(Policy) policy = policy_holder_get(holder);
    policy_holder_free(holder);
    policy_holder_free(NULL);
    assert_int_equal(number_of(policy), 7);
}

typedef struct {
    PolicyHolder *holder;
    atomic_int broken, backward, looks;
    atomic_bool stop;
} Readers;

/* Each look finds a whole policy, and never an older one than before. */
static void *
look_often(void *data)
{
    Readers *readers = data;
    int last = 0;
    do {
        g_autoptr(Policy) policy = policy_holder_get(readers->holder);
        int number = number_of(policy);
        if (number < 0)
            atomic_fetch_add(&readers->broken, 1);
        else if (number < last)
            atomic_fetch_add(&readers->backward, 1);
        last = MAX(last, number);
        atomic_fetch_add(&readers->looks, 1);
    } while (!atomic_load(&readers->stop));
    return NULL;
}

static void
serves_several_threads(void **state)
{
    pthread_t threads[4];
    Readers readers = {.holder = policy_holder_new(numbered_policy(1))};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_often, &readers), 0);
    for (int number = 2; number <= POLICIES; number++) {
        int before = atomic_load(&readers.looks);
        policy_holder_set(readers.holder, numbered_policy(number));
        while (atomic_load(&readers.looks) == before)
            g_usleep(100);
    }
    atomic_store(&readers.stop, TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&readers.broken), 0);
    assert_int_equal(atomic_load(&readers.backward), 0);
    g_autoptr(Policy) last = policy_holder_get(readers.holder);
    assert_int_equal(number_of(last), POLICIES);
    policy_holder_free(readers.holder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_one_in_force),
        cmocka_unit_test(outlives_its_holder),
        cmocka_unit_test(serves_several_threads),
    };
    return cmocka_run_group_tests(tests, policy_fixture_begin, policy_fixture_end);
}
