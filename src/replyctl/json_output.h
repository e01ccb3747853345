/*
 * json_output: the parts of a JSON answer that several commands share.
 *
 * Texts from outside become valid UTF-8 on the way. The caller owns what is returned. Threads: any.
 */
#pragma once

#include <jansson.h>

#include "classify/classifier.h"
#include "mail/smtp_reply.h"

/* A string; what is not UTF-8 in it becomes U+FFFD. NULL: null. */
json_t *json_output_text(const char *text);

/* Sets a string member; leaves it out where there is none, or an empty one. */
void json_output_set(json_t *object, const char *key, const char *text);

/* "category permanent action confidence evidence{rule,match} provider dnsbl retry_after". */
json_t *json_output_cause(const Classification *cause);

/* {"code": 550, "status": "5.1.1", "lines": ["550-5.1.1 ...", ...]}. */
json_t *json_output_reply(const SmtpReply *reply);

/* Prints the object on standard output, indented, and releases it. */
void json_output_print(json_t *object);
