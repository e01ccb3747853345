/*
 * replyctl lint: every rule that a reply breaks, and the repaired reply.
 */
#include "engine/lint.h"
#include "engine/milter_text.h"
#include "engine/repair.h"
#include "replyctl/command.h"
#include "replyctl/input.h"
#include "replyctl/json_output.h"
#include "replyctl/screen.h"

/* What lint and repair make of one reply. */
typedef struct {
    GPtrArray *findings; /* of LintFinding */
    SmtpReply *repaired;
    Classification cause;
} LintResult;

/* A milter's '%' stands doubled in what comes out too. */
static void
double_percents(SmtpReply *reply)
{
    for (guint i = 0; i < smtp_reply_line_count(reply); i++) {
        SmtpReplyLine *line = &reply->lines[i];
        g_autofree char *single = line->text;
        line->text = milter_text_escape(single);
    }
}

static void
lint_result_make(const Classifier *classifier, const GString *raw, LintContext *context,
                 LintResult *result)
{
    g_autoptr(SmtpReply) reply = smtp_reply_parse(raw->str, (gssize)raw->len);
    ClassifierSubject subject = {.reply = reply, .stage = context->stage};
    classifier_reply(classifier, &subject, &result->cause);
    context->cause = &result->cause;
    result->findings = lint_reply(raw->str, (gssize)raw->len, context);
    result->repaired = repair_text(raw->str, (gssize)raw->len, context, NULL);
    if (context->milter_text)
        double_percents(result->repaired);
}

static void
lint_result_clear(LintResult *result)
{
    g_ptr_array_unref(result->findings);
    smtp_reply_free(result->repaired);
    classification_clear(&result->cause);
}

static void
put_finding(const LintFinding *finding)
{
    const char *name = lint_rule_name(finding->rule);
    g_autofree char *place =
        finding->line > 0 ? g_strdup_printf("%s, line %u", name, finding->line) : g_strdup(name);
    screen_paragraph(STYLE_BAD, 2, place);
    screen_paragraph(STYLE_PLAIN, 4, finding->sentence);
    screen_paragraph(STYLE_PLAIN, 4, finding->repair);
}

static void
put_result(const LintResult *result)
{
    guint count = result->findings->len;
    if (count == 0) {
        screen_paragraph(STYLE_GOOD, 0, "This reply breaks no rule.");
        return;
    }
    screen_heading("%u finding%s", count, count == 1 ? "" : "s");
    for (guint i = 0; i < count; i++)
        put_finding(g_ptr_array_index(result->findings, i));
    screen_heading("Repaired");
    screen_reply(STYLE_GOOD, SCREEN_INDENT, result->repaired);
}

static void
put_result_json(const LintResult *result)
{
    json_t *object = json_object(), *findings = json_array();
    for (guint i = 0; i < result->findings->len; i++) {
        const LintFinding *finding = g_ptr_array_index(result->findings, i);
        json_t *entry = json_object();
        json_output_set(entry, "rule", lint_rule_name(finding->rule));
        if (finding->line > 0)
            json_object_set_new(entry, "line", json_integer(finding->line));
        json_output_set(entry, "sentence", finding->sentence);
        json_output_set(entry, "repair", finding->repair);
        json_array_append_new(findings, entry);
    }
    json_object_set_new(object, "findings", findings);
    json_object_set_new(object, "repaired", json_output_reply(result->repaired));
    json_object_set_new(object, "classification", json_output_cause(&result->cause));
    json_output_print(object);
}

/* FALSE: no such stage, said. */
static gboolean
read_stage(const char *name, SmtpStage *stage)
{
    if (name == NULL)
        return TRUE;
    *stage = smtp_stage_from_name(name);
    if (*stage != SMTP_STAGE_UNKNOWN)
        return TRUE;
    command_complain_of_choice("lint", "stage", name, smtp_stage_names());
    return FALSE;
}

int
cmd_lint(int argc, char **argv)
{
    gboolean json = FALSE, milter = FALSE, smtputf8 = FALSE;
    g_autofree char *stage = NULL;
    const GOptionEntry entries[] = {
        {"stage", 's', 0, G_OPTION_ARG_STRING, &stage,
         "where it is given: connect, mail, rcpt, ...", "STAGE"},
        {"milter", 'm', 0, G_OPTION_ARG_NONE, &milter,
         "it is what a milter sends: % stands doubled", NULL},
        {"smtputf8", 'u', 0, G_OPTION_ARG_NONE, &smtputf8, "the client has announced SMTPUTF8",
         NULL},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &json, "one JSON object instead", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries,
                       "REPLY - reads standard input. Examples:\n"
                       "  replyctl lint --stage rcpt '550 4.7.1 no'\n"
                       "  printf '550-one\\r\\n551 two' | replyctl lint -",
                       &argc, &argv))
        return COMMAND_USAGE;
    LintContext context = {.milter_text = milter, .smtputf8 = smtputf8};
    if (argc < 2) {
        command_complain("lint: which reply? (see replyctl lint --help)");
        return COMMAND_USAGE;
    }
    if (!read_stage(stage, &context.stage))
        return COMMAND_USAGE;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) raw = input_words_or_stdin(argc, argv, &error);
    g_autoptr(Classifier) classifier = raw != NULL ? classifier_new(&error) : NULL;
    if (classifier == NULL) {
        command_complain("lint: %s", error->message);
        return COMMAND_FAILED;
    }
    LintResult result = {.findings = NULL};
    lint_result_make(classifier, raw, &context, &result);
    if (json)
        put_result_json(&result);
    else
        put_result(&result);
    lint_result_clear(&result);
    return COMMAND_DONE;
}
