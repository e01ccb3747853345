/*
 * delivery_status: the enhanced status that an outbound failure should have.
 *
 * Remote servers answer "5.0.0 user unknown" or "5.3.0 message failed DMARC"; the bounce then says
 * something else than the text. What the text surely means wins over a status that is generic, and
 * over one that says something else. The class never changes here. Pure; threads: any.
 */
#pragma once

#include "classify/classifier.h"

/* `given` is Postfix's; `remote` is the server's own, or none. */
EnhancedStatus delivery_status_for(EnhancedStatus given, EnhancedStatus remote,
                                   const Classification *cause);
