/*
 * event_words: an event in words, as a line of the daemon's own log.
 *
 * "4F1Q2W3Xz9: refused RCPT <c@d> by check no-such: 550 5.1.1 No mailbox c@d here; from=<a@b>
 * client=x.example[192.0.2.1] category=user-unknown reference=LJ2JM4B4". The queue id stands
 * first, as in the MTA's log, or NOQUEUE. The texts are those of the event itself, so that privacy
 * settings apply alike. Long texts are cut. Threads: any.
 */
#pragma once

#include "record/event.h"

/* Does the setting log.lines want this one told? */
gboolean event_words_wanted(const PolicySettings *settings, const Facts *facts,
                            const Decision *decision);

/* Not escaped yet. The caller frees them. */
char *event_words(const EventTexts *texts, const Facts *facts, const Decision *decision);
char *event_words_of_failure(const EventTexts *texts, const Facts *facts,
                             const EventFilterFailure *failure);
