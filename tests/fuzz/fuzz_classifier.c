/*
 * fuzz_classifier: whatever a reply says, its normal form keeps the way back, and the answer is
 * whole and consistent.
 */
#include <stdint.h>
#include <string.h>

#include "classify/classifier.h"
#include "match/normal_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_normal(const char *text, gsize size)
{
    g_autoptr(NormalText) normal = normal_text_new();
    normal_text_read(normal, text, size);
    g_assert(normal->length <= 2 * size && strlen(normal->text) == normal->length);
    for (gsize i = 0; i < normal->length; i++)
        g_assert(normal_text_origin(normal, i) <= normal_text_origin(normal, i + 1));
    g_assert(normal_text_origin(normal, normal->length) == size);
    for (guint i = 0; i < normal->mask_count; i++) {
        const NormalMask *mask = &normal->masks[i];
        g_assert(mask->length > 0 && mask->start + mask->length <= size);
        g_assert(normal->text[mask->at] == '<');
    }
    for (gsize i = 0; i < normal->length; i += 7) {
        g_autofree char *original =
            normal_text_original(normal, text, i, MIN(i + 5, normal->length));
        g_assert(strlen(original) <= size);
    }
}

static void
check_answer(const Classification *answer)
{
    const CategoryInfo *info = category_info(answer->category);
    g_assert(answer->rule != NULL && *answer->rule != '\0');
    g_assert(!answer->permanent || info->permanent);
    g_assert(answer->action < ACTION_COUNT && answer->confidence <= CONFIDENCE_HIGH);
    g_assert(answer->retry_after >= -1 && answer->retry_after <= 7 * 86400);
    g_assert(answer->dnsbl == NULL || *answer->dnsbl != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Classifier *classifier;
    if (classifier == NULL)
        classifier = classifier_new(NULL);
    check_normal((const char *)data, size);
    g_autoptr(SmtpReply) reply = smtp_reply_parse((const char *)data, (gssize)size);
    for (Finality finality = FINALITY_REPLY; finality <= FINALITY_DELAYED; finality++) {
        ClassifierSubject subject = {.reply = reply, .finality = finality};
        Classification answer;
        classifier_reply(classifier, &subject, &answer);
        check_answer(&answer);
        g_assert(finality != FINALITY_DELAYED || !answer.permanent);
        classification_clear(&answer);
    }
    return 0;
}
