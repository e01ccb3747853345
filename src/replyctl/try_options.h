/*
 * try_options: the session, reply and message that `replyctl try` is told of.
 */
#pragma once

#include "engine/facts.h"
#include "policy/policy.h"

/* As given; NULL where nothing was. Owned. */
typedef struct {
    char *config;
    char *client, *client_name, *helo, *sender;
    char **recipients;
    char *auth_user, *tls, *daemon;
    char **headers;
    gint64 size; /* -1: not given */
    char *queue_id, *filter, *stage_name, *door_name, *reply, *message;
    gboolean smtputf8, json, filters;
    /* Worked out. */
    SmtpStage stage;        /* unknown: not given */
    Door door;              /* DOOR_COMMAND: not given */
    GPtrArray *all_headers; /* of char *: --header and the message's; NULL: not known */
    GString *whole;         /* the message; NULL: not given */
} TryOptions;

/* FALSE: wrong usage (*status COMMAND_USAGE) or a file that cannot be read, said. Cleared by the
 * caller either way. */
gboolean try_options_read(TryOptions *options, int *argc, char ***argv, int *status);
void try_options_clear(TryOptions *options);

/* What a session with these options is known to be at its beginning: everything but the recipient,
 * the headers and the size. */
void try_options_session(const TryOptions *options, const Policy *policy, Facts *facts);

/* And what the end of its data adds. */
void try_options_message(const TryOptions *options, Facts *facts);
