/*
 * explain_screen: what a reply, a category or a pattern of digits means, for people.
 */
#include "replyctl/explain_screen.h"

#include <string.h>

#include "replyctl/screen.h"
#include "replyctl/spoken.h"

enum { CAUSE_COLUMN = 5, ADVICE_COLUMN = 15, CATEGORY_COLUMN = 25 };

static const char *const origins[] = {
    [CATALOG_RFC] = "",
    [CATALOG_REGISTRY] = " (in the IANA registry only)",
    [CATALOG_DRAFT] = " (a draft that never became a standard)",
    [CATALOG_WILD] = " (seen in the field only: no standard has it)",
};

/* ---- causes ---------------------------------------------------------------------------------- */

/* More than these are shown in short, unless all is asked for. */
enum { MANY_READINGS = 6 };

static const char *
category_name_of(const GPtrArray *readings, guint index)
{
    const CatalogReading *reading = g_ptr_array_index(readings, index);
    return category_info(reading->category)->name;
}

/* The category's name stands behind each cause where not all have the same. */
static gboolean
categories_differ(const GPtrArray *readings, guint count)
{
    for (guint i = 1; i < count; i++)
        if (category_name_of(readings, i) != category_name_of(readings, 0))
            return TRUE;
    return FALSE;
}

static void
put_reading(guint number, const CatalogReading *reading, gboolean with_category)
{
    const char *category = category_info(reading->category)->name;
    g_autofree char *label = g_strdup_printf("%u.", number);
    g_autofree char *cause = with_category ? g_strdup_printf("%s [%s]", reading->cause, category)
                                           : g_strdup(reading->cause);
    screen_field(SCREEN_INDENT, CAUSE_COLUMN, label, cause);
    if (reading->sender[0] != '\0')
        screen_field(CAUSE_COLUMN, ADVICE_COLUMN, "sender", reading->sender);
    if (reading->admin[0] != '\0')
        screen_field(CAUSE_COLUMN, ADVICE_COLUMN, "receiver", reading->admin);
}

static void
put_reading_in_short(const CatalogReading *reading)
{
    screen_field(SCREEN_INDENT, CATEGORY_COLUMN, category_info(reading->category)->name,
                 reading->cause);
}

static void
put_readings(const GPtrArray *readings, guint count, gboolean all)
{
    gboolean in_short = count > MANY_READINGS && !all, differ = categories_differ(readings, count);
    if (count == 0)
        return;
    const char *title = count == 1 ? "Likely cause" : "Likely causes";
    if (differ)
        screen_heading("%s", title);
    else
        screen_heading("%s (%s)", title, category_name_of(readings, 0));
    for (guint i = 0; i < count; i++) {
        if (in_short)
            put_reading_in_short(g_ptr_array_index(readings, i));
        else
            put_reading(i + 1, g_ptr_array_index(readings, i), differ);
    }
    if (in_short)
        screen_paragraph(STYLE_FAINT, SCREEN_INDENT,
                         "What to do about one of them: replyctl explain NAME; about all of them: "
                         "--all. The enhanced status or the text tells which it is.");
}

/* ---- the code and the status ------------------------------------------------------------------
 */

/* "mail, rcpt" of the bits 1 << SmtpStage; "every stage" if it is. The caller frees it. */
static char *
stage_names(guint bits)
{
    guint all = (1u << SMTP_STAGE_COUNT) - (1u << SMTP_STAGE_CONNECT);
    if ((bits & all) == all)
        return g_strdup("every stage");
    GString *names = g_string_new(NULL);
    for (SmtpStage stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++)
        if (bits & 1u << stage)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   smtp_stage_name(stage));
    return g_string_free(names, FALSE);
}

static void
put_code(guint code, const CatalogReplyCode *row, gboolean alone)
{
    if (catalog_first_digit(code) == NULL) {
        screen_heading("%u: no SMTP reply code begins with %u", code, code / 100);
        return;
    }
    if (row == NULL) {
        screen_heading("%u: in no table; its digits say what follows", code);
        return;
    }
    screen_heading("%u: %s", code, row->title);
    screen_labelled("meaning", row->meaning);
    if (!alone)
        return;
    screen_labelled("try again", row->retry);
    screen_labelled("note", row->note);
}

static void
put_status(EnhancedStatus status, const CatalogStatus *row)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(status, text);
    if (row == NULL) {
        screen_heading("%s: in no table; its parts say what follows", text);
        return;
    }
    screen_heading("%s: %s", text, row->title);
    screen_labelled("meaning", row->meaning);
    screen_labelled("try again", row->retry);
    screen_labelled("note", row->note);
    if (!(row->classes & 1u << status.class))
        screen_labelledf("by the book", "Its definition gives it no first digit of %u.",
                         status.class);
}

