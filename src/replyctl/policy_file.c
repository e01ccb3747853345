/*
 * policy_file: the policy that a command was given, with its faults told.
 */
#include "replyctl/policy_file.h"

#include <stdio.h>

#include "policy/surroundings.h"
#include "replyctl/command.h"

static void
print_problems(const char *level, const GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(problems, i));
        fprintf(stderr, "%s%s\n", level, line);
    }
}

Policy *
policy_file_load_path(const char *path, Classifier *classifier, gboolean warn)
{
    GDestroyNotify free_problem = (GDestroyNotify)policy_problem_free;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(free_problem);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(free_problem);
    Policy *policy = policy_load(path, classifier, problems, warnings);
    print_problems("", problems);
    if (warn)
        print_problems("warning: ", warnings);
    return policy;
}

const char *
policy_file_choose(int argc, char **argv, const char *named)
{
    if (command_has_stray(argc, argv, named != NULL ? 0 : 1, "one file at a time"))
        return NULL;
    return named != NULL ? named : argc > 1 ? argv[1] : POLICY_DEFAULT_FILE;
}

void
policy_file_look_around(const Policy *policy)
{
    g_autoptr(GPtrArray) warnings =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    surroundings_check(policy, warnings);
    print_problems("warning: ", warnings);
}
