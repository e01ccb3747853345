/*
 * fuzz_bounce: whatever a mail is, its reading is whole, consistent and bounded.
 */
#include <stdint.h>
#include <string.h>

#include "classify/bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_recipient(const BounceRecipient *recipient)
{
    const Classification *result = &recipient->classification;
    g_assert(recipient->recipient != NULL && recipient->remote_mta != NULL);
    g_assert(recipient->reply != NULL && smtp_reply_line_count(recipient->reply) > 0);
    g_assert(g_utf8_validate(recipient->text, -1, NULL));
    g_assert(strpbrk(recipient->text, "\r\n") == NULL && strlen(recipient->text) <= 5000);
    g_assert(result->rule != NULL && *result->rule != '\0');
    g_assert(!result->permanent || recipient->kind == MAIL_KIND_FAILURE);
    g_assert(recipient->kind != MAIL_KIND_NOT_A_BOUNCE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Classifier *classifier;
    if (classifier == NULL) {
        mime_view_init();
        classifier = classifier_new(NULL);
    }
    g_autoptr(MimeView) view = mime_view_new((const char *)data, size, &mime_limits_default);
    g_autoptr(Bounce) bounce = bounce_read(classifier, view);
    g_assert((bounce->kind == MAIL_KIND_NOT_A_BOUNCE) == (bounce->recipients->len == 0));
    g_assert(bounce->recipients->len <= BOUNCE_MAX_RECIPIENTS);
    g_assert(bounce->reporting_mta != NULL && bounce->message_id != NULL);
    for (guint i = 0; i < bounce->recipients->len; i++)
        check_recipient(g_ptr_array_index(bounce->recipients, i));
    return 0;
}
