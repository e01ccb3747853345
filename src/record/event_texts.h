/*
 * event_texts: what outsiders have supplied, as the privacy settings let it be told.
 *
 * Threads: any, each with its own.
 */
#pragma once

#include "engine/decision.h"
#include "engine/facts.h"

/* Each owned, NULL where unknown. */
typedef struct {
    char *client, *client_name, *helo, *sender, *recipient;
    char *original, *final, *match;
    char *reporting_mta, *remote_mta, *message_id, *dnsbl;
} EventTexts;

void event_texts_init(EventTexts *texts, const PolicySettings *settings, const Facts *facts,
                      const Decision *decision);
/* Likewise of a filter that has failed; why stands in `match`. */
void event_texts_init_failure(EventTexts *texts, const PolicySettings *settings, const Facts *facts,
                              const char *reason);
void event_texts_clear(EventTexts *texts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EventTexts, event_texts_clear)
