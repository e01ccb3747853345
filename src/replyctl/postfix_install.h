/*
 * postfix_install: the Postfix of this host, as its postconf(1) tells of it.
 *
 * Threads: one owner.
 */
#pragma once

#include <glib.h>

/* A line of master.cf that runs smtpd(8). */
typedef struct {
    char *name;      /* "smtp/inet", "submission/inet": as postconf -P has it */
    gboolean chroot; /* runs in the queue directory */
    char *milters;   /* its own smtpd_milters; NULL: that of main.cf */
} PostfixService;

typedef struct {
    char *folder;        /* of main.cf; NULL: the usual one */
    char *version_text;  /* "3.7.11" */
    guint version;       /* 307: 3.7 */
    GHashTable *values;  /* parameter -> value, as it stands, not expanded */
    GPtrArray *services; /* of PostfixService * */
} PostfixInstall;

/* NULL and an error if there is no Postfix, or its configuration cannot be read. */
PostfixInstall *postfix_install_read(const char *folder, GError **error);
void postfix_install_free(PostfixInstall *install);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostfixInstall, postfix_install_free)

/* "" where it is empty, or this version does not know it. */
const char *postfix_install_value(const PostfixInstall *install, const char *parameter);

/* A domain whose mailboxes this Postfix knows, so that it refuses those that are not there:
 * "localhost" if it names none. The caller frees it. NULL and an error if postconf(1) fails. */
char *postfix_install_own_domain(const PostfixInstall *install, GError **error);

/*
 * Runs postconf(1) with these words, which end with NULL, for the Postfix of that folder. FALSE and
 * an error with what it said if it fails. `output` (may be NULL) is the caller's.
 */
gboolean postfix_postconf(const char *folder, const char *const *words, char **output,
                          GError **error);

/* The elements of a list as in main.cf, between blanks or commas, braces kept together: an array of
 * char *, which the caller unrefs. */
GPtrArray *postfix_list_split(const char *value);
