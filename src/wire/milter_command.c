/*
 * milter_command: what an MTA tells a filter.
 */
#include "wire/milter_command.h"

#include <string.h>

gsize
milter_command_append(GString *out, MilterCommandCode code)
{
    return milter_packet_append(out, (char)code, NULL, 0);
}

static gsize
append_string(GString *out, MilterCommandCode code, const char *string)
{
    return milter_packet_append(out, (char)code, string, strlen(string) + 1);
}

static void
append_strings(GString *out, const char *const *strings)
{
    for (; *strings != NULL; strings++)
        milter_string_append(out, *strings);
}

gsize
milter_command_begin_macros(GString *out, MilterCommandCode stage)
{
    gsize begun = milter_packet_begin(out, MILTER_COMMAND_MACRO);
    g_string_append_c(out, (char)stage);
    return begun;
}

void
milter_command_append_macro(GString *out, const char *name, const char *value)
{
    milter_string_append(out, name);
    milter_string_append(out, value);
}

gsize
milter_command_append_connect(GString *out, const char *host_name, MilterFamily family,
                              guint16 port, const char *address)
{
    gsize begun = milter_packet_begin(out, MILTER_COMMAND_CONNECT);
    guint16 network = GUINT16_TO_BE(port);

    milter_string_append(out, host_name);
    g_string_append_c(out, (char)family);
    if (family != MILTER_FAMILY_UNKNOWN) {
        g_string_append_len(out, (const char *)&network, sizeof network);
        milter_string_append(out, address);
    }
    return milter_packet_end(out, begun);
}

gsize
milter_command_append_helo(GString *out, const char *name)
{
    return append_string(out, MILTER_COMMAND_HELO, name);
}

gsize
milter_command_append_address(GString *out, MilterCommandCode code, const char *const *arguments)
{
    g_assert(code == MILTER_COMMAND_MAIL || code == MILTER_COMMAND_RCPT);
    gsize begun = milter_packet_begin(out, (char)code);
    append_strings(out, arguments);
    return milter_packet_end(out, begun);
}

gsize
milter_command_append_header(GString *out, const char *name, const char *value)
{
    gsize begun = milter_packet_begin(out, MILTER_COMMAND_HEADER);
    milter_string_append(out, name);
    milter_string_append(out, value);
    return milter_packet_end(out, begun);
}

gsize
milter_command_append_body(GString *out, MilterCommandCode code, const char *octets, gsize length)
{
    g_assert(code == MILTER_COMMAND_BODYEOB || (code == MILTER_COMMAND_BODY && length > 0));
    return milter_packet_append(out, (char)code, octets, length);
}

gsize
milter_command_append_unknown(GString *out, const char *line)
{
    return append_string(out, MILTER_COMMAND_UNKNOWN, line);
}

/* Postfix sends macros before HEADER, BODY and UNKNOWN, too. */
static gboolean
is_stage(char code)
{
    return code != '\0' && strchr("CHMRTULNBE", code) != NULL;
}

static gboolean
parse_macros(MilterFields *fields, MilterCommand *command, GError **error)
{
    char stage;
    const char *name;

    if (!milter_fields_octet(fields, "stage", &stage, error))
        return FALSE;
    if (!is_stage(stage))
        return milter_fields_fail(fields->code, error, "with a stage that there is not");
    command->stage = (MilterCommandCode)(guchar)stage;
    if (!milter_fields_strings(fields, "macro", &command->strings, error))
        return FALSE;
    if (command->strings.count % 2 != 0)
        return milter_fields_fail(fields->code, error, "with a macro that has no value");
    for (MilterStrings left = command->strings; (name = milter_strings_take(&left)) != NULL;
         (void)milter_strings_take(&left))
        if (*name == '\0')
            return milter_fields_fail(fields->code, error, "with an empty macro name");
    return TRUE;
}

static gboolean
parse_connect(MilterFields *fields, MilterCommand *command, GError **error)
{
    char family;

    if (!milter_fields_string(fields, "host name", &command->text, error) ||
        !milter_fields_octet(fields, "family", &family, error))
        return FALSE;
    if (family == '\0' || strchr("UL46", family) == NULL)
        return milter_fields_fail(fields->code, error, "with a family that there is not");
    command->family = (MilterFamily)(guchar)family;
    if (family == MILTER_FAMILY_UNKNOWN)
        return TRUE;
    return milter_fields_short(fields, "port", &command->port, error) &&
           milter_fields_string(fields, "address", &command->address, error);
}

static gboolean
parse_address(MilterFields *fields, MilterCommand *command, GError **error)
{
    if (!milter_fields_strings(fields, "argument", &command->strings, error))
        return FALSE;
    if (command->strings.count == 0)
        return milter_fields_fail(fields->code, error, "with no address");
    /* Postfix sends its own mail's null sender without the brackets. */
    if (*command->strings.first == '\0' && command->code != MILTER_COMMAND_MAIL)
        return milter_fields_fail(fields->code, error, "with an empty address");
    return TRUE;
}

static gboolean
parse_fields(MilterFields *fields, MilterCommand *command, GError **error)
{
    switch (command->code) {
    case MILTER_COMMAND_ABORT:
    case MILTER_COMMAND_DATA:
    case MILTER_COMMAND_EOH:
    case MILTER_COMMAND_QUIT:
    case MILTER_COMMAND_QUIT_NC:
        return TRUE;
    case MILTER_COMMAND_MACRO:
        return parse_macros(fields, command, error);
    case MILTER_COMMAND_CONNECT:
        return parse_connect(fields, command, error);
    case MILTER_COMMAND_HELO:
        return milter_fields_string(fields, "argument", &command->text, error);
    case MILTER_COMMAND_UNKNOWN:
        return milter_fields_string(fields, "line", &command->text, error);
    case MILTER_COMMAND_MAIL:
    case MILTER_COMMAND_RCPT:
        return parse_address(fields, command, error);
    case MILTER_COMMAND_HEADER:
        return milter_fields_name(fields, "name", &command->name, error) &&
               milter_fields_string(fields, "value", &command->value, error);
    case MILTER_COMMAND_BODY:
        if (fields->left == 0)
            return milter_fields_fail(fields->code, error, "with no octets");
        /* fall through */
    case MILTER_COMMAND_BODYEOB:
    case MILTER_COMMAND_OPTNEG:
        milter_fields_rest(fields, &command->octets, &command->length);
        return TRUE;
    }
    return milter_fields_fail(fields->code, error, "where a command is due");
}

gboolean
milter_command_parse(const MilterPacket *packet, MilterCommand *command, GError **error)
{
    MilterFields fields = milter_fields(packet);

    *command = (MilterCommand){.code = (MilterCommandCode)(guchar)packet->code};
    return parse_fields(&fields, command, error) && milter_fields_end(&fields, error);
}
