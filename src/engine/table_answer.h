/*
 * table_answer: a table's key -> the engine's decision -> the answer in that table's own encoding.
 *
 * reject (Postfix 3.11 smtpd_reject_filter_maps): the reply, literal, CRLF between lines.
 * footer (smtpd_reject_footer_maps): a template: '$' doubled, "\n" between lines, only added lines.
 * delivery (default_delivery_status_filter): "5.1.1 text"; 2.x.x is never touched.
 * rbl (rbl_reply_maps): a template that begins with the reply code.
 * Pure: no sockets. What is returned is clean 7-bit text. Threads: any.
 */
#pragma once

#include "engine/engine.h"

/* Keys longer than this are not looked at. */
#define TABLE_KEY_MAX 65536

/*
 * The answer to a lookup at DOOR_REJECT, DOOR_FOOTER, DOOR_DELIVERY or DOOR_RBL, or NULL: not found
 * (leave it as it is). `facts` is initialised with that door and gets what the key tells (stage,
 * recipient); `decision` is initialised; both are the caller's to clear. They are good for an event
 * if the return value is not NULL, and also if it is and the decision has an original that is not
 * our own: a refusal of mail that the policy leaves as it is. The caller frees the answer.
 */
char *table_answer(const Policy *policy, const char *key, Facts *facts, const EngineMoment *moment,
                   Decision *decision);
