/*
 * explain_json: what a reply, a category or a pattern of digits means, as a JSON object.
 */
#include "replyctl/explain_json.h"

#include "replyctl/json_output.h"

static json_t *
readings_json(const GPtrArray *readings, guint count)
{
    json_t *array = json_array();
    for (guint i = 0; i < count; i++) {
        const CatalogReading *reading = g_ptr_array_index(readings, i);
        json_t *object = json_object();
        json_output_set(object, "category", category_info(reading->category)->name);
        json_output_set(object, "cause", reading->cause);
        json_output_set(object, "sender", reading->sender);
        json_output_set(object, "receiver", reading->admin);
        json_array_append_new(array, object);
    }
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

static json_t *
code_json(guint code, const CatalogReplyCode *row)
{
    json_t *object = json_object();
    json_object_set_new(object, "code", json_integer(code));
    json_object_set_new(object, "known", json_boolean(row != NULL));
    if (row != NULL) {
        json_output_set(object, "title", row->title);
        json_output_set(object, "meaning", row->meaning);
        json_output_set(object, "retry", row->retry);
        json_output_set(object, "statuses", row->statuses);
        json_output_set(object, "note", row->note);
        json_output_set(object, "source", row->source);
        json_object_set_new(object, "stages", stages_json(row->stages));
        json_object_set_new(object, "tolerated_stages", stages_json(row->tolerated));
    }
    json_output_set(object, "first_digit", catalog_first_digit(code));
    json_output_set(object, "second_digit", catalog_second_digit(code));
    json_output_set(object, "third_digit", catalog_third_digit(code));
    return object;
}

static json_t *
status_json(EnhancedStatus status, const CatalogStatus *row)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    json_t *object = json_object();
    json_output_set(object, "status", enhanced_status_format(status, text));
    json_object_set_new(object, "known", json_boolean(row != NULL));
    if (row != NULL) {
        json_output_set(object, "title", row->title);
        json_output_set(object, "meaning", row->meaning);
        json_output_set(object, "retry", row->retry);
        json_output_set(object, "codes", row->codes);
        json_output_set(object, "note", row->note);
        json_output_set(object, "source", row->source);
    }
    json_output_set(object, "class", catalog_status_class(status));
    json_output_set(object, "subject", catalog_status_subject(status));
    json_output_set(object, "detail", catalog_status_detail(status));
    return object;
}

static const char *
pair_name(CatalogPair pair)
{
    static const char *const names[] = {
        [CATALOG_PAIR_GOOD] = "good",
        [CATALOG_PAIR_UNUSUAL] = "unusual",
        [CATALOG_PAIR_CLASS] = "class-mismatch",
        [CATALOG_PAIR_MISPLACED] = "status-misplaced",
    };
    return names[pair];
}

json_t *
explain_json_meaning(const Meaning *meaning)
{
    const SmtpReply *reply = meaning->reply;
    gboolean has_status = enhanced_status_is_set(reply->status);
    json_t *object = json_object();
    json_output_set(object, "remote_mta", reply->remote_name);
    json_output_set(object, "stage", smtp_stage_name(reply->stage));
    if (meaning->is_failure) {
        json_t *cause = json_output_cause(&meaning->cause);
        json_output_set(cause, "sentence", category_info(meaning->cause.category)->sentence);
        json_output_set(cause, "advice", category_info(meaning->cause.category)->advice);
        json_object_set_new(object, "classification", cause);
    }
    if (reply->code != 0)
        json_object_set_new(object, "reply_code", code_json(reply->code, meaning->code));
    if (has_status)
        json_object_set_new(object, "enhanced_status", status_json(reply->status, meaning->status));
    if (reply->code != 0 && has_status)
        json_output_set(object, "pair", pair_name(catalog_pair(reply->code, reply->status)));
    json_object_set_new(object, "causes", readings_json(meaning->readings, meaning->fitting));
    return object;
}

json_t *
explain_json_category(Category category)
{
    static const char *const systems[] = {"sisimai", "powermta", "kumomta", "postalsys"};
    const CategoryInfo *info = category_info(category);
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autoptr(GPtrArray) readings = meaning_readings_of(category);
    json_t *object = json_object(), *aliases = json_object();
    json_output_set(object, "category", info->name);
    json_output_set(object, "group", info->group);
    json_output_set(object, "meaning", info->meaning);
    json_output_set(object, "sentence", info->sentence);
    json_output_set(object, "advice", info->advice);
    json_object_set_new(object, "permanent", json_boolean(info->permanent));
    json_output_set(object, "action", action_name(info->action));
    json_output_set(object, "status", enhanced_status_format(info->status, status));
    for (gsize i = 0; i < G_N_ELEMENTS(systems); i++)
        json_output_set(aliases, systems[i], info->aliases[i]);
    json_object_set_new(object, "aliases", aliases);
    json_object_set_new(object, "causes", readings_json(readings, readings->len));
    return object;
}

static json_t *
codes_like_json(const DigitMask *mask)
{
    guint count;
    json_t *array = json_array();
    const CatalogReplyCode *rows = catalog_reply_codes(&count);
    for (guint i = 0; i < count; i++)
        if (digit_mask_has_code(mask, &rows[i]))
            json_array_append_new(
                array, json_pack("{s:i, s:s}", "code", (int)rows[i].code, "title", rows[i].title));
    return array;
}

static json_t *
statuses_like_json(const DigitMask *mask)
{
    guint count;
    json_t *array = json_array();
    const CatalogStatus *rows = catalog_statuses(&count);
    for (guint i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("X.%u.%u", rows[i].subject, rows[i].detail);
        if (digit_mask_has_status(mask, &rows[i]))
            json_array_append_new(array,
                                  json_pack("{s:s, s:i, s:s}", "status", name, "last_detail",
                                            (int)rows[i].last_detail, "title", rows[i].title));
    }
    return array;
}

json_t *
explain_json_mask(const DigitMask *mask)
{
    g_autofree char *name = digit_mask_format(mask);
    json_t *object = json_object(), *sentences = json_array();
    json_output_set(object, "digits", name);
    for (guint i = 0; i < 3; i++)
        if (digit_mask_sentence(mask, i) != NULL)
            json_array_append_new(sentences, json_string(digit_mask_sentence(mask, i)));
    json_object_set_new(object, "meaning", sentences);
    if (mask->is_status)
        json_object_set_new(object, "statuses", statuses_like_json(mask));
    else
        json_object_set_new(object, "codes", codes_like_json(mask));
    return object;
}

json_t *
explain_json_categories(void)
{
    json_t *object = json_object(), *list = json_array();
    for (guint i = 0; i < CATEGORY_COUNT; i++) {
        const CategoryInfo *info = category_info((Category)i);
        json_t *entry = json_object();
        json_output_set(entry, "category", info->name);
        json_output_set(entry, "group", info->group);
        json_output_set(entry, "meaning", info->meaning);
        json_array_append_new(list, entry);
    }
    json_object_set_new(object, "categories", list);
    return object;
}
