/*
 * fuzz_mime_view: whatever comes as a mail is parts of clean UTF-8 within the limits, and what
 * reads the parts further bears it.
 */
#include <stdint.h>
#include <string.h>

#include "mail/auto_reply.h"
#include "mail/feedback_report.h"
#include "mail/mime_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const MimeLimits small_limits = {.octets = 3000, .text_octets = 100, .parts = 4, .depth = 2};

static void
check_fields(const HeaderFields *fields)
{
    g_assert(fields->fields->len <= HEADER_FIELDS_MAX);
    for (guint i = 0; i < fields->fields->len; i++) {
        const HeaderField *field = &g_array_index(fields->fields, HeaderField, i);
        g_assert(field->name[0] != '\0' && strpbrk(field->name, " :\r\n") == NULL);
        g_assert(strlen(field->value) <= HEADER_FIELD_OCTETS);
        g_assert(strpbrk(field->value, "\r\n") == NULL);
        g_assert(g_utf8_validate(field->value, -1, NULL));
    }
}

static void
check_part(const MimePart *part, const MimeLimits *limits)
{
    g_assert(part->type != NULL && part->text != NULL);
    g_assert(strlen(part->text) == part->length);
    g_assert(part->length <= limits->text_octets);
    g_assert(memchr(part->text, '\r', part->length) == NULL);
    g_assert(g_utf8_validate(part->text, (gssize)part->length, NULL));
    g_assert((part->original != NULL) == (part->kind == MIME_PART_ORIGINAL));
    if (part->original != NULL)
        check_fields(part->original);
}

static void
check_view(const char *octets, gsize length, const MimeLimits *limits)
{
    g_autoptr(MimeView) view = mime_view_new(octets, length, limits);
    check_fields(view->header);
    g_assert(view->type != NULL);
    g_assert(view->parts->len <= limits->parts);
    for (guint i = 0; i < view->parts->len; i++)
        check_part(view->parts->pdata[i], limits);
    g_autoptr(FeedbackReport) report = feedback_report_read(view);
    if (report != NULL)
        g_assert(report->recipients->len <= FEEDBACK_REPORT_MAX_RECIPIENTS);
    auto_reply_is(view->header);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean ready = FALSE;
    if (!ready)
        mime_view_init();
    ready = TRUE;
    check_view((const char *)data, size, &mime_limits_default);
    check_view((const char *)data, size, &small_limits);
    return 0;
}