/* NULL: as it should be. */
static const char *
pair_sentence(guint code, EnhancedStatus status)
{
    switch (catalog_pair(code, status)) {
    case CATALOG_PAIR_GOOD:
        return NULL;
    case CATALOG_PAIR_UNUSUAL:
        return "Nothing forbids these two together, and no document names them.";
    case CATALOG_PAIR_CLASS:
        return "Their first digits disagree: mail servers drop such a reply or say something else "
               "instead. replyctl lint repairs it.";
    case CATALOG_PAIR_MISPLACED:
        return "No enhanced status belongs to such a reply.";
    }
    g_assert_not_reached();
}

static void
put_pair(guint code, EnhancedStatus status)
{
    g_autofree char *label = g_strdup_printf("with %u", code);
    screen_labelled(label, pair_sentence(code, status));
}

/* ---- the numbers ------------------------------------------------------------------------------
 */

static void
put_code_digits(guint code)
{
    screen_labelled("first digit", catalog_first_digit(code));
    screen_labelled("second digit", catalog_second_digit(code));
    screen_labelled("third digit", catalog_third_digit(code));
}

static void
put_code_numbers(guint code, const CatalogReplyCode *row, gboolean with_digits)
{
    if (catalog_first_digit(code) == NULL)
        return;
    screen_heading("About the number %u", code);
    if (row == NULL || with_digits)
        put_code_digits(code);
    if (row == NULL)
        return;
    g_autofree char *stages = stage_names(row->stages);
    g_autofree char *tolerated = stage_names(row->tolerated);
    screen_labelled("given at", stages);
    screen_labelled("also seen at", tolerated);
    screen_labelled("goes with", row->statuses);
    screen_labelledf("source", "%s%s", row->source, origins[row->origin]);
}

/* Of "451 550" those of the status's class; all of them if there is none. The caller frees it. */
static char *
codes_of_class(const char *codes, guint class)
{
    g_auto(GStrv) words = g_strsplit(codes, " ", -1);
    GString *fitting = g_string_new(NULL);
    for (char **word = words; *word != NULL; word++)
        if ((guint)((*word)[0] - '0') == class)
            g_string_append_printf(fitting, "%s%s", fitting->len > 0 ? " " : "", *word);
    if (fitting->len == 0)
        g_string_assign(fitting, codes);
    return g_string_free(fitting, FALSE);
}

static void
put_status_parts(EnhancedStatus status)
{
    screen_labelled("class", catalog_status_class(status));
    screen_labelled("subject", catalog_status_subject(status));
    screen_labelled("detail", catalog_status_detail(status));
}

static void
put_status_numbers(EnhancedStatus status, const CatalogStatus *row, gboolean with_parts)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    screen_heading("About the number %s", enhanced_status_format(status, text));
    if (row == NULL || with_parts)
        put_status_parts(status);
    if (row == NULL)
        return;
    g_autofree char *codes = codes_of_class(row->codes, status.class);
    screen_labelled("goes with", codes);
    screen_labelledf("source", "%s%s", row->source, origins[row->origin]);
}

/* ---- a reply ----------------------------------------------------------------------------------
 */

static const char *
address_sentence(const Classification *cause)
{
    if (cause->permanent)
        return "It is dead: take it off every list.";
    if (cause->action == ACTION_SUPPRESS)
        return "Stop sending to it for now, and confirm it before its next use.";
    return "This is no reason to give it up.";
}

static void
put_speaker(const SmtpReply *reply)
{
    if (reply->remote_name != NULL || reply->remote_addr != NULL)
        screen_labelledf("said by", "%s%s%s%s",
                         reply->remote_name != NULL ? reply->remote_name : "",
                         reply->remote_addr != NULL ? "[" : "",
                         reply->remote_addr != NULL ? reply->remote_addr : "",
                         reply->remote_addr != NULL ? "]" : "");
    screen_labelled("in reply to", smtp_stage_name(reply->stage));
}

/* What its text, with all else, gives away. */
static void
put_cause(const Meaning *meaning)
{
    const Classification *cause = &meaning->cause;
    const CategoryInfo *info = category_info(cause->category);
    screen_heading("This reply: %s (%s)", info->name, info->meaning);
    screen_labelled("what to do", info->advice);
    screen_labelled("the address", address_sentence(cause));
    screen_labelled("action", action_name(cause->action));
    spoken_evidence(cause);
    put_speaker(meaning->reply);
}

/* What code and status alone are counted as. */
static void
put_category(const Meaning *meaning)
{
    const Classification *cause = &meaning->cause;
    if (cause->category == CATEGORY_UNCLASSIFIED) {
        screen_labelled("counts as", "unclassified: only a status or the text can tell");
        return;
    }
    screen_labelledf("counts as", "%s, if the text does not say otherwise (action: %s)",
                     category_info(cause->category)->name, action_name(cause->action));
    screen_labelled("the address", address_sentence(cause));
}

