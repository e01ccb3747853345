/*
 * try_options: the session, reply and message that `replyctl try` is told of.
 */
#include "replyctl/try_options.h"

#include <string.h>

#include "engine/engine.h"
#include "mail/address.h"
#include "policy/address_block.h"
#include "replyctl/command.h"
#include "replyctl/try_message.h"

static const char description[] =
    "Without --reply: plays the session against the policy's checks and says at\n"
    "each stage what is answered, and why. With --reply: what becomes of that reply\n"
    "at a door: milter, filter, reject, footer, delivery or rbl (where --reply is\n"
    "the list's name); without --door, as if everything about it were known.\n"
    "With --filters, the filters of the policy are really connected to and asked\n"
    "about this session and message; what they want done is shown, and not done.\n"
    "What is not given is not known, and a condition on it does not match; nobody\n"
    "has logged in, and there is no TLS, unless you say so.\n\n"
    "Examples:\n"
    "  replyctl try --client 192.0.2.1 --helo localhost --recipient c@example.net\n"
    "  replyctl try --filters --client 192.0.2.1 --helo mx.example.org --sender a@b\\\n"
    "    --recipient c@example.net --message mail.eml\n"
    "  replyctl try --reply '550 5.1.1 <c@d>: User unknown' --door footer";

/* The port only tells the MTA's own mail (0) from everybody else's. */
enum { SOME_PORT = 25 };

/* A reply that stands in the log cannot be changed any more. */
static gboolean
is_door(TryOptions *options)
{
    return door_from_name(options->door_name, &options->door) && options->door != DOOR_LOG;
}

static gboolean
read_names(TryOptions *options)
{
    options->stage = SMTP_STAGE_UNKNOWN;
    if (options->stage_name != NULL) {
        options->stage = smtp_stage_from_name(options->stage_name);
        if (options->stage == SMTP_STAGE_UNKNOWN) {
            command_complain_of_choice("try", "stage", options->stage_name, smtp_stage_names());
            return FALSE;
        }
    }
    options->door = options->filter != NULL ? DOOR_FILTER : DOOR_COMMAND;
    if (options->door_name != NULL && !is_door(options)) {
        const char *names[DOOR_COUNT + 1] = {NULL};
        for (guint i = 0, count = 0; i < DOOR_COUNT; i++)
            if (i != DOOR_COMMAND && i != DOOR_LOG)
                names[count++] = door_name((Door)i);
        command_complain_of_choice("try", "door", options->door_name, names);
        return FALSE;
    }
    return TRUE;
}

static gboolean
client_is_address(const char *client)
{
    AddressBlock address;
    if (client == NULL || address_block_from_address(client, &address))
        return TRUE;
    command_complain("try: --client \"%s\" is no IP address", client);
    return FALSE;
}

static gboolean
headers_have_names(char **headers)
{
    for (; headers != NULL && *headers != NULL; headers++) {
        const char *colon = strchr(*headers, ':');
        if (colon == NULL || colon == *headers) {
            command_complain("try: --header \"%s\" is no header: write it as \"Name: value\"",
                             *headers);
            return FALSE;
        }
    }
    return TRUE;
}

/* Words behind the options, or options that make no sense together. */
static gboolean
has_sense(const TryOptions *options, int argc, char **argv)
{
    if (argc > 1)
        command_complain("try: what is \"%s\"? (see replyctl try --help)", argv[1]);
    else if (options->reply == NULL && options->door_name != NULL)
        command_complain("try: --door is for a reply: say it with --reply");
    else if (options->reply == NULL && options->filter != NULL)
        command_complain("try: --filter is for the reply of a filter: say it with --reply");
    else if (options->filters && options->reply != NULL)
        command_complain("try: --filters is for a session, --reply for what a filter has said");
    else if (options->filters && (options->sender == NULL || options->recipients == NULL))
        command_complain("try: filters must be told of whom and to whom the mail is: say --sender "
                         "and --recipient");
    else
        return client_is_address(options->client) && headers_have_names(options->headers);
    return FALSE;
}

/* FALSE: said. */
static gboolean
read_headers(TryOptions *options)
{
    g_autoptr(GError) error = NULL;
    if (options->headers == NULL && options->message == NULL)
        return TRUE;
    options->all_headers = g_ptr_array_new_with_free_func(g_free);
    for (char **header = options->headers; header != NULL && *header != NULL; header++)
        g_ptr_array_add(options->all_headers, g_strdup(*header));
    gint64 size = -1;
    if (options->message != NULL &&
        !try_message_read(options->message, options->all_headers, &size, &options->whole, &error)) {
        command_complain("try: %s", error->message);
        return FALSE;
    }
    if (options->size < 0)
        options->size = size;
    return TRUE;
}

