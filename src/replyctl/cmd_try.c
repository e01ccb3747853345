/*
 * replyctl try: what the policy would say in a session, or about somebody else's reply, and why.
 */
#include "replyctl/command.h"
#include "replyctl/json_output.h"
#include "replyctl/policy_file.h"
#include "replyctl/screen.h"
#include "replyctl/try_json.h"
#include "replyctl/try_screen.h"

static void
try_reply(const Policy *policy, const TryOptions *options)
{
    TryReply reply;
    try_reply_make(policy, options, &reply);
    if (options->json)
        json_output_print(try_json_reply(&reply));
    else
        try_screen_reply(&reply);
    try_reply_clear(&reply);
}

static void
try_session(const Policy *policy, const TryOptions *options)
{
    TrySession session;
    try_session_play(policy, options, &session);
    if (options->json)
        json_output_print(try_json_session(&session));
    else if (policy_check_count(policy) == 0 && session.report == NULL && session.filters == NULL)
        screen_paragraph(STYLE_PLAIN, 0,
                         session.unasked
                             ? "The policy has no checks, and its filters were not asked: "
                               "--filters does that."
                             : "The policy has no checks: nothing of ours refuses anything.");
    else
        try_screen_session(&session);
    try_session_clear(&session);
}

static int
try_it(const TryOptions *options)
{
    const char *path = options->config != NULL ? options->config : POLICY_DEFAULT_FILE;
    g_autoptr(GError) error = NULL;
    /* A session's own replies are not shown with their category; what a message reports is, and
     * what a filter says goes by it. */
    gboolean reads = options->reply != NULL || options->message != NULL || options->filters;
    g_autoptr(Classifier) classifier =
        reads ? classifier_new(&error) : classifier_new_for_numbers();
    if (classifier == NULL) {
        command_complain("try: %s", error->message);
        return COMMAND_FAILED;
    }
    g_autoptr(Policy) policy = policy_file_load_path(path, classifier, FALSE);
    if (policy == NULL)
        return COMMAND_FAILED;
    if (options->reply != NULL)
        try_reply(policy, options);
    else
        try_session(policy, options);
    return COMMAND_DONE;
}

int
cmd_try(int argc, char **argv)
{
    TryOptions options;
    int status;
    if (try_options_read(&options, &argc, &argv, &status))
        status = try_it(&options);
    try_options_clear(&options);
    return status;
}
