/*
 * policy/rule_index, word_index: what is left out does not match, and much is
 * left out.
 */
#include <string.h>

#include <glib/gstdio.h>

#include "test_support.h"

#include "policy/policy.h"

/* Conditions of one rule each. */
static const char *const whens[] = {
    "code = \"550\";",
    "code = \"5*\";",
    "code = [ \"421\", \"450\" ];",
    "code = \"!550\";",
    "status = \"5.1.1\";",
    "status = \"\";",
    "status = [ \"5.7.*\", \"!5.7.1\" ];",
    "category = \"user-unknown\"; recipient = \"info@Example.org\";",
    "category = \"user-unknown\"; recipient = \"*@dept.example.org\";",
    "recipient = \"a*\";",
    "recipient = \"!*\";",
    "recipient = \"*\";",
    "sender = \"\";",
    "sender = [ \"bad@example.net\", \"*@spam.example.net\" ];",
    "text = \"*over quota*\";",
    "text = \"/Mailbox .* full/i\";",
    "text = \"/mailbox (is )?full/\";",
    "text = [ \"*greylisted*\", \"/try again in [0-9]+ seconds/i\" ];",
    "text = \"/a|b/\";",
    "text = \"/^no$/\";",
    "text = \"!*spam*\"; code = \"554\";",
    "header = \"Subject: *invoice*\";",
    "header = \"/^X-Spam-Flag: yes/i\"; code = \"550\";",
    "client = \"192.0.2.0/24\";",
    "size = \">10M\";",
    "helo = \"/^localhost$/i\"; client = \"!127.0.0.0/8\";",
    "stage = \"rcpt\";",
    "direction = \"inbound\"; text = \"*x*\";",
    "filter = \"rspamd\"; text = \"/spam/i\";",
    "code = \"550\"; status = \"5.1.1\"; text = \"*unknown*\"; stage = \"rcpt\";",
};

/* A reply, and what is known with it: "fact=value" ..., a header stands alone.
 */
static const char *const situations[][8] = {
    {"code=550", "status=5.1.1", "category=user-unknown", "text=User unknown", "stage=rcpt",
     "recipient=INFO@example.org", "sender="},
    {"code=550", "status=5.1.1", "category=user-unknown", "text=No such user: unknown",
     "recipient=joe@dept.example.org"},
    {"code=452", "status=4.2.2", "text=User is OVER QUOTA", "recipient=abc", "direction=inbound"},
    {"code=552", "status=", "text=The mailbox of joe is full", "sender=bad@example.net"},
    {"code=552", "status=5.2.2", "text=mailbox full", "sender=x@spam.example.net"},
    {"code=450", "status=4.7.1", "text=Greylisted; try again in 300 seconds"},
    {"code=554", "status=5.7.9", "text=ham", "client=192.0.2.7", "size=20000000"},
    {"code=554", "status=5.7.1", "text=SPAM", "filter=rspamd"},
    {"code=550", "text=no", "header=Subject: your invoice", "helo=LOCALHOST",
     "client=198.51.100.1"},
    {"code=550", "text=", "header=X-Spam-Flag: YES", "direction=inbound"},
    {"text=x\xff\x01y"},
    {NULL},
};

typedef struct {
    const char *const *situation;
    const char *values[2];
} View;

static const char *const *
values_of(gpointer data, Fact fact)
{
    View *view = data;
    const char *name = fact_name(fact);
    for (guint i = 0; i < 8 && view->situation[i] != NULL; i++)
        if (g_str_has_prefix(view->situation[i], name) && view->situation[i][strlen(name)] == '=') {
            view->values[0] = view->situation[i] + strlen(name) + 1;
            return view->values;
        }
    return NULL;
}

static Policy *
load(const char *rules)
{
    g_autofree char *folder = g_dir_make_tmp("rules-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(folder, "replymilter.conf", NULL);
    g_autofree char *text = g_strdup_printf("replies = { rules = ( %s ); };\n", rules);
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    assert_true(g_file_set_contents(file, text, -1, NULL));
    g_chmod(file, 0644);
    Policy *policy = policy_load(file, NULL, problems, NULL);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *said = policy_problem_format(problems->pdata[i]);
        print_message("%s\n", said);
    }
    assert_non_null(policy);
    g_unlink(file);
    g_rmdir(folder);
    return policy;
}

static Policy *
load_whens(void)
{
    g_autoptr(GString) rules = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(whens); i++)
        g_string_append_printf(rules,
                               "%s{ name = \"r%zu\"; when = { %s }; then = { text "
                               "= \"Words number %zu.\"; }; }",
                               i > 0 ? ",\n" : "", i, whens[i], i);
    return load(rules->str);
}

static gboolean
matches(const PolicyRule *rule, View *view)
{
    for (guint i = 0; i < rule->conditions->len; i++) {
        const Condition *condition = &g_array_index(rule->conditions, Condition, i);
        const char *const *values = values_of(view, condition->fact);
        if (values == NULL || !matcher_match(condition->matcher, values, NULL))
            return FALSE;
    }
    return TRUE;
}

