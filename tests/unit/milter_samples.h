/*
 * milter_samples: what the tests and the fuzz target of the milter protocol share: packets cut from
 * literals, and a command that was read, written once more.
 */
#pragma once

#include <string.h>

#include "wire/milter_command.h"

/* A literal that has NULs in it, and its length. */
#define OCTETS(literal) literal, sizeof(literal) - 1

/* A packet over a heap copy of just these octets, so that a sanitizer sees any look behind them.
 * `copy` owns it. */
static inline MilterPacket
sample_packet(char code, const char *data, gsize length, char **copy)
{
    *copy = g_malloc(MAX(length, 1));
    if (length > 0)
        memcpy(*copy, data, length);
    return (MilterPacket){code, *copy, length, MILTER_PACKET_HEAD + length};
}

/* NULL-terminated, the strings borrowed; g_free() it. */
static inline const char **
sample_vector(MilterStrings strings)
{
    const char **vector = g_new0(const char *, strings.count + 1);
    for (guint i = 0; strings.count > 0; i++)
        vector[i] = milter_strings_take(&strings);
    return vector;
}

static inline void
sample_append_macros(GString *out, MilterCommandCode stage, MilterStrings strings)
{
    const char *name;
    gsize begun = milter_command_begin_macros(out, stage);
    while ((name = milter_strings_take(&strings)) != NULL)
        milter_command_append_macro(out, name, milter_strings_take(&strings));
    milter_packet_end(out, begun);
}

/* Appends what was read, by the function that its kind of command has. Not for OPTNEG. */
static inline void
sample_append_command(GString *out, const MilterCommand *command)
{
    g_autofree const char **strings = sample_vector(command->strings);

    switch (command->code) {
    case MILTER_COMMAND_MACRO:
        sample_append_macros(out, command->stage, command->strings);
        break;
    case MILTER_COMMAND_CONNECT:
        milter_command_append_connect(out, command->text, command->family, command->port,
                                      command->address);
        break;
    case MILTER_COMMAND_HELO:
        milter_command_append_helo(out, command->text);
        break;
    case MILTER_COMMAND_UNKNOWN:
        milter_command_append_unknown(out, command->text);
        break;
    case MILTER_COMMAND_MAIL:
    case MILTER_COMMAND_RCPT:
        milter_command_append_address(out, command->code, strings);
        break;
    case MILTER_COMMAND_HEADER:
        milter_command_append_header(out, command->name, command->value);
        break;
    case MILTER_COMMAND_BODY:
    case MILTER_COMMAND_BODYEOB:
        milter_command_append_body(out, command->code, command->octets, command->length);
        break;
    default:
        milter_command_append(out, command->code);
    }
}
