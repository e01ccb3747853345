/*
 * own_reply: has one of our doors made this reply already?
 *
 * Doors chain (a check's or a filter's reply reaches the reject table, then the footer table), and
 * what one has said passes the next unchanged. Known by the reference at the end, by a category's
 * own sentence, or by the text of one of the policy's rules and checks. Somebody who imitates that
 * is left without our explanation, and that is all. Threads: any.
 */
#pragma once

#include "engine/facts.h"
#include "mail/smtp_reply.h"
#include "policy/policy.h"

/* Stands before our words where they share a line with somebody else's (delivery, rbl). */
#define OWN_REPLY_DASH " - "
/* And before a category's sentence behind a remote server's words: "here" is not here. */
#define OWN_REPLY_MEANING "This means: "

gboolean own_reply_is(const Policy *policy, Door door, const SmtpReply *reply);

/* Could the template have made this line? Variables stand for anything; a template that says too
 * little by itself never has. */
gboolean own_reply_line_from(const char *template_text, const char *line);
