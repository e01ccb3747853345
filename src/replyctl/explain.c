/*
 * explain: what a reply means, gathered for the screen and for JSON alike.
 */
#include "replyctl/explain.h"

#include <string.h>

gboolean
explanation_make(const Classifier *classifier, const char *text, Explanation *explanation)
{
    *explanation = (Explanation){.reply = smtp_reply_parse(text, -1)};
    const SmtpReply *reply = explanation->reply;
    g_autofree char *words = smtp_reply_text(reply);
    explanation->has_text = g_strstrip(words)[0] != '\0';
    explanation->code = reply->code != 0 ? catalog_reply_code(reply->code) : NULL;
    explanation->status =
        enhanced_status_is_set(reply->status) ? catalog_status(reply->status) : NULL;
    ClassifierSubject subject = {.reply = reply, .stage = SMTP_STAGE_UNKNOWN};
    classifier_reply(classifier, &subject, &explanation->cause);
    return reply->code != 0 || enhanced_status_is_set(reply->status) || explanation->has_text;
}

void
explanation_clear(Explanation *explanation)
{
    classification_clear(&explanation->cause);
    g_clear_pointer(&explanation->reply, smtp_reply_free);
}
