/*
 * event_texts: what outsiders have supplied, as the privacy settings let it be told.
 */
#include "record/event_texts.h"

#include "record/privacy.h"

static char *
private_reply_text(const PrivacyFilter *filter, const SmtpReply *reply)
{
    if (reply == NULL)
        return NULL;
    char *text = smtp_reply_text(reply);
    if (filter == NULL)
        return text;
    char *hidden = privacy_text(filter, text);
    g_free(text);
    return hidden;
}

/* Who refused. */
static const char *
remote_host(const Decision *decision)
{
    const SmtpReply *original = decision->original;
    if (decision->remote_mta != NULL || original == NULL)
        return decision->remote_mta;
    return original->remote_name != NULL ? original->remote_name : original->remote_addr;
}

/* In whose queue the mail was. */
static const char *
reporting_host(const Facts *facts, const Decision *decision)
{
    return facts->door == DOOR_DELIVERY ? facts->hostname : decision->reporting_mta;
}

void
event_texts_init(EventTexts *texts, const PolicySettings *settings, const Facts *facts,
                 const Decision *decision)
{
    g_autoptr(PrivacyFilter) filter = privacy_filter_new(settings, facts);
    *texts = (EventTexts){
        .client = privacy_client(filter, facts_get(facts, FACT_CLIENT)),
        .client_name = privacy_host(filter, facts_get(facts, FACT_CLIENT_NAME)),
        .helo = privacy_host(filter, facts_get(facts, FACT_HELO)),
        .sender = privacy_address(filter, facts_get(facts, FACT_SENDER)),
        .recipient = privacy_address(filter, facts_get(facts, FACT_RECIPIENT)),
        .original = private_reply_text(filter, decision->original),
        .final = private_reply_text(filter, decision_said(decision)),
        .match = privacy_text(filter, decision->cause.match),
        .reporting_mta = privacy_text(filter, reporting_host(facts, decision)),
        .remote_mta = privacy_text(filter, remote_host(decision)),
        .message_id = privacy_text(filter, decision->message_id),
        .dnsbl = privacy_text(filter, decision->cause.dnsbl),
    };
}

void
event_texts_init_failure(EventTexts *texts, const PolicySettings *settings, const Facts *facts,
                         const char *reason)
{
    Decision nothing;
    decision_init(&nothing);
    nothing.cause.match = g_strdup(reason);
    event_texts_init(texts, settings, facts, &nothing);
    decision_clear(&nothing);
}

void
event_texts_clear(EventTexts *texts)
{
    g_free(texts->client);
    g_free(texts->client_name);
    g_free(texts->helo);
    g_free(texts->sender);
    g_free(texts->recipient);
    g_free(texts->original);
    g_free(texts->final);
    g_free(texts->match);
    g_free(texts->reporting_mta);
    g_free(texts->remote_mta);
    g_free(texts->message_id);
    g_free(texts->dnsbl);
}
