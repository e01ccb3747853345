/*
 * problem: what is wrong with a policy.
 */
#include "policy/problem.h"

PolicyProblem *
problem_new_valist(const char *file, guint line, const char *format, va_list arguments)
{
    PolicyProblem *problem = g_new0(PolicyProblem, 1);
    problem->file = g_strdup(file);
    problem->line = line;
    problem->message = g_strdup_vprintf(format, arguments);
    return problem;
}

PolicyProblem *
problem_new(const char *file, guint line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PolicyProblem *problem = problem_new_valist(file, line, format, arguments);
    va_end(arguments);
    return problem;
}

void
policy_problem_free(PolicyProblem *problem)
{
    if (problem == NULL)
        return;
    g_free(problem->file);
    g_free(problem->message);
    g_free(problem);
}

/* Line breaks and control octets become "?": a message is one line, whatever the file held. */
static void
make_one_line(char *message)
{
    for (; *message != '\0'; message++)
        if (g_ascii_iscntrl(*message))
            *message = '?';
}

char *
policy_problem_format(const PolicyProblem *problem)
{
    char *text = problem->line > 0
                     ? g_strdup_printf("%s:%u: %s", problem->file, problem->line, problem->message)
                     : g_strdup_printf("%s: %s", problem->file, problem->message);
    make_one_line(text);
    return text;
}
