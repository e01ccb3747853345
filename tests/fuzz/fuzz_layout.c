/*
 * fuzz_layout: whatever a mail says, a reading is whole: somebody for each finding, one line of
 * UTF-8 text of bounded length, a verdict.
 */
#include <stdint.h>
#include <string.h>

#include "classify/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text, gsize limit)
{
    g_assert(text != NULL && strlen(text) <= limit);
    g_assert(strpbrk(text, "\r\n") == NULL);
}

static void
check_finding(const LayoutFinding *finding)
{
    check_text(finding->recipient, 400);
    check_text(finding->remote_mta, 400);
    check_text(finding->text, 2000);
    g_assert(finding->verdict <= LAYOUT_DELIVERED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Layouts *layouts;
    if (layouts == NULL) {
        mime_view_init();
        layouts = layouts_new(NULL);
    }
    g_autoptr(MimeView) view = mime_view_new((const char *)data, size, &mime_limits_default);
    g_autoptr(LayoutReading) reading = layout_read(layouts, view);
    if (reading == NULL)
        return 0;
    g_assert(reading->name != NULL && reading->findings->len > 0);
    g_assert(reading->findings->len <= LAYOUT_MAX_FINDINGS);
    for (guint i = 0; i < reading->findings->len; i++)
        check_finding(g_ptr_array_index(reading->findings, i));
    return 0;
}
