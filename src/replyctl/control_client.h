/*
 * control_client: one question to the running daemon, at its control door.
 *
 * Where that is says the policy file, or --socket. Whatever is in the way is said on standard
 * error, with what to do about it. Main thread.
 */
#pragma once

#include <glib.h>

/* How long the daemon may take to answer. */
#define CONTROL_CLIENT_SECONDS 10

/* Of the command line, to be freed; NULL: not given. */
typedef struct {
    char *config, *socket;
} ControlOptions;

/* GOptionEntry rows for them. */
#define CONTROL_CLIENT_ENTRIES(options)                                                            \
    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &(options).config, "the policy of the daemon",       \
     "FILE"},                                                                                      \
    {                                                                                              \
        "socket", 's', 0, G_OPTION_ARG_FILENAME, &(options).socket,                                \
            "this control socket, whatever the policy says", "PATH"                                \
    }

void control_options_clear(ControlOptions *options);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ControlOptions, control_options_clear)

/*
 * Asks `request` with `arguments` ("": none) for that command of replyctl. NULL, said on standard
 * error, if there is no answer, or none but a refusal. The caller frees it.
 */
char *control_client_ask(const char *command, const ControlOptions *options, const char *request,
                         const char *arguments);
