/*
 * replyctl lint: every rule that a reply breaks, and the repaired reply.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/lint.h"
#include "engine/repair.h"
#include "replyctl/command.h"
#include "replyctl/input.h"
#include "replyctl/screen.h"

/* What lint and repair make of one reply. */
typedef struct {
    GPtrArray *findings; /* of LintFinding */
    SmtpReply *repaired;
    Classification cause;
} LintResult;

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
}

static void
lint_result_clear(LintResult *result)
{
    g_ptr_array_unref(result->findings);
    smtp_reply_free(result->repaired);
    classification_clear(&result->cause);
}

/* The repaired reply, a line of the wire in each. */
static void
put_wire(const SmtpReply *reply)
{
    g_autofree char *wire = smtp_reply_to_wire(reply);
    g_auto(GStrv) lines = g_strsplit(wire, "\r\n", -1);
    for (char **line = lines; *line != NULL; line++)
        screen_line(STYLE_GOOD, 2, *line);
}

static void
put_finding(const LintFinding *finding)
{
    const char *name = lint_rule_name(finding->rule);
    g_autofree char *place =
        finding->line > 0 ? g_strdup_printf("%s, line %u", name, finding->line) : g_strdup(name);
    screen_line(STYLE_BAD, 2, place);
    screen_paragraph(4, finding->sentence);
    screen_paragraph(4, finding->repair);
}

static void
put_result(const LintResult *result)
{
    guint count = result->findings->len;
    if (count == 0) {
        screen_line(STYLE_GOOD, 0, "This reply breaks no rule.");
        return;
    }
    screen_heading("%u finding%s", count, count == 1 ? "" : "s");
    for (guint i = 0; i < count; i++)
        put_finding(g_ptr_array_index(result->findings, i));
    screen_heading("repaired");
    put_wire(result->repaired);
}

static void
put_result_json(const LintResult *result)
{
    json_t *findings = json_array();
    for (guint i = 0; i < result->findings->len; i++) {
        const LintFinding *finding = g_ptr_array_index(result->findings, i);
        json_array_append_new(findings,
                              json_pack("{s:s, s:i, s:s, s:s}", "rule",
                                        lint_rule_name(finding->rule), "line", (int)finding->line,
                                        "sentence", finding->sentence, "repair", finding->repair));
    }
    g_autofree char *wire = smtp_reply_to_wire(result->repaired);
    json_t *object = json_pack("{s:o, s:s, s:s}", "findings", findings, "repaired", wire,
                               "category", category_info(result->cause.category)->name);
    json_dumpf(object, stdout, JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(object);
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
    g_autofree char *known = g_strjoinv(", ", (char **)smtp_stage_names());
    command_complain("lint: unknown stage \"%s\" (known: %s)", name, known);
    return FALSE;
}

int
cmd_lint(int argc, char **argv)
{
    gboolean json = FALSE, milter = FALSE, smtputf8 = FALSE;
    g_autofree char *stage = NULL;
    const GOptionEntry entries[] = {
        {"stage", 's', 0, G_OPTION_ARG_STRING, &stage,
         "where it is given: connect, helo, mail, rcpt, "
         "data, eom, ...",
         "STAGE"},
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
