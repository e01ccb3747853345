/*
 * smtp_reply: an SMTP reply as a value: its making, copying and printing.
 *
 * Reading one is smtp_reply_parse.c.
 */
#include "mail/smtp_reply.h"

#include <string.h>

#include "mail/smtp_reply_internal.h"

SmtpReply *
smtp_reply_empty(void)
{
    SmtpReply *reply = g_new(SmtpReply, 1);
    *reply = (SmtpReply){.code = 0};
    return reply;
}

/* There is room for as many lines as the next power of two. */
static void
add_line(SmtpReply *reply, SmtpReplyLine line)
{
    guint count = reply->line_count;
    if ((count & (count - 1)) == 0)
        reply->lines = g_renew(SmtpReplyLine, reply->lines, MAX(2 * count, 1));
    reply->lines[reply->line_count++] = line;
}

void
smtp_reply_append(SmtpReply *reply, guint code, char separator, EnhancedStatus status,
                  const char *text, gsize length)
{
    SmtpReplyLine line = {.code = code, .status = status, .separator = separator};
    line.text = memcpy(g_malloc(length + 1), text, length);
    line.text[length] = '\0';
    add_line(reply, line);
}

/* As smtp_reply_append(), of a text that may have breaks in it. */
static void
append_text_of(SmtpReply *reply, guint code, EnhancedStatus status, const char *text)
{
    smtp_reply_append(reply, code, code == 0 ? '\0' : ' ', status, text, strlen(text));
    char *copy = reply->lines[reply->line_count - 1].text;
    for (char *at = strpbrk(copy, "\r\n"); at != NULL; at = strpbrk(at, "\r\n"))
        *at = ' ';
}

SmtpReply *
smtp_reply_new(guint code, EnhancedStatus status, const char *text)
{
    SmtpReply *reply = smtp_reply_empty();
    reply->code = code;
    reply->status = status;
    append_text_of(reply, code, status, text);
    return reply;
}

SmtpReply *
smtp_reply_copy(const SmtpReply *reply)
{
    SmtpReply *copy = smtp_reply_empty();
    *copy = *reply;
    copy->lines = NULL;
    copy->line_count = 0;
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
    smtp_reply_truncate(reply, 0);
    g_free(reply->lines);
    g_free(reply->remote_name);
    g_free(reply->remote_addr);
    g_free(reply);
}

const SmtpReplyLine *
smtp_reply_line(const SmtpReply *reply, guint index)
{
    g_assert(index < reply->line_count);
    return &reply->lines[index];
}

guint
smtp_reply_line_count(const SmtpReply *reply)
{
    return reply->line_count;
}

void
smtp_reply_truncate(SmtpReply *reply, guint count)
{
    while (reply->line_count > count)
        g_free(reply->lines[--reply->line_count].text);
}

void
smtp_reply_add_line(SmtpReply *reply, const char *text)
{
    SmtpReplyLine *last = &reply->lines[reply->line_count - 1];
    if (last->code != 0)
        last->separator = '-';
    append_text_of(reply, reply->code, reply->status, text);
}

void
smtp_reply_set_texts(SmtpReply *reply, const GPtrArray *texts)
{
    g_assert(texts->len > 0);
    smtp_reply_truncate(reply, 0);
    for (guint i = 0; i < texts->len; i++)
        append_text_of(reply, 0, ENHANCED_STATUS_NONE, g_ptr_array_index(texts, i));
    smtp_reply_set_code(reply, reply->code, reply->status);
}

void
smtp_reply_set_code(SmtpReply *reply, guint code, EnhancedStatus status)
{
    guint count = reply->line_count;
    reply->code = code;
    reply->status = status;
    for (guint i = 0; i < count; i++) {
        SmtpReplyLine *line = &reply->lines[i];
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
