/*
 * json_output: the parts of a JSON answer that several commands share.
 */
#include "replyctl/json_output.h"

#include <stdio.h>

json_t *
json_output_text(const char *text)
{
    if (text == NULL)
        return json_null();
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

void
json_output_set(json_t *object, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, key, json_output_text(text));
}

json_t *
json_output_cause(const Classification *cause)
{
    json_t *object = json_object(), *evidence = json_object();
    json_output_set(object, "category", category_info(cause->category)->name);
    json_object_set_new(object, "permanent", json_boolean(cause->permanent));
    json_output_set(object, "action", action_name(cause->action));
    json_output_set(object, "confidence", confidence_name(cause->confidence));
    json_output_set(evidence, "rule", cause->rule);
    json_output_set(evidence, "match", cause->match);
    json_object_set_new(object, "evidence", evidence);
    json_output_set(object, "provider", cause->provider);
    json_output_set(object, "dnsbl", cause->dnsbl);
    if (cause->retry_after >= 0)
        json_object_set_new(object, "retry_after", json_integer(cause->retry_after));
    return object;
}

json_t *
json_output_reply(const SmtpReply *reply)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    json_t *object = json_object(), *lines = json_array();
    g_autofree char *wire = smtp_reply_to_wire(reply);
    g_auto(GStrv) texts = g_strsplit(wire, "\r\n", -1);
    for (char **text = texts; *text != NULL; text++)
        json_array_append_new(lines, json_output_text(*text));
    if (reply->code != 0)
        json_object_set_new(object, "code", json_integer(reply->code));
    json_output_set(object, "status", enhanced_status_format(reply->status, status));
    json_object_set_new(object, "lines", lines);
    return object;
}

void
json_output_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
}
