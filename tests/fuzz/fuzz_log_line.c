/*
 * Lines of a mail log, of which others choose the half.
 */
#include <stdint.h>
#include <string.h>

#include "mail/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const char *text, gsize length)
{
    LogLine line;
    if (!log_line_parse(text, length, &line))
        return;
    g_assert(line.kind != LOG_LINE_OTHER);
    g_assert(line.recipients->len <= LOG_LINE_MAX_RECIPIENTS);
    if (line.kind == LOG_LINE_FAILED || line.kind == LOG_LINE_DEFERRED)
        g_assert(line.queue_id != NULL);
    log_stamp_time(&line.stamp, 1795262401000000);
    log_line_clear(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    g_autofree char *pasted = g_strndup(text, size);
    g_autofree char *reply = log_line_reply(pasted);
    g_assert(reply != NULL);
    while (size > 0) {
        const char *newline = memchr(text, '\n', size);
        gsize length = newline != NULL ? (gsize)(newline + 1 - text) : size;
        check_line(text, length);
        text += length;
        size -= length;
    }
    return 0;
}
