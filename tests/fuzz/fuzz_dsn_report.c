/*
 * fuzz_dsn_report: whatever stands in a report gives recipients of clean, bounded values.
 */
#include <stdint.h>
#include <string.h>

#include "mail/dsn_report.h"
#include "mail/mime_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reports come as UTF-8, but the reader does not rest on it. */
static void
check_word(const char *word)
{
    g_assert(word != NULL && strpbrk(word, " \t\r\n()<>") == NULL);
}

static void
check_text(const char *text)
{
    g_assert(text != NULL && strpbrk(text, "\r\n") == NULL);
    g_assert(g_utf8_validate(text, -1, NULL));
}

static void
check_report(const DsnReport *report)
{
    check_word(report->reporting_mta);
    check_text(report->envelope_id);
    g_assert(report->recipients->len <= DSN_REPORT_MAX_RECIPIENTS);
    for (guint i = 0; i < report->recipients->len; i++) {
        const DsnRecipient *recipient = report->recipients->pdata[i];
        check_text(recipient->final_recipient);
        check_text(recipient->original_recipient);
        check_text(recipient->actual_recipient);
        check_text(recipient->diagnostic);
        check_word(recipient->diagnostic_type);
        check_word(recipient->remote_mta);
        g_assert(recipient->action <= DSN_ACTION_EXPANDED);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gboolean ready = FALSE;
    if (!ready)
        mime_view_init();
    ready = TRUE;
    g_autoptr(DsnReport) report = dsn_report_parse((const char *)data, size);
    check_report(report);
    g_autoptr(DsnReport) found = dsn_report_find((const char *)data, size);
    if (found != NULL) {
        g_assert(found->recipients->len > 0);
        check_report(found);
    }
    return 0;
}
