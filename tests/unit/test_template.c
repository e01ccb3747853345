/*
 * policy/template: variables, faults, and lines that have no value.
 */
#include "test_support.h"

#include "policy/template.h"

/* Knows the HELO name, the value and the first group. */
static const char *
lookup(Variable variable, gpointer data)
{
    guint *calls = data;
    (*calls)++;
    switch (variable) {
    case VARIABLE_HELO:
        return "%{sender}";
    case VARIABLE_VALUE:
        return "";
    case VARIABLE_GROUP_1:
        return "one";
    default:
        return NULL;
    }
}

static void
expands(void **state)
{
    static const struct {
        const char *text, *expanded;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"100% sure", "100% sure"},
        {"100%% sure", "100% sure"},
        {"%%{helo}", "%{helo}"},
        {"%", "%"},
        {"50%%%{helo}%%", "50%%{sender}%"},
        {"you said %{helo}.", "you said %{sender}."},
        {"%{1}-%{value}-%{1}", "one--one"},
        {"%helo %d %s", "%helo %d %s"},
        {"from %{sender}", NULL},
        {"%{2}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint calls = 0;
        g_autoptr(Template) template = template_new(cases[i].text, NULL);
        assert_non_null(template);
        assert_string_equal(template_text(template), cases[i].text);
        g_autofree char *expanded = template_expand(template, lookup, &calls);
        if (cases[i].expanded == NULL)
            assert_null(expanded);
        else
            assert_string_equal(expanded, cases[i].expanded);
    }
}

static void
refuses(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"%{recipent}", "unknown variable \"%{recipent}\": did you mean \"%{recipient}\"?"},
        {"%{xyzzyxyzzy}", "unknown variable \"%{xyzzyxyzzy}\""},
        {"%{}", "unknown variable \"%{}\""},
        {"%{0}", "unknown variable \"%{0}\""},
        {"%{10}", "unknown variable \"%{10}\""},
        {"a %{helo", "\"%{helo\" is never closed with \"}\""},
        {"%{helo %{helo}", "unknown variable \"%{helo %{helo}\""},
        {"two\r\n550 lines", "\"two\\r\\n550 lines\" holds what cannot stand in a reply: only "
                             "printable ASCII can"},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\" holds what cannot stand in a reply: only "
                               "printable ASCII can"},
        {"\x01", "\"\\x01\" holds what cannot stand in a reply: only printable ASCII can"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(template_new(cases[i].text, &error));
        assert_string_equal(error->message, cases[i].fault);
    }
}

static void
knows_what_it_uses(void **state)
{
    g_autoptr(Template) template = template_new("%{helo} %{9} %%{sender}", NULL);
    (void)state;
    for (guint i = 0; i < VARIABLE_COUNT; i++)
        assert_int_equal(template_uses(template, (Variable)i),
                         i == VARIABLE_HELO || i == VARIABLE_GROUP_1 + 8);
}

static void
every_name_is_a_variable(void **state)
{
    (void)state;
    for (guint i = 0; i < VARIABLE_COUNT; i++) {
        g_autofree char *text = g_strdup_printf("%%{%s}", variable_name((Variable)i));
        g_autoptr(Template) template = template_new(text, NULL);
        assert_non_null(template);
        assert_true(template_uses(template, (Variable)i));
    }
    assert_int_equal(g_strv_length((char **)variable_names()), VARIABLE_GROUP_1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),
        cmocka_unit_test(refuses),
        cmocka_unit_test(knows_what_it_uses),
        cmocka_unit_test(every_name_is_a_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
