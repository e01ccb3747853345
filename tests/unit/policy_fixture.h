/*
 * policy_fixture: a policy for a test, from its text.
 *
 * Include after test_support.h. The classifier is made once and freed by policy_fixture_end().
 */
#pragma once

#include <stdio.h>

#include <glib/gstdio.h>

#include "policy/policy.h"

static Classifier *policy_fixture_classifier;

static inline int
policy_fixture_begin(void **state)
{
    g_autoptr(GError) error = NULL;
    (void)state;
    policy_fixture_classifier = classifier_new(&error);
    if (error != NULL)
        print_error("%s\n", error->message);
    return policy_fixture_classifier == NULL ? -1 : 0;
}

static inline int
policy_fixture_end(void **state)
{
    (void)state;
    g_clear_pointer(&policy_fixture_classifier, classifier_unref);
    return 0;
}

/* The text as a file of its own, loaded; any problem fails the test. */
static inline Policy *
policy_from(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    int file = g_file_open_tmp("replymilter-test-XXXXXX.conf", &path, &error);
    assert_true(file >= 0);
    assert_true(g_close(file, NULL) && g_file_set_contents(path, text, -1, NULL));
    Policy *policy = policy_load(path, policy_fixture_classifier, problems, NULL);
    g_unlink(path);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *problem = policy_problem_format(g_ptr_array_index(problems, i));
        print_error("%s\n%s\n", problem, text);
    }
    assert_non_null(policy);
    return policy;
}
