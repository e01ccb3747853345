/*
 * reply_text: the text of a reply, normalised and scanned with the rules' patterns.
 */
#pragma once

#include "classify/rule.h"
#include "mail/smtp_reply.h"
#include "match/normal_text.h"

typedef struct {
    const char *line; /* its lines, joined with a space; what is beyond 8 KiB is left out */
    gsize length;
    NormalText *normal; /* of the line */
    GString *names;     /* the URLs and host names that were masked in it, one a line */
    GArray *hits[2];    /* by RuleField, of PatternHit: in the normalised text, in the names */
} ReplyText;

/*
 * Reads the reply; `patterns` are by RuleField, NULL for none. The answer is the calling thread's
 * and lives until its next call, and no longer than the reply: a thread reads one reply after the
 * other in the same memory.
 */
const ReplyText *reply_text_read(const SmtpReply *reply, PatternSet *const patterns[2]);
