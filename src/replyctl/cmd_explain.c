/*
 * replyctl explain: what a reply means, why it is given, and what each side does about it.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/explain.h"
#include "replyctl/explain_json.h"
#include "replyctl/screen.h"

enum { INDENT = 2, TEXT_COLUMN = 12, DEEPER = 5, CAUSE_COLUMN = 15 };

static const char *const origins[] = {
    [CATALOG_RFC] = "defined in an RFC",
    [CATALOG_REGISTRY] = "named in the IANA registry only",
    [CATALOG_DRAFT] = "from a draft that never became a standard",
    [CATALOG_WILD] = "seen in the field only: no standard has it",
};

static void
put_field(const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0')
        screen_field(INDENT, TEXT_COLUMN, label, text);
}

static void
put_reading(guint number, const CatalogReading *reading)
{
    g_autofree char *label = g_strdup_printf("%u.", number);
    g_autofree char *cause =
        g_strdup_printf("%s [%s]", reading->cause, category_info(reading->category)->name);
    screen_field(INDENT, DEEPER, label, cause);
    if (reading->sender[0] != '\0')
        screen_field(DEEPER, CAUSE_COLUMN, "sender", reading->sender);
    if (reading->admin[0] != '\0')
        screen_field(DEEPER, CAUSE_COLUMN, "receiver", reading->admin);
}

static void
put_readings(const CatalogReading *readings, guint count)
{
    if (count == 0)
        return;
    screen_line(STYLE_FAINT, INDENT, count == 1 ? "the likely cause" : "likely causes");
    for (guint i = 0; i < count; i++)
        put_reading(i + 1, &readings[i]);
}

/* "mail, rcpt" of the bits 1 << SmtpStage. The caller frees it. */
static char *
stage_names(guint bits)
{
    GString *names = g_string_new(NULL);
    for (SmtpStage stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++)
        if (bits & 1u << stage)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   smtp_stage_name(stage));
    return g_string_free(names, FALSE);
}

static void
put_code_digits(guint code)
{
    put_field("1st digit", catalog_first_digit(code));
    put_field("2nd digit", catalog_second_digit(code));
    put_field("3rd digit", catalog_third_digit(code));
}

static void
put_code(guint code, const CatalogReplyCode *row)
{
    if (row == NULL) {
        screen_heading("%u: in no table; its digits say this", code);
        put_code_digits(code);
        return;
    }
    g_autofree char *source = g_strdup_printf("%s (%s)", row->source, origins[row->origin]);
    g_autofree char *stages = stage_names(row->stages);
    g_autofree char *tolerated = stage_names(row->tolerated);
    screen_heading("%u: %s", code, row->title);
    put_field("meaning", row->meaning);
    put_field("try again", row->retry);
    put_readings(row->readings, row->reading_count);
    put_field("given at", stages);
    put_field("also seen", tolerated);
    put_field("goes with", row->statuses);
    put_code_digits(code);
    put_field("note", row->note);
    put_field("source", source);
}

static void
put_status_parts(EnhancedStatus status)
{
    put_field("class", catalog_status_class(status));
    put_field("subject", catalog_status_subject(status));
    put_field("detail", catalog_status_detail(status));
}

static void
put_status(EnhancedStatus status, const CatalogStatus *row)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(status, text);
    if (row == NULL) {
        screen_heading("%s: in no table; its parts say this", text);
        put_status_parts(status);
        return;
    }
    screen_heading("%s: %s", text, row->title);
    put_field("meaning", row->meaning);
    put_field("try again", row->retry);
    if (!(row->classes & 1u << status.class))
        put_field("beware", "the text that defines it does not give it this first digit");
    put_readings(row->readings, row->reading_count);
    put_field("goes with", row->codes);
    put_status_parts(status);
    put_field("note", row->note);
    put_field("source", row->source);
}

/* What the two say about each other, where both are there. */
static void
put_pair(guint code, EnhancedStatus status)
{
    switch (catalog_pair(code, status)) {
    case CATALOG_PAIR_GOOD:
        put_field("the pair", "these two go together");
        break;
    case CATALOG_PAIR_UNUSUAL:
        put_field("the pair", "nothing forbids these two together, and no document names them");
        break;
    case CATALOG_PAIR_CLASS:
        put_field("the pair",
                  "their first digits disagree: MTAs drop such a reply or say something else "
                  "instead; replyctl lint repairs it");
        break;
    case CATALOG_PAIR_MISPLACED:
        put_field("the pair", "no enhanced status belongs to such a reply");
        break;
    }
}

static void
put_cause(const Explanation *explanation)
{
    const Classification *cause = &explanation->cause;
    const CategoryInfo *info = category_info(cause->category);
    g_autofree char *sure =
        g_strdup_printf("%s (by %s)", confidence_name(cause->confidence), cause->rule);
    screen_heading("this reply: %s", info->name);
    put_field("meaning", info->meaning);
    put_field("in short", info->sentence);
    put_field("sender", info->advice);
    put_field("address", cause->permanent ? "give it up: the failure is final"
                                          : "no reason to give the address up");
    put_field("action", action_name(cause->action));
    put_field("how sure", sure);
    put_field("matched", cause->match);
    put_field("provider", cause->provider);
    put_field("DNS list", cause->dnsbl);
    if (cause->retry_after >= 0) {
        g_autofree char *seconds =
            g_strdup_printf("%" G_GINT64_FORMAT " seconds", cause->retry_after);
        put_field("retry in", seconds);
    }
}

static gboolean
is_failure(const SmtpReply *reply)
{
    return reply->code >= 400 || reply->status.class >= 4 ||
           (reply->code == 0 && !enhanced_status_is_set(reply->status));
}

static void
put_explanation(const Explanation *explanation)
{
    const SmtpReply *reply = explanation->reply;
    gboolean has_status = enhanced_status_is_set(reply->status);
    if (is_failure(reply) && (explanation->has_text || (reply->code != 0 && has_status))) {
        put_cause(explanation);
        if (reply->code != 0 && has_status)
            put_pair(reply->code, reply->status);
    }
    if (has_status)
        put_status(reply->status, explanation->status);
    if (reply->code != 0)
        put_code(reply->code, explanation->code);
}

int
cmd_explain(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "one JSON object instead", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries,
                       "Examples:\n  replyctl explain 550 5.7.26\n  replyctl explain 421\n"
                       "  replyctl explain '550-5.7.1 Service unavailable; client blocked'",
                       &argc, &argv))
        return COMMAND_USAGE;
    if (argc < 2) {
        command_complain(
            "explain: what? a code, a status, or a reply (see replyctl explain --help)");
        return COMMAND_USAGE;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Classifier) classifier = classifier_new(&error);
    if (classifier == NULL) {
        command_complain("%s", error->message);
        return COMMAND_FAILED;
    }
    g_autofree char *text = g_strjoinv(" ", argv + 1);
    Explanation explanation;
    int status = COMMAND_USAGE;
    if (!explanation_make(classifier, text, &explanation)) {
        command_complain("explain: nothing to explain in \"%s\"", text);
    } else {
        if (json)
            explain_json_print(&explanation);
        else
            put_explanation(&explanation);
        status = COMMAND_DONE;
    }
    explanation_clear(&explanation);
    return status;
}