gboolean
try_options_read(TryOptions *options, int *argc, char ***argv, int *status)
{
    *options = (TryOptions){.size = -1};
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config,
         "the policy, instead of the installed one", "FILE"},
        {"client", 0, 0, G_OPTION_ARG_FILENAME, &options->client, "the client's address",
         "ADDRESS"},
        {"client-name", 0, 0, G_OPTION_ARG_FILENAME, &options->client_name, "its verified name",
         "NAME"},
        {"helo", 0, 0, G_OPTION_ARG_FILENAME, &options->helo, "what it said in HELO", "NAME"},
        {"tls", 0, 0, G_OPTION_ARG_FILENAME, &options->tls, "as in TLSv1.3", "VERSION"},
        {"auth-user", 0, 0, G_OPTION_ARG_FILENAME, &options->auth_user, "who has logged in",
         "USER"},
        {"daemon", 0, 0, G_OPTION_ARG_FILENAME, &options->daemon, "the MTA's {daemon_name}",
         "NAME"},
        {"sender", 0, 0, G_OPTION_ARG_FILENAME, &options->sender, "'' is the null sender",
         "ADDRESS"},
        {"recipient", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->recipients, "may be repeated",
         "ADDRESS"},
        {"header", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->headers,
         "as in 'Subject: x'; may be repeated", "LINE"},
        {"size", 0, 0, G_OPTION_ARG_INT64, &options->size, "of the message", "OCTETS"},
        {"message", 0, 0, G_OPTION_ARG_FILENAME, &options->message,
         "headers and size from a file, or -", "FILE"},
        {"smtputf8", 0, 0, G_OPTION_ARG_NONE, &options->smtputf8, "the client announced SMTPUTF8",
         NULL},
        {"queue-id", 0, 0, G_OPTION_ARG_FILENAME, &options->queue_id, "the MTA's queue id", "ID"},
        {"reply", 0, 0, G_OPTION_ARG_FILENAME, &options->reply, "what somebody else answered",
         "REPLY"},
        {"stage", 0, 0, G_OPTION_ARG_FILENAME, &options->stage_name,
         "where it was answered, or play no further", "STAGE"},
        {"door", 0, 0, G_OPTION_ARG_FILENAME, &options->door_name, "by which it comes to us",
         "DOOR"},
        {"filter", 0, 0, G_OPTION_ARG_FILENAME, &options->filter, "the filter that gave it",
         "NAME"},
        {"filters", 0, 0, G_OPTION_ARG_NONE, &options->filters, "ask the policy's filters, too",
         NULL},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &options->json, "one JSON object instead", NULL},
        G_OPTION_ENTRY_NULL,
    };
    *status = COMMAND_USAGE;
    if (!command_parse(entries, description, argc, argv) || !has_sense(options, *argc, *argv) ||
        !read_names(options))
        return FALSE;
    *status = COMMAND_FAILED;
    return read_headers(options);
}

void
try_options_clear(TryOptions *options)
{
    char **texts[] = {&options->config, &options->client,     &options->client_name,
                      &options->helo,   &options->sender,     &options->auth_user,
                      &options->tls,    &options->daemon,     &options->queue_id,
                      &options->filter, &options->stage_name, &options->door_name,
                      &options->reply,  &options->message};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_clear_pointer(texts[i], g_free);
    g_clear_pointer(&options->recipients, g_strfreev);
    g_clear_pointer(&options->headers, g_strfreev);
    g_clear_pointer(&options->all_headers, g_ptr_array_unref);
    if (options->whole != NULL)
        g_string_free(options->whole, TRUE);
}

static const char *
or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void
set_direction(const TryOptions *options, const Policy *policy, Facts *facts)
{
    if (options->client == NULL && options->auth_user == NULL)
        return;
    facts_set(facts, FACT_DIRECTION,
              engine_direction(policy, options->client, options->auth_user, SOME_PORT));
}

void
try_options_session(const TryOptions *options, const Policy *policy, Facts *facts)
{
    const char *name = options->client_name;
    if (name == NULL && options->client != NULL)
        name = "unknown";
    facts_set(facts, FACT_CLIENT, options->client);
    facts_set(facts, FACT_CLIENT_NAME, name);
    facts_set(facts, FACT_HELO, options->helo);
    facts_set(facts, FACT_TLS, or_none(options->tls));
    facts_set(facts, FACT_AUTH_USER, or_none(options->auth_user));
    facts_set(facts, FACT_DAEMON, options->daemon);
    g_autofree char *sender = options->sender != NULL ? address_parse(options->sender) : NULL;
    facts_set(facts, FACT_SENDER, sender);
    facts_set(facts, FACT_FILTER, options->filter);
    set_direction(options, policy, facts);
    facts->queue_id = g_strdup(options->queue_id);
    facts->hostname = g_strdup(g_get_host_name());
    facts->smtputf8 = options->smtputf8;
}

void
try_options_message(const TryOptions *options, Facts *facts)
{
    facts->size = options->size;
    if (options->all_headers != NULL)
        facts->headers = g_ptr_array_ref(options->all_headers);
}
