/*
 * The policy file: whatever it holds, it is loaded or refused with at least one problem, each one
 * line; and what is loaded is printed as a file that gives the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Loads a text as if it were a file, which here exists in memory only. */
static Policy *
load(const void *text, size_t size, GPtrArray *problems, GPtrArray *warnings)
{
    int fd = memfd_create("policy", MFD_CLOEXEC);
    g_assert(fd >= 0 && fchmod(fd, 0600) == 0);
    g_assert(write(fd, text, size) == (ssize_t)size);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    Policy *policy = policy_load(path, NULL, problems, warnings);
    close(fd);
    return policy;
}

static void
check_messages(const GPtrArray *problems)
{
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *text = policy_problem_format(g_ptr_array_index(problems, i));
        for (const char *at = text; *at != '\0'; at++)
            g_assert(!g_ascii_iscntrl(*at));
    }
}

static void
check_printed(const Policy *policy, GPtrArray *problems)
{
    g_autofree char *printed = policy_print(policy);
    g_autoptr(Policy) again = load(printed, strlen(printed), problems, NULL);
    if (again == NULL) {
        g_autofree char *text = policy_problem_format(g_ptr_array_index(problems, 0));
        fprintf(stderr, "%s\n%s\n", printed, text);
    }
    g_assert(again != NULL);
    g_autofree char *twice = policy_print(again);
    g_assert(strcmp(printed, twice) == 0);
    g_assert(policy_restart_needed(policy, again) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) problems =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    g_autoptr(GPtrArray) warnings =
        g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
    g_autoptr(Policy) policy = load(data, size, problems, warnings);
    g_assert((policy == NULL) == (problems->len > 0));
    check_messages(problems);
    check_messages(warnings);
    if (policy != NULL)
        check_printed(policy, problems);
    return 0;
}
