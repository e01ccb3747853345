/*
 * original_mail: the places at which a report names the mail that it is about.
 */
#include "classify/original_mail.h"

#include <string.h>

#include "mail/address.h"

char *
original_mail_address(const char *field)
{
    const char *open = field != NULL ? strrchr(field, '<') : NULL;
    g_autofree char *address = address_parse(open != NULL ? open : field != NULL ? field : "");
    return g_strdup(strchr(address, '@') != NULL ? address : "");
}

static void
set_sender(Bounce *bounce, const char *field)
{
    if (field == NULL || *bounce->original_sender != '\0')
        return;
    g_free(bounce->original_sender);
    bounce->original_sender = original_mail_address(field);
}

/* "<id>", the first of several. */
static void
set_message_id(Bounce *bounce, const char *field)
{
    const char *open = field != NULL ? strchr(field, '<') : NULL;
    gsize length = open != NULL ? strcspn(open + 1, "<> \t\r\n") : 0;
    if (*bounce->message_id != '\0' || length == 0 || open[1 + length] != '>')
        return;
    g_free(bounce->message_id);
    bounce->message_id = g_strndup(open + 1, length);
}

static void
from_header(Bounce *bounce, const HeaderFields *header)
{
    static const char *const senders[] = {"Return-Path", "Sender", "From"};
    set_message_id(bounce, header_fields_get(header, "Message-ID"));
    for (guint i = 0; i < G_N_ELEMENTS(senders); i++)
        set_sender(bounce, header_fields_get(header, senders[i]));
}

void
original_mail_from_fields(Bounce *bounce, const HeaderFields *fields)
{
    set_message_id(bounce, header_fields_get(fields, "X-Original-Message-ID"));
    set_message_id(bounce, header_fields_get(fields, "Original-Message-ID"));
    for (guint i = 0; i < fields->fields->len; i++) {
        const HeaderField *field = &g_array_index(fields->fields, HeaderField, i);
        if (g_ascii_strncasecmp(field->name, "X-", 2) == 0 &&
            g_str_has_suffix(field->name, "-Sender"))
            set_sender(bounce, field->value);
    }
}

/* "Message-Id: <...>" at the start of a line, however it is quoted. */
static void
from_lines(Bounce *bounce, const char *text)
{
    static const char name[] = "message-id:";
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += strspn(line, "\n\r \t>|");
        if (g_ascii_strncasecmp(line, name, strlen(name)) == 0) {
            g_autofree char *value = g_strndup(line, strcspn(line, "\n"));
            set_message_id(bounce, value);
        }
    }
}

static void
from_texts(BounceReading *reading)
{
    const GPtrArray *parts = reading->view->parts;
    for (guint i = 0; i < parts->len && *reading->bounce->message_id == '\0'; i++) {
        const MimePart *part = g_ptr_array_index(parts, i);
        if (part->kind == MIME_PART_TEXT || part->kind == MIME_PART_HTML)
            from_lines(reading->bounce, part->text);
    }
}

static void
from_answer_fields(BounceReading *reading)
{
    const HeaderFields *header = reading->view->header;
    const char *references = header_fields_get(header, "References");
    set_message_id(reading->bounce, header_fields_get(header, "In-Reply-To"));
    set_message_id(reading->bounce, references != NULL ? strrchr(references, '<') : NULL);
}

void
original_mail_read(BounceReading *reading)
{
    Bounce *bounce = reading->bounce;
    const MimePart *part = mime_view_part(reading->view, MIME_PART_ORIGINAL);
    if (part != NULL && part->original != NULL)
        from_header(bounce, part->original);
    if (*bounce->message_id == '\0' || *bounce->original_sender == '\0') {
        const LayoutReading *layout = bounce_reading_layout(reading);
        g_autoptr(HeaderFields) behind = report_text_returned(reading->view);
        if (layout != NULL && layout->original != NULL)
            from_header(bounce, layout->original);
        if (behind != NULL)
            from_header(bounce, behind);
    }
    from_texts(reading);
    from_answer_fields(reading);
}
