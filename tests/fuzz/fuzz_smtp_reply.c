/*
 * fuzz_smtp_reply: whatever is read gives a bounded, clean value that prints and reads the same.
 */
#include <stdint.h>
#include <string.h>

#include "mail/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const SmtpReply *reply)
{
    gsize octets = 0;
    guint lines = smtp_reply_line_count(reply);
    g_assert(lines >= 1 && lines <= SMTP_REPLY_MAX_LINES);
    for (guint i = 0; i < lines; i++) {
        const SmtpReplyLine *line = smtp_reply_line(reply, i);
        g_assert(strpbrk(line->text, "\r\n") == NULL);
        g_assert(line->code < 700 && line->status.class <= 5);
        octets += strlen(line->text);
    }
    g_assert(octets <= SMTP_REPLY_MAX_TEXT);
    g_assert(reply->stage < SMTP_STAGE_COUNT);
}

static void
check_printed(const SmtpReply *reply)
{
    g_autofree char *wire = smtp_reply_to_wire(reply);
    if (reply->truncated || strlen(wire) >= SMTP_REPLY_MAX_TEXT)
        return;
    if (reply->code / 100 != 4 && reply->code / 100 != 5)
        return;
    g_autoptr(SmtpReply) again = smtp_reply_parse(wire, -1);
    check_value(again);
    g_autofree char *rewired = smtp_reply_to_wire(again);
    g_assert(strcmp(wire, rewired) == 0);
    g_assert(again->code == reply->code);
    g_assert(enhanced_status_equal(again->status, reply->status));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse((const char *)data, (gssize)size);
    check_value(reply);
    check_printed(reply);
    g_autoptr(SmtpReply) copy = smtp_reply_copy(reply);
    g_autofree char *line = smtp_reply_to_line(reply), *same = smtp_reply_to_line(copy);
    g_assert(strcmp(line, same) == 0);
    return 0;
}
