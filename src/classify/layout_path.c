/*
 * layout_path: the findings of a layout, helped out by X-Failed-Recipients and the text.
 */
#include "classify/layout_path.h"

#include <string.h>

#include "mail/address.h"

static MailKind
kind_of(const LayoutFinding *finding)
{
    static const MailKind kinds[] = {
        [LAYOUT_FAILED] = MAIL_KIND_FAILURE,
        [LAYOUT_DELAYED] = MAIL_KIND_DELAY,
        [LAYOUT_DELIVERED] = MAIL_KIND_DELIVERED,
    };
    return kinds[finding->verdict];
}

/* Exim and those who follow it name the recipient in the header, if it is one. */
static char *
failed_recipient(const MimeView *view)
{
    const char *field = header_fields_get(view->header, "X-Failed-Recipients");
    if (field == NULL || strchr(field, ',') != NULL)
        return g_strdup("");
    return address_parse(field);
}

static BounceRecipient *
read_finding(BounceReading *reading, const LayoutFinding *finding)
{
    MailKind kind = kind_of(finding);
    g_autofree char *address = *finding->recipient != '\0' ? g_strdup(finding->recipient)
                                                           : failed_recipient(reading->view);
    if (kind == MAIL_KIND_DELIVERED)
        return failure_none(kind, address, finding->text, ENHANCED_STATUS_NONE,
                            finding->remote_mta);
    Failure *failure =
        failure_new(&reading->failures, kind, address, ENHANCED_STATUS_NONE, finding->remote_mta);
    failure_add(failure, finding->text);
    if (!failure_is_clear(failure))
        bounce_reading_add_near(reading, failure, address);
    return failure_end(failure);
}

/* From here on a text leaves little doubt (data/rules/README). */
#define SURE_WEIGHT 60

static gboolean
any_is_sure(const GPtrArray *recipients)
{
    for (guint i = 0; i < recipients->len; i++) {
        const BounceRecipient *recipient = g_ptr_array_index(recipients, i);
        if (recipient->classification.weight >= SURE_WEIGHT &&
            recipient->classification.category < CATEGORY_FEEDBACK_REPORT)
            return TRUE;
    }
    return FALSE;
}

/* Without words of a report, only a reason makes it one. */
static gboolean
is_believed(BounceReading *reading, const LayoutReading *layout)
{
    if (!layout->only_if_clear || any_is_sure(reading->bounce->recipients))
        return TRUE;
    g_ptr_array_set_size(reading->bounce->recipients, 0);
    reading->bounce->layout = NULL;
    return FALSE;
}

gboolean
layout_path_read(BounceReading *reading)
{
    const LayoutReading *layout = bounce_reading_layout(reading);
    if (layout == NULL)
        return FALSE;
    reading->bounce->layout = layout->name;
    reading->bounce->truncated = reading->bounce->truncated || layout->truncated;
    for (guint i = 0; i < layout->findings->len; i++)
        if (!bounce_reading_take(reading,
                                 read_finding(reading, g_ptr_array_index(layout->findings, i))))
            break;
    return is_believed(reading, layout);
}
