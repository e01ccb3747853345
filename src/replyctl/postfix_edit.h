/*
 * postfix_edit: carries a plan out, with a backup, and takes it back.
 *
 * Before main.cf or master.cf is changed, it is copied to NAME.before-replymilter-DIGEST beside it;
 * DIGEST is that of the file as we leave it. So undo knows a file that nobody has touched since,
 * and then puts the backup back as it was, octet by octet; any other file is only freed of our
 * sockets. Threads: one owner.
 */
#pragma once

#include "replyctl/postfix_plan.h"

/* Everything or nothing: on an error the files are as they were. The differences go to stdout.
 * `undo`: the plan takes back what another has done. */
gboolean postfix_edit_apply(const PostfixInstall *install, const PostfixPlan *plan, gboolean undo,
                            GError **error);

/* Puts the backups back where the files are as postfix_edit_apply() left them, and says so on
 * stdout. FALSE and an error if that fails. */
gboolean postfix_edit_restore(const PostfixInstall *install, gboolean *restored, GError **error);
