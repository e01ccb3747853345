/*
 * replyctl status: how the running daemon is.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/control_client.h"
#include "replyctl/json_output.h"
#include "replyctl/status_screen.h"

static const char description[] =
    "Asks the daemon itself: the exit status is 0 if it has answered, and 1 if not.\n"
    "`replyctl tail` shows what it does.";

int
cmd_status(int argc, char **argv)
{
    gboolean as_json = FALSE;
    g_auto(ControlOptions) options = {0};
    const GOptionEntry entries[] = {
        CONTROL_CLIENT_ENTRIES(options),
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "as one JSON object", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (command_has_stray(argc, argv, 0, NULL))
        return COMMAND_USAGE;
    g_autofree char *text = control_client_ask("status", &options, "status", "");
    if (text == NULL)
        return COMMAND_FAILED;
    json_t *status = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_integer(json_object_get(status, "pid"))) {
        command_complain("status: what answers there is no replymilter");
        json_decref(status);
        return COMMAND_FAILED;
    }
    if (as_json) {
        json_output_print(status);
        return COMMAND_DONE;
    }
    status_screen_show(status);
    json_decref(status);
    return COMMAND_DONE;
}
