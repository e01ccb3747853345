/*
 * repair: a reply that breaks rules -> one that breaks none.
 *
 * The reply code's class always wins: 4xx stays 4xx, 5xx stays 5xx, and the enhanced status follows
 * the code. What is right stays as it is. Repairing is idempotent: a repaired reply, printed,
 * parsed and repaired again in the same context, is the same. Pure; threads: any.
 */
#pragma once

#include "engine/lint.h"

/*
 * The repaired reply; the caller frees it. `repairs`, which may be NULL, gets what was repaired:
 * GPtrArray of const char *, the constant names of the findings, each once.
 */
SmtpReply *repair_reply(const SmtpReply *reply, const LintContext *context, GPtrArray *repairs);

/*
 * The same from the reply as it was written, so that line breaks and '%' are seen too: `length`
 * octets, -1 for up to the NUL. With milter_text, "%%" becomes "%" (milter_text_escape() doubles it
 * again).
 */
SmtpReply *repair_text(const char *raw, gssize length, const LintContext *context,
                       GPtrArray *repairs);

/* For lint: parses, and with milter_text unescapes, a reply as it was written. */
SmtpReply *repair_parse(const char *raw, gsize length, const LintContext *context);

/* For lint: repairs `reply` in place and appends a finding for each thing repaired. */
void repair_in_place(SmtpReply *reply, const LintContext *context, GPtrArray *findings);

/*
 * The enhanced status for a reply that has none: what the text itself gives away at its end, the
 * category's (from medium confidence on, if it goes well with the code), else the usual one for the
 * code at the stage. None where none belongs.
 */
EnhancedStatus repair_status(const SmtpReply *reply, const LintContext *context);
