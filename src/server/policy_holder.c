/*
 * policy_holder: the policy that is in force now.
 */
#include "server/policy_holder.h"

#include <pthread.h>

struct PolicyHolder {
    pthread_mutex_t mutex;
    Policy *policy; /* under mutex */
};

PolicyHolder *
policy_holder_new(Policy *policy)
{
    PolicyHolder *holder = g_new0(PolicyHolder, 1);
    pthread_mutex_init(&holder->mutex, NULL);
    holder->policy = policy;
    return holder;
}

void
policy_holder_free(PolicyHolder *holder)
{
    if (holder == NULL)
        return;
    policy_unref(holder->policy);
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
    pthread_mutex_lock(&holder->mutex);
    Policy *old = holder->policy;
    holder->policy = policy;
    pthread_mutex_unlock(&holder->mutex);
    policy_unref(old); /* may free a whole policy: not while others wait */
}
