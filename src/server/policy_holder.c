/*
 * policy_holder: the policy that is in force now.
 */
#include "server/policy_holder.h"

#include <pthread.h>

#include "base/clock.h"

struct PolicyHolder {
    pthread_mutex_t mutex;
    Policy *policy;        /* under mutex, as is: */
    PolicyHistory history; /* its problems are the holder's own */
};

PolicyHolder *
policy_holder_new(Policy *policy)
{
    PolicyHolder *holder = g_new0(PolicyHolder, 1);
    pthread_mutex_init(&holder->mutex, NULL);
    holder->policy = policy;
    holder->history = (PolicyHistory){.loaded_us = clock_now_us(), .loads = 1};
    return holder;
}

void
policy_holder_free(PolicyHolder *holder)
{
    if (holder == NULL)
        return;
    policy_unref(holder->policy);
    policy_history_clear(&holder->history);
    pthread_mutex_destroy(&holder->mutex);
    g_free(holder);
}

Policy *
policy_holder_get(PolicyHolder *holder)
{
    pthread_mutex_lock(&holder->mutex);
    Policy *policy = policy_ref(holder->policy);
    pthread_mutex_unlock(&holder->mutex);
    return policy;
}

void
policy_holder_set(PolicyHolder *holder, Policy *policy)
{
    gint64 now_us = clock_now_us();
    pthread_mutex_lock(&holder->mutex);
    Policy *old = holder->policy;
    holder->policy = policy;
    holder->history.loaded_us = now_us;
    holder->history.loads++;
    pthread_mutex_unlock(&holder->mutex);
    policy_unref(old); /* may free a whole policy: not while others wait */
}

void
policy_holder_note_failure(PolicyHolder *holder, char **problems)
{
    gint64 now_us = clock_now_us();
    pthread_mutex_lock(&holder->mutex);
    char **before = holder->history.problems;
    holder->history.problems = problems;
    holder->history.failed_us = now_us;
    holder->history.failures++;
    pthread_mutex_unlock(&holder->mutex);
    g_strfreev(before);
}

PolicyHistory
policy_holder_history(PolicyHolder *holder)
{
    pthread_mutex_lock(&holder->mutex);
    PolicyHistory history = holder->history;
    history.problems = g_strdupv(holder->history.problems);
    pthread_mutex_unlock(&holder->mutex);
    return history;
}

void
policy_history_clear(PolicyHistory *history)
{
    g_clear_pointer(&history->problems, g_strfreev);
}
