/*
 * Tests of milter_reply, with a libmilter that takes a reply or does not.
 */
#include <stdarg.h>

#include "test_support.h"

#include "captured_log.h"
#include "server/milter_reply.h"

static int answer;
static GString *taken;

static void
take(const char *code, const char *status)
{
    g_string_printf(taken, "%s %s", code, status != NULL ? status : "-");
}

int
smfi_setreply(SMFICTX *context, char *code, char *status, char *text)
{
    (void)context;
    take(code, status);
    g_string_append_printf(taken, " [%s]", text);
    return answer;
}

int
smfi_setmlreply(SMFICTX *context, const char *code, const char *status, ...)
{
    va_list lines;
    (void)context;
    take(code, status);
    va_start(lines, status);
    for (const char *text; (text = va_arg(lines, const char *)) != NULL;)
        g_string_append_printf(taken, " [%s]", text);
    va_end(lines);
    return answer;
}

static sfsistat
set(const char *text)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(text, -1);
    return milter_reply_set(NULL, reply);
}

static void
replies_reach_libmilter(void **state)
{
    static const struct {
        const char *reply, *taken;
        sfsistat answer;
    } cases[] = {
        {"550 5.7.1 No.", "550 5.7.1 [No.]", SMFIS_REJECT},
        {"451 4.7.1 Not now.", "451 4.7.1 [Not now.]", SMFIS_TEMPFAIL},
        {"421 4.7.0 Bye.", "421 4.7.0 [Bye.]", SMFIS_TEMPFAIL},
        {"550 No status.", "550 - [No status.]", SMFIS_REJECT},
        {"550 5.7.1 100% sure", "550 5.7.1 [100%% sure]", SMFIS_REJECT},
        {"550-5.7.1 One\r\n550 5.7.1 Two %s", "550 5.7.1 [One] [Two %%s]", SMFIS_REJECT},
    };
    (void)state;
    answer = MI_SUCCESS;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(set(cases[i].reply), cases[i].answer);
        assert_string_equal(taken->str, cases[i].taken);
    }
}

/* What is refused stays refused, whatever becomes of the words. */
static void
a_reply_that_is_not_taken_refuses_all_the_same(void **state)
{
    static const struct {
        const char *reply;
        sfsistat answer;
    } cases[] = {
        {"550 5.7.1 No.", SMFIS_REJECT},
        {"550-5.7.1 No.\r\n550 5.7.1 Never.", SMFIS_REJECT},
        {"451 4.7.1 Not now.", SMFIS_TEMPFAIL},
    };
    sfsistat answers[G_N_ELEMENTS(cases)];
    (void)state;
    answer = MI_FAILURE;
    captured_log_begin();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        answers[i] = set(cases[i].reply);
    g_autofree char *log = captured_log_end();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(answers[i], cases[i].answer);
    assert_non_null(strstr(log, "550 5.7.1 No."));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_reach_libmilter),
        cmocka_unit_test(a_reply_that_is_not_taken_refuses_all_the_same),
    };
    taken = g_string_new(NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    g_string_free(taken, TRUE);
    return failed;
}
