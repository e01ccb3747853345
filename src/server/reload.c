/*
 * reload: a policy file -> the policy in force.
 */
#include "server/reload.h"

#include "base/clock.h"
#include "base/log.h"
#include "policy/surroundings.h"
#include "server/site_rule_counts.h"

static void
log_problems(const GPtrArray *problems, void (*say)(const char *format, ...))
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(problems, i));
        say("%s", line);
    }
}

/* The first of them, for those who ask later. The caller frees them. */
static char **
keep_problems(const GPtrArray *problems)
{
    enum { KEPT = 20 };
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (guint i = 0; i < MIN(problems->len, KEPT); i++)
        g_ptr_array_add(kept, policy_problem_format(g_ptr_array_index(problems, i)));
    if (problems->len > KEPT)
        g_ptr_array_add(kept, g_strdup_printf("and %u more", problems->len - KEPT));
    g_ptr_array_add(kept, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&kept), FALSE);
}

/* `why` (may be NULL) gets what is wrong with a policy that is not loaded. */
static Policy *
load(const char *path, Classifier *classifier, char ***why)
{
    GDestroyNotify free_problem = (GDestroyNotify)policy_problem_free;
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(free_problem);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(free_problem);
    Policy *policy = policy_load(path, classifier, problems, warnings);
    log_problems(problems, log_error);
    log_problems(warnings, log_warning);
    if (policy == NULL && why != NULL)
        *why = keep_problems(problems);
    return policy;
}

Policy *
reload_load(const char *path, Classifier *classifier)
{
    return load(path, classifier, NULL);
}

/* What the sockets and the log's place are stays as it is: said, so that nobody waits for it; and
 * so is what that restart would not find. */
static void
log_what_needs_a_restart(const Policy *started, const Policy *fresh)
{
    g_autofree char *names = policy_restart_needed(started, fresh);
    if (names == NULL)
        return;
    log_warning("only a restart changes %s: kept as before", names);
    reload_look_around(fresh);
}

gboolean
reload_apply(const char *path, const Policy *started, const DoorContext *context)
{
    g_autoptr(Policy) running = policy_holder_get(context->policies);
    char **why = NULL;
    gint64 begun_us = clock_monotonic_us();
    g_autoptr(Policy) fresh = load(path, (Classifier *)policy_classifier(running), &why);
    const Policy *in_force = fresh != NULL ? fresh : running;
    event_log_reopen(context->events, policy_settings(in_force));
    if (fresh == NULL) {
        policy_holder_note_failure(context->policies, why);
        log_error("%s: the policy is not good, the old one stays in force", path);
        return FALSE;
    }
    log_what_needs_a_restart(started, fresh);
    site_rule_counts_log(running);
    metrics_policy_loaded(context->metrics, clock_monotonic_us() - begun_us);
    policy_holder_set(context->policies, g_steal_pointer(&fresh));
    log_notice("%s: loaded", path);
    return TRUE;
}

void
reload_look_around(const Policy *policy)
{
    g_autoptr(GPtrArray) warnings =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    surroundings_check(policy, warnings);
    log_problems(warnings, log_warning);
}