/* The causes that the text speaks against, by name. */
static void
put_other_readings(const Meaning *meaning)
{
    if (meaning->status != NULL && meaning->fitting > 0)
        return; /* status and text agree: nothing is open */
    GString *names = g_string_new(NULL);
    for (guint i = meaning->fitting; i < meaning->readings->len; i++) {
        const CatalogReading *reading = g_ptr_array_index(meaning->readings, i);
        const char *name = category_info(reading->category)->name;
        if (strstr(names->str, name) == NULL)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
    }
    if (names->len > 0)
        screen_labelled("can also be", names->str);
    g_string_free(names, TRUE);
}

static void
put_numbers(const Meaning *meaning, gboolean has_code, gboolean has_status)
{
    /* What a lone number is, its digits tell; two of them and a text say enough themselves. */
    gboolean with_digits = !meaning->has_text && has_code != has_status;
    const SmtpReply *reply = meaning->reply;
    if (has_status)
        put_status_numbers(reply->status, meaning->status, with_digits);
    if (has_code)
        put_code_numbers(reply->code, meaning->code, with_digits);
}

void
explain_screen_meaning(const Meaning *meaning, gboolean all)
{
    const SmtpReply *reply = meaning->reply;
    gboolean has_status = enhanced_status_is_set(reply->status), has_code = reply->code != 0;
    gboolean judged = meaning->is_failure && meaning->has_text;
    if (judged)
        put_cause(meaning);
    else if (!has_code && !has_status)
        return;
    if (has_status)
        put_status(reply->status, meaning->status);
    else if (has_code)
        put_code(reply->code, meaning->code, TRUE);
    if (has_code && has_status)
        put_pair(reply->code, reply->status);
    if (judged)
        put_other_readings(meaning);
    else if (meaning->is_failure)
        put_category(meaning);
    put_readings(meaning->readings, meaning->fitting, all);
    if (has_code && has_status)
        put_code(reply->code, meaning->code, meaning->status == NULL);
    put_numbers(meaning, has_code, has_status);
}

/* ---- a category -------------------------------------------------------------------------------
 */

void
explain_screen_category(Category category, gboolean all)
{
    const CategoryInfo *info = category_info(category);
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autoptr(GPtrArray) readings = meaning_readings_of(category);
    g_autofree char *codes = meaning_codes_of(category);
    screen_heading("%s: %s", info->name, info->meaning);
    screen_labelled("what to do", info->advice);
    screen_labelled("the address", info->permanent
                                       ? "Dead once the failure is final (a 5xx reply, or "
                                         "a report that gave up)."
                                       : "This is no reason to give it up.");
    screen_labelled("action", action_name(info->action));
    screen_labelled("group", info->group);
    screen_labelled("in a reply", info->sentence);
    screen_labelled("status", enhanced_status_format(info->status, status));
    screen_labelled("comes with", codes);
    put_readings(readings, readings->len, all);
    screen_heading("In other systems");
    screen_labelled("sisimai", info->aliases[0]);
    screen_labelled("PowerMTA", info->aliases[1]);
    screen_labelled("KumoMTA", info->aliases[2]);
    screen_labelled("Postal", info->aliases[3]);
}

/* ---- some digits ------------------------------------------------------------------------------
 */

static void
put_title(const DigitMask *mask, const char *name, const char *title, gboolean first)
{
    if (first)
        screen_heading("%s", mask->is_status ? "Such statuses" : "Such codes");
    screen_labelled(name, title);
}

static void
put_codes_like(const DigitMask *mask)
{
    guint count, shown = 0;
    const CatalogReplyCode *codes = catalog_reply_codes(&count);
    for (guint i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("%u", codes[i].code);
        if (digit_mask_has_code(mask, &codes[i]))
            put_title(mask, name, codes[i].title, shown++ == 0);
    }
}

static void
put_statuses_like(const DigitMask *mask)
{
    guint count, shown = 0;
    const CatalogStatus *rows = catalog_statuses(&count);
    for (guint i = 0; i < count; i++) {
        if (!digit_mask_has_status(mask, &rows[i]))
            continue;
        g_autofree char *last = rows[i].last_detail > rows[i].detail
                                    ? g_strdup_printf("-%u", rows[i].last_detail)
                                    : g_strdup("");
        g_autofree char *name = g_strdup_printf("X.%u.%u%s", rows[i].subject, rows[i].detail, last);
        put_title(mask, name, rows[i].title, shown++ == 0);
    }
}

void
explain_screen_mask(const DigitMask *mask)
{
    g_autofree char *name = digit_mask_format(mask);
    screen_heading("%s", name);
    for (guint i = 0; i < 3; i++)
        if (digit_mask_sentence(mask, i) != NULL)
            screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, digit_mask_sentence(mask, i));
    if (mask->is_status)
        put_statuses_like(mask);
    else
        put_codes_like(mask);
}

void
explain_screen_categories(void)
{
    screen_heading("Categories");
    for (guint i = 0; i < CATEGORY_COUNT; i++) {
        const CategoryInfo *info = category_info((Category)i);
        screen_field(SCREEN_INDENT, CATEGORY_COLUMN, info->name, info->meaning);
    }
}
