/*
 * journal_tail: what the mail system writes to systemd's journal, as it grows.
 */
#include "replyctl/journal_tail.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "base/clock.h"
#include "base/error.h"

enum { ENTRIES_AT_ONCE = 1000 };

/* LOG_MAIL >> 3. */
#define MAIL_FACILITY "SYSLOG_FACILITY=2"

struct JournalTail {
    sd_journal *journal;
    char *cursor;
};

static gboolean
fail(int fault, const char *what, GError **error)
{
    return error_fail(error, REPLYMILTER_ERROR_IO, "the journal %s: %s", what, g_strerror(-fault));
}

static void
note_cursor(JournalTail *tail)
{
    char *cursor = NULL;
    if (sd_journal_get_cursor(tail->journal, &cursor) < 0)
        return;
    g_free(tail->cursor);
    tail->cursor = g_strdup(cursor);
    free(cursor);
}

/* From the last entry of all: what is behind it is new. An empty journal is new as a whole. */
static int
seek_end(JournalTail *tail)
{
    int fault = sd_journal_seek_tail(tail->journal);
    int found = fault < 0 ? fault : sd_journal_previous(tail->journal);
    if (found > 0)
        note_cursor(tail);
    return found == 0 ? sd_journal_seek_head(tail->journal) : found;
}

JournalTail *
journal_tail_new(const char *folder, gboolean from_start, GError **error)
{
    sd_journal *journal = NULL;
    int fault = folder != NULL ? sd_journal_open_directory(&journal, folder, 0)
                               : sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);
    if (fault < 0) {
        fail(fault, "cannot be opened", error);
        return NULL;
    }
    JournalTail *tail = g_new0(JournalTail, 1);
    tail->journal = journal;
    tail->cursor = g_strdup("");
    fault = sd_journal_add_match(journal, MAIL_FACILITY, 0);
    if (fault >= 0)
        fault = from_start ? sd_journal_seek_head(journal) : seek_end(tail);
    if (fault >= 0)
        return tail;
    fail(fault, "cannot be read", error);
    journal_tail_free(tail);
    return NULL;
}

void
journal_tail_free(JournalTail *tail)
{
    sd_journal_close(tail->journal);
    g_free(tail->cursor);
    g_free(tail);
}

/* The value of a field, octets that are not of it not included. NULL: the entry has none. */
static char *
field(JournalTail *tail, const char *name)
{
    const void *data;
    size_t length, prefix = strlen(name) + 1;
    if (sd_journal_get_data(tail->journal, name, &data, &length) < 0 || length < prefix)
        return NULL;
    char *value = g_strndup((const char *)data + prefix, MIN(length - prefix, LOG_TAIL_LINE));
    g_strdelimit(value, "\r\n", ' ');
    return value;
}

/* A word of a stamp: what could be taken for another part of it goes. */
static char *
word(JournalTail *tail, const char *name, const char *otherwise)
{
    char *value = field(tail, name);
    if (value == NULL || value[0] == '\0') {
        g_free(value);
        return g_strdup(otherwise);
    }
    return g_strdelimit(value, " \t:[]", '_');
}

static void
give_entry(JournalTail *tail, LogTailFunction function, gpointer data)
{
    uint64_t time_us = 0;
    g_autofree char *message = field(tail, "MESSAGE");
    if (message == NULL)
        return;
    if (sd_journal_get_realtime_usec(tail->journal, &time_us) < 0)
        time_us = (uint64_t)clock_now_us();
    g_autofree char *host = word(tail, "_HOSTNAME", "localhost");
    g_autofree char *program = word(tail, "SYSLOG_IDENTIFIER", "unknown");
    g_autofree char *time = clock_format((gint64)time_us);
    g_autofree char *line = g_strdup_printf("%s %s %s: %s", time, host, program, message);
    function(line, strlen(line), data);
}

LogTailState
journal_tail_read(JournalTail *tail, LogTailFunction function, gpointer data, GError **error)
{
    for (guint i = 0; i < ENTRIES_AT_ONCE; i++) {
        int more = sd_journal_next(tail->journal);
        if (more < 0) {
            fail(more, "cannot be read", error);
            return LOG_TAIL_FAULT;
        }
        if (more == 0)
            return LOG_TAIL_END;
        give_entry(tail, function, data);
        note_cursor(tail);
    }
    return LOG_TAIL_MORE;
}

void
journal_tail_wait(JournalTail *tail, gint64 wait_us)
{
    sd_journal_wait(tail->journal, (uint64_t)wait_us);
}

const char *
journal_tail_cursor(const JournalTail *tail)
{
    return tail->cursor;
}

gboolean
journal_tail_from_cursor(JournalTail *tail, const char *cursor)
{
    if (cursor[0] == '\0') /* nothing was there */
        return sd_journal_seek_head(tail->journal) >= 0;
    g_free(tail->cursor);
    tail->cursor = g_strdup(cursor);
    if (sd_journal_seek_cursor(tail->journal, cursor) >= 0 && sd_journal_next(tail->journal) > 0 &&
        sd_journal_test_cursor(tail->journal, cursor) > 0)
        return TRUE;
    sd_journal_seek_head(tail->journal);
    return FALSE;
}
