/*
 * replyctl explain: what a reply means, why it is given, and what each side does about it.
 */
#include <string.h>

#include "base/text.h"
#include "replyctl/command.h"
#include "replyctl/explain_json.h"
#include "replyctl/explain_screen.h"
#include "replyctl/input.h"
#include "replyctl/json_output.h"

static const char description[] =
    "A reply code, an enhanced status, both, a whole reply or a log line as pasted,\n"
    "some digits (5xx, X.7.x), the name of a category, or the word "
    "\"categories\" for\nall of them. - reads standard input.\n\n"
    "Examples:\n"
    "  replyctl explain 550 5.7.26\n"
    "  replyctl explain '550-5.7.1 Service unavailable; client blocked'\n"
    "  replyctl explain user-unknown";

typedef struct {
    gboolean json;
    gboolean all;
} ExplainOptions;

static int
explain_category(Category category, const ExplainOptions *options)
{
    if (options->json)
        json_output_print(explain_json_category(category));
    else
        explain_screen_category(category, options->all);
    return COMMAND_DONE;
}

static int
explain_mask(const DigitMask *mask, const ExplainOptions *options)
{
    if (options->json)
        json_output_print(explain_json_mask(mask));
    else
        explain_screen_mask(mask);
    return COMMAND_DONE;
}

static int
explain_categories(const ExplainOptions *options)
{
    if (options->json)
        json_output_print(explain_json_categories());
    else
        explain_screen_categories();
    return COMMAND_DONE;
}

/* How a number is written, where the text is a wrong one; else NULL. */
static const char *
right_number(const char *text)
{
    if (*text == '\0' || text[strspn(text, "0123456789xX.")] != '\0')
        return NULL;
    if (strchr(text, '.') != NULL)
        return "an enhanced status is 2, 4 or 5 and two numbers more, as in 5.1.1 or 5.1.x";
    return "a reply code has three digits, as in 550 or 55x";
}

/* Text that no rule knows, and no number. */
static int
complain_of(const char *text)
{
    const char *nearest = text_nearest(text, category_names()), *number = right_number(text);
    g_autofree char *shown = text_clean(text, 60);
    if (number != NULL)
        command_complain("explain: nothing known in \"%s\": %s", shown, number);
    else if (nearest != NULL)
        command_complain("explain: nothing known in \"%s\": did you mean \"%s\"?", shown, nearest);
    else
        command_complain("explain: nothing known in \"%s\": no code, no status, no text that a "
                         "rule knows",
                         shown);
    return COMMAND_USAGE;
}

static gboolean
says_nothing(const Meaning *meaning)
{
    return meaning->reply->code == 0 && !enhanced_status_is_set(meaning->reply->status) &&
           meaning->cause.category == CATEGORY_UNCLASSIFIED;
}

static int
explain_reply(const char *text, const ExplainOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Classifier) classifier =
        meaning_has_text(text) ? classifier_new(&error) : classifier_new_for_numbers();
    if (classifier == NULL) {
        command_complain("explain: %s", error->message);
        return COMMAND_FAILED;
    }
    Meaning meaning;
    int status = COMMAND_DONE;
    if (!meaning_make(classifier, text, &meaning) || says_nothing(&meaning))
        status = complain_of(text);
    else if (options->json)
        json_output_print(explain_json_meaning(&meaning));
    else
        explain_screen_meaning(&meaning, options->all);
    meaning_clear(&meaning);
    return status;
}

static int
explain(const char *text, const ExplainOptions *options)
{
    Category category;
    DigitMask mask;
    EnhancedStatus status;
    if (strcmp(text, "categories") == 0)
        return explain_categories(options);
    if (category_from_name(text, &category))
        return explain_category(category, options);
    if (!digit_mask_parse(text, &mask))
        return explain_reply(text, options);
    /* "X.7.26" leaves only the class open: all of it is said about 5.7.26. */
    if (!digit_mask_any_class(&mask, &status))
        return explain_mask(&mask, options);
    char name[ENHANCED_STATUS_TEXT_SIZE];
    return explain_reply(enhanced_status_format(status, name), options);
}

int
cmd_explain(int argc, char **argv)
{
    ExplainOptions options = {.json = FALSE};
    const GOptionEntry entries[] = {
        {"json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "one JSON object instead", NULL},
        {"all", 'a', 0, G_OPTION_ARG_NONE, &options.all,
         "what to do about each cause, also where there are many", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (argc < 2) {
        command_complain("explain: a code, a status, or a reply is needed (see replyctl explain "
                         "--help)");
        return COMMAND_USAGE;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = input_words_or_stdin(argc, argv, &error);
    if (text == NULL) {
        command_complain("explain: %s", error->message);
        return COMMAND_FAILED;
    }
    g_strstrip(text->str);
    if (*text->str == '\0') {
        command_complain("explain: there is nothing to explain: the input is empty");
        return COMMAND_USAGE;
    }
    return explain(text->str, &options);
}
