/*
 * smtp_reply: an SMTP reply as a value: its making, copying and printing.
 *
 * Reading one is smtp_reply_parse.c.
 */
#include "mail/smtp_reply.h"

#include <string.h>

#include "mail/smtp_reply_internal.h"

static void
line_clear(gpointer line)
{
    g_free(((SmtpReplyLine *)line)->text);
}

SmtpReply *
smtp_reply_empty(void)
{
    SmtpReply *reply = g_new0(SmtpReply, 1);
    reply->lines = g_array_new(FALSE, TRUE, sizeof(SmtpReplyLine));
    g_array_set_clear_func(reply->lines, line_clear);
    return reply;
}

void
smtp_reply_append(SmtpReply *reply, guint code, char separator, EnhancedStatus status,
                  const char *text, gsize length)
{
    SmtpReplyLine line = {.code = code, .status = status, .separator = separator};
    line.text = memcpy(g_malloc(length + 1), text, length);
    line.text[length] = '\0';
    for (char *at = strpbrk(line.text, "\r\n"); at != NULL; at = strpbrk(at, "\r\n"))
        *at = ' ';
    g_array_append_val(reply->lines, line);
}

SmtpReply *
smtp_reply_new(guint code, EnhancedStatus status, const char *text)
{
    SmtpReply *reply = smtp_reply_empty();
    reply->code = code;
    reply->status = status;
    smtp_reply_append(reply, code, code == 0 ? '\0' : ' ', status, text, strlen(text));
    return reply;
}

SmtpReply *
smtp_reply_copy(const SmtpReply *reply)
{
    SmtpReply *copy = smtp_reply_empty();
    GArray *lines = copy->lines;
    *copy = *reply;
    copy->lines = lines;
    copy->remote_name = g_strdup(reply->remote_name);
    copy->remote_addr = g_strdup(reply->remote_addr);
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        const SmtpReplyLine *line = smtp_reply_line(reply, i);
        smtp_reply_append(copy, line->code, line->separator, line->status, line->text,
                          strlen(line->text));
    }
    return copy;
}

void
smtp_reply_free(SmtpReply *reply)
{
    if (reply == NULL)
        return;
    g_array_unref(reply->lines);
    g_free(reply->remote_name);
    g_free(reply->remote_addr);
    g_free(reply);
}

const SmtpReplyLine *
smtp_reply_line(const SmtpReply *reply, guint index)
{
    g_assert(index < reply->lines->len);
    return &g_array_index(reply->lines, SmtpReplyLine, index);
}

guint
smtp_reply_line_count(const SmtpReply *reply)
{
    return reply->lines->len;
}

void
smtp_reply_add_line(SmtpReply *reply, const char *text)
{
    SmtpReplyLine *last = &g_array_index(reply->lines, SmtpReplyLine, reply->lines->len - 1);
    if (last->code != 0)
        last->separator = '-';
    smtp_reply_append(reply, reply->code, reply->code == 0 ? '\0' : ' ', reply->status, text,
                      strlen(text));
}

void
smtp_reply_set_texts(SmtpReply *reply, const GPtrArray *texts)
{
    g_assert(texts->len > 0);
    g_array_set_size(reply->lines, 0);
    for (guint i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        smtp_reply_append(reply, 0, '\0', ENHANCED_STATUS_NONE, text, strlen(text));
    }
    smtp_reply_set_code(reply, reply->code, reply->status);
}

void
smtp_reply_set_code(SmtpReply *reply, guint code, EnhancedStatus status)
{
    guint count = reply->lines->len;
    reply->code = code;
    reply->status = status;
    for (guint i = 0; i < count; i++) {
        SmtpReplyLine *line = &g_array_index(reply->lines, SmtpReplyLine, i);
        line->code = code;
        line->status = status;
        line->separator = code == 0 ? '\0' : (i + 1 < count ? '-' : ' ');
    }
}

char *
smtp_reply_text(const SmtpReply *reply)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        const char *line = smtp_reply_line(reply, i)->text;
        if (text->len > 0 && *line != '\0')
            g_string_append_c(text, ' ');
        g_string_append(text, line);
    }
    return g_string_free(text, FALSE);
}

static void
append_code(GString *out, const SmtpReply *reply, char separator)
{
    if (reply->code != 0)
        g_string_append_printf(out, "%03u%c", reply->code, separator);
}

static void
append_text(GString *out, const SmtpReply *reply, const char *text)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_string_append(out, enhanced_status_format(reply->status, status));
    if (*status != '\0' && *text != '\0')
        g_string_append_c(out, ' ');
    g_string_append(out, text);
}

char *
smtp_reply_to_wire(const SmtpReply *reply)
{
    GString *wire = g_string_new(NULL);
    guint count = smtp_reply_line_count(reply);
    for (guint i = 0; i < count; i++) {
        if (i > 0)
            g_string_append(wire, "\r\n");
        append_code(wire, reply, i + 1 < count ? '-' : ' ');
        append_text(wire, reply, smtp_reply_line(reply, i)->text);
    }
    return g_string_free(wire, FALSE);
}

char *
smtp_reply_to_line(const SmtpReply *reply)
{
    g_autofree char *text = smtp_reply_text(reply);
    GString *line = g_string_new(NULL);
    append_code(line, reply, ' ');
    append_text(line, reply, text);
    return g_string_free(line, FALSE);
}
