/*
 * explain_json: an explanation as one JSON object on standard output.
 */
#include "replyctl/explain_json.h"

#include <jansson.h>
#include <stdio.h>

static json_t *
readings_json(const CatalogReading *readings, guint count)
{
    json_t *array = json_array();
    for (guint i = 0; i < count; i++)
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "category",
                                               category_info(readings[i].category)->name, "cause",
                                               readings[i].cause, "sender", readings[i].sender,
                                               "receiver", readings[i].admin));
    return array;
}

static json_t *
stages_json(guint bits)
{
    json_t *array = json_array();
    for (SmtpStage stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++)
        if (bits & 1u << stage)
            json_array_append_new(array, json_string(smtp_stage_name(stage)));
    return array;
}

/* A string member, left out where there is none. */
static void
set_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, key, json_string(text));
}

static json_t *
code_json(guint code, const CatalogReplyCode *row)
{
    json_t *object = json_pack("{s:i, s:b}", "code", (int)code, "known", row != NULL);
    if (row != NULL) {
        set_text(object, "title", row->title);
        set_text(object, "meaning", row->meaning);
        set_text(object, "retry", row->retry);
        set_text(object, "statuses", row->statuses);
        set_text(object, "note", row->note);
        set_text(object, "source", row->source);
        json_object_set_new(object, "stages", stages_json(row->stages));
        json_object_set_new(object, "readings", readings_json(row->readings, row->reading_count));
    }
    set_text(object, "first_digit", catalog_first_digit(code));
    set_text(object, "second_digit", catalog_second_digit(code));
    set_text(object, "third_digit", catalog_third_digit(code));
    return object;
}

static json_t *
status_json(EnhancedStatus status, const CatalogStatus *row)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    json_t *object = json_pack("{s:s, s:b}", "status", enhanced_status_format(status, text),
                               "known", row != NULL);
    if (row != NULL) {
        set_text(object, "title", row->title);
        set_text(object, "meaning", row->meaning);
        set_text(object, "retry", row->retry);
        set_text(object, "codes", row->codes);
        set_text(object, "note", row->note);
        set_text(object, "source", row->source);
        json_object_set_new(object, "readings", readings_json(row->readings, row->reading_count));
    }
    set_text(object, "class", catalog_status_class(status));
    set_text(object, "subject", catalog_status_subject(status));
    set_text(object, "detail", catalog_status_detail(status));
    return object;
}

static json_t *
cause_json(const Classification *cause)
{
    const CategoryInfo *info = category_info(cause->category);
    json_t *object = json_pack("{s:s, s:b, s:s, s:s, s:s, s:s}", "category", info->name,
                               "permanent", cause->permanent, "action", action_name(cause->action),
                               "confidence", confidence_name(cause->confidence), "sentence",
                               info->sentence, "advice", info->advice);
    json_t *evidence = json_pack("{s:s}", "rule", cause->rule);
    set_text(evidence, "match", cause->match);
    json_object_set_new(object, "evidence", evidence);
    set_text(object, "provider", cause->provider);
    set_text(object, "dnsbl", cause->dnsbl);
    if (cause->retry_after >= 0)
        json_object_set_new(object, "retry_after", json_integer(cause->retry_after));
    return object;
}

void
explain_json_print(const Explanation *explanation)
{
    const SmtpReply *reply = explanation->reply;
    json_t *object = json_object();
    json_object_set_new(object, "classification", cause_json(&explanation->cause));
    if (reply->code != 0)
        json_object_set_new(object, "reply_code", code_json(reply->code, explanation->code));
    if (enhanced_status_is_set(reply->status))
        json_object_set_new(object, "enhanced_status",
                            status_json(reply->status, explanation->status));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
}
