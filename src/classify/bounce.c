/*
 * bounce: the order in which a mail is read, and what is common to all kinds.
 */
#include "classify/bounce.h"

#include <string.h>

#include "classify/bounce_reading.h"
#include "classify/dsn_path.h"
#include "classify/layout_path.h"
#include "classify/original_mail.h"
#include "mail/auto_reply.h"
#include "mail/feedback_report.h"

/* ---- life ----------------------------------------------------------------------------------- */

static Bounce *
bounce_new(const MimeView *view)
{
    Bounce *bounce = g_new0(Bounce, 1);
    bounce->kind = MAIL_KIND_NOT_A_BOUNCE;
    bounce->recipients = g_ptr_array_new_with_free_func((GDestroyNotify)bounce_recipient_free);
    bounce->reporting_mta = g_strdup("");
    bounce->message_id = g_strdup("");
    bounce->original_sender = g_strdup("");
    bounce->truncated = view->truncated;
    return bounce;
}

void
bounce_free(Bounce *bounce)
{
    if (bounce == NULL)
        return;
    g_ptr_array_unref(bounce->recipients);
    g_free(bounce->reporting_mta);
    g_free(bounce->message_id);
    g_free(bounce->original_sender);
    g_free(bounce);
}

/* ---- kinds that are no failure -------------------------------------------------------------- */

static gboolean
read_feedback(BounceReading *reading)
{
    g_autoptr(FeedbackReport) report = feedback_report_read(reading->view);
    if (report == NULL)
        return FALSE;
    guint count = MAX(report->recipients->len, 1);
    for (guint i = 0; i < count; i++) {
        const char *recipient =
            i < report->recipients->len ? g_ptr_array_index(report->recipients, i) : "";
        if (!bounce_reading_take(reading,
                                 failure_none(MAIL_KIND_FEEDBACK, recipient, report->feedback_type,
                                              ENHANCED_STATUS_NONE, "")))
            break;
    }
    reading->bounce->layout = "feedback-report";
    g_free(reading->bounce->reporting_mta);
    reading->bounce->reporting_mta = g_strdup(report->reporting_mta);
    return TRUE;
}

/* Who has answered: the recipient of the mail that is answered. */
static gboolean
read_auto_reply(BounceReading *reading)
{
    const HeaderFields *header = reading->view->header;
    if (!auto_reply_is(header) && mime_view_part(reading->view, MIME_PART_DISPOSITION) == NULL)
        return FALSE;
    g_autofree char *from = original_mail_address(header_fields_get(header, "From"));
    const char *subject = header_fields_get(header, "Subject");
    bounce_reading_take(reading,
                        failure_none(MAIL_KIND_AUTO_REPLY, from, subject != NULL ? subject : "",
                                     ENHANCED_STATUS_NONE, ""));
    return TRUE;
}

/* ---- the order ------------------------------------------------------------------------------ */

/* A failure is worse than a delay, and a delay than a success. */
static MailKind
worst_kind(const GPtrArray *recipients)
{
    static const MailKind order[] = {MAIL_KIND_FAILURE, MAIL_KIND_DELAY, MAIL_KIND_DELIVERED,
                                     MAIL_KIND_FEEDBACK, MAIL_KIND_AUTO_REPLY};
    for (guint k = 0; k < G_N_ELEMENTS(order); k++) {
        for (guint i = 0; i < recipients->len; i++) {
            const BounceRecipient *recipient = g_ptr_array_index(recipients, i);
            if (recipient->kind == order[k])
                return order[k];
        }
    }
    return MAIL_KIND_NOT_A_BOUNCE;
}

Bounce *
bounce_read(const Classifier *classifier, const MimeView *view)
{
    static gboolean (*const ways[])(BounceReading *) = {read_feedback, dsn_path_read,
                                                        layout_path_read, read_auto_reply};
    Bounce *bounce = bounce_new(view);
    BounceReading reading;
    bounce_reading_init(&reading, classifier, view, bounce);
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++)
        if (ways[i](&reading))
            break;
    bounce->kind = worst_kind(bounce->recipients);
    if (bounce->kind != MAIL_KIND_NOT_A_BOUNCE)
        original_mail_read(&reading);
    bounce_reading_clear(&reading);
    return bounce;
}