static gboolean
holds(const GArray *numbers, guint number)
{
    for (guint i = 0; i < numbers->len; i++)
        if (g_array_index(numbers, guint, i) == number)
            return TRUE;
    return FALSE;
}

static void
leaves_out_no_rule_that_matches(void **state)
{
    g_autoptr(Policy) policy = load_whens();
    guint matched = 0, tried = 0;
    (void)state;
    for (size_t at = 0; at < G_N_ELEMENTS(situations); at++) {
        View view = {.situation = situations[at]};
        g_autoptr(GArray) likely = policy_likely_rules(policy, values_of, &view);
        for (guint i = 1; i < likely->len; i++)
            assert_true(g_array_index(likely, guint, i - 1) < g_array_index(likely, guint, i));
        tried += likely->len;
        for (guint i = 0; i < policy_rule_count(policy); i++) {
            if (!matches(policy_rule(policy, i), &view))
                continue;
            matched++;
            if (!holds(likely, i))
                fail_msg("situation %zu: rule %s matches and is not tried", at, whens[i]);
        }
    }
    assert_true(matched >= 30);
    assert_true(tried < G_N_ELEMENTS(situations) * G_N_ELEMENTS(whens) / 2);
}

static void
tries_few_of_many_rules(void **state)
{
    enum { RULES = 500 };
    static const char *const situation[8] = {"code=550", "status=5.1.1", "category=user-unknown",
                                             "text=ticket 77-1, campaign 123 over",
                                             "recipient=u300@example.org"};
    g_autoptr(GString) rules = g_string_new(NULL);
    View view = {.situation = situation};
    (void)state;
    for (int i = 0; i < RULES; i++)
        g_string_append_printf(rules,
                               "{ name = \"a%d\"; when = { recipient = \"u%d@example.org\"; }; "
                               "then = { mode = \"keep\"; }; },\n"
                               "{ name = \"b%d\"; when = { code = \"550\"; text = "
                               "\"/ticket %d-[0-9]/i\"; }; then = { mode = \"keep\"; }; }%s\n",
                               i, i, i, 100 + i, i < RULES - 1 ? "," : "");
    g_autoptr(Policy) policy = load(rules->str);
    g_autoptr(GArray) likely = policy_likely_rules(policy, values_of, &view);
    assert_true(holds(likely, 600));
    assert_true(likely->len <= 3);
}

/* What is behind the head of a text may stand on another line. */
static void
finds_a_long_text_by_its_head(void **state)
{
    static const struct {
        const char *line;
        gboolean found;
    } cases[] = {
        {"aaaa bbbb C:/Mail", TRUE},
        {"aaaa bbbb C:/Mail and more", TRUE},
        {"unmistakable words", FALSE},
    };
    g_autoptr(GString) text = g_string_new("aaaa %{recipient} bbbb C:\\\\Mail ");
    while (text->len < POLICY_TEXT_HEAD)
        g_string_append(text, "aaaa bbbb ");
    g_string_append(text, "with unmistakable words");
    g_autofree char *rule = g_strdup_printf("{ name = \"a\"; when = { code = \"550\"; }; then = { "
                                            "text = \"%s\"; }; },"
                                            "{ name = \"b\"; when = { code = \"550\"; }; then = { "
                                            "text = \"aaaa\"; }; }",
                                            text->str);
    g_autoptr(Policy) policy = load(rule);
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) likely = policy_likely_texts(policy, cases[i].line);
        gboolean found = FALSE;
        for (guint at = 0; at < likely->len; at++) {
            const PolicyText *one = likely->pdata[at];
            found = found || strlen(template_text(one->template)) > POLICY_TEXT_HEAD;
        }
        assert_int_equal(found, cases[i].found);
    }
}

static void
finds_the_text_that_made_a_line(void **state)
{
    static const struct {
        const char *line;
        const char *text; /* one that has to be found; NULL: none at all */
    } cases[] = {
        {"Nobody by the name of joe here.", "Nobody by the name of %{recipient} here."},
        {"x - NOBODY BY THE NAME OF JOE HERE.", "Nobody by the name of %{recipient} here."},
        {"5% off", NULL},
        {"", NULL},
        {"Something else", NULL},
    };
    g_autoptr(Policy) policy = load("{ name = \"a\"; when = { code = \"550\"; }; then = { text = [ "
                                    "\"Nobody by the name of "
                                    "%{recipient} here.\", \"See our pages: %{help_url}\" ]; }; }");
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) likely = policy_likely_texts(policy, cases[i].line);
        assert_int_equal(likely->len, cases[i].text != NULL ? 1 : 0);
        if (cases[i].text != NULL) {
            const PolicyText *text = likely->pdata[0];
            assert_string_equal(template_text(text->template), cases[i].text);
            assert_int_equal(text->code, 0);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_out_no_rule_that_matches),
        cmocka_unit_test(tries_few_of_many_rules),
        cmocka_unit_test(finds_a_long_text_by_its_head),
        cmocka_unit_test(finds_the_text_that_made_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
