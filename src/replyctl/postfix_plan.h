/*
 * postfix_plan: what is to be changed in a Postfix so that it speaks through replymilter, or no
 * longer does.
 *
 * What is there stays: our milter is put behind those that are listed, with a default_action of its
 * own, never the global parameter; only filters that stand behind us now are taken out. Threads:
 * any, each with its own plan.
 */
#pragma once

#include "policy/policy.h"
#include "replyctl/postfix_install.h"

typedef struct {
    char *service;         /* "submission/inet"; NULL: main.cf */
    const char *parameter; /* NULL: the change is of a group */
    char *value;           /* NULL: it is to be removed */
    char *user, *group;    /* of a group: the user is to be in it, or no longer */
    gboolean leave;
    const char *why;
} PostfixChange;

typedef struct {
    GPtrArray *changes; /* of PostfixChange * */
    GPtrArray *notes;   /* of char *: what nobody but the admin can decide */
} PostfixPlan;

typedef struct {
    gboolean tables;      /* policy.tables is to be asked, too */
    gboolean own_bounces; /* the bounces that this Postfix makes are to be logged */
} PostfixWishes;

PostfixPlan *postfix_plan_new(const PostfixInstall *install, const Policy *policy,
                              const PostfixWishes *wishes);

/* All that names our sockets is taken out. */
PostfixPlan *postfix_plan_undo(const PostfixInstall *install, const Policy *policy);
void postfix_plan_free(PostfixPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixPlan, postfix_plan_free)

/* The command that does it, for a shell. The caller frees it. */
char *postfix_change_command(const PostfixInstall *install, const PostfixChange *change);

/* Its words, ending with NULL, without "postconf" and the folder; not for a group. Free with
 * g_strfreev(). */
char **postfix_change_words(const PostfixChange *change);
