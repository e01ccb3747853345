/*
 * journal_tail: what the mail system writes to systemd's journal, as it grows.
 *
 * Reads entries of the facility "mail" and gives them out as lines with a stamp, like those of a
 * log file (mail/log_stamp.h). Threads: one owner.
 */
#pragma once

#include "replyctl/log_tail.h"

typedef struct JournalTail JournalTail;

/* `folder` NULL: this system's own. `from_start` FALSE: what is in it now is passed over. NULL and
 * an error if it cannot be opened. */
JournalTail *journal_tail_new(const char *folder, gboolean from_start, GError **error);
void journal_tail_free(JournalTail *tail);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JournalTail, journal_tail_free)

/* Gives out some entries. */
LogTailState journal_tail_read(JournalTail *tail, LogTailFunction function, gpointer data,
                               GError **error);

/* Waits for more, at most `wait_us`, or a signal. */
void journal_tail_wait(JournalTail *tail, gint64 wait_us);

/* The cursor of the last entry that was given out or passed over, "" if there was none; and on from
 * there, before the first read. FALSE: it is not there any more (then from the oldest that is). */
const char *journal_tail_cursor(const JournalTail *tail);
gboolean journal_tail_from_cursor(JournalTail *tail, const char *cursor);
