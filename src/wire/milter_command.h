/*
 * milter_command: what an MTA tells a filter.
 *
 * One function appends each kind of command to a buffer, so that macros and command, or many
 * headers, go out in one write. Nothing is checked or cut: each returns the octets of its packet's
 * data, and whoever finds more of them than were agreed (milter_steps_data_max()) drops the packet
 * again by g_string_truncate(). The reader is the filter's side. OPTNEG is in milter_negotiation.
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

#include "wire/milter_fields.h"
#include "wire/milter_packet.h"

/* SMFIA_*: what a client's address is. */
typedef enum {
    MILTER_FAMILY_UNKNOWN = 'U', /* no port and no address */
    MILTER_FAMILY_UNIX = 'L',    /* the address is a path */
    MILTER_FAMILY_INET = '4',
    MILTER_FAMILY_INET6 = '6', /* Sendmail writes "IPv6:" before the address, Postfix does not */
} MilterFamily;

/* Those without data: ABORT, DATA, EOH, QUIT, QUIT_NC. */
gsize milter_command_append(GString *out, MilterCommandCode code);

/* Macros: begin, append each, end by milter_packet_end(). `stage`: the command that they come
 * before. `name`: as in the negotiation ("i", "{auth_type}"). */
gsize milter_command_begin_macros(GString *out, MilterCommandCode stage);
void milter_command_append_macro(GString *out, const char *name, const char *value);

/* `port`: in the host's order. With MILTER_FAMILY_UNKNOWN, port and address are not sent, and
 * `address` may be NULL. */
gsize milter_command_append_connect(GString *out, const char *host_name, MilterFamily family,
                                    guint16 port, const char *address);
gsize milter_command_append_helo(GString *out, const char *name);

/* MAIL and RCPT. `arguments`: the address in its angle brackets, ESMTP arguments, NULL. */
gsize milter_command_append_address(GString *out, MilterCommandCode code,
                                    const char *const *arguments);

/* `value` as it is to be seen: the caller knows whether MILTER_STEP_HDR_LEADSPC holds. */
gsize milter_command_append_header(GString *out, const char *name, const char *value);

/* BODY, or BODYEOB with the last piece; libmilter closes the connection at a BODY of no octets.
 * `octets` may be NULL if `length` is 0. */
gsize milter_command_append_body(GString *out, MilterCommandCode code, const char *octets,
                                 gsize length);

/* `line`: the SMTP command, without its line's end. */
gsize milter_command_append_unknown(GString *out, const char *line);

/* Everything is borrowed from the packet. What its command does not have is 0 or NULL. */
typedef struct {
    MilterCommandCode code;
    MilterCommandCode stage; /* MACRO: the command that they come before */
    MilterStrings strings;   /* MACRO: name, value, ...; MAIL, RCPT: address, argument, ... */
    const char *text;        /* CONNECT: the host's name; HELO: the argument; UNKNOWN: the line */
    MilterFamily family;     /* CONNECT */
    guint16 port;            /* CONNECT; in the host's order */
    const char *address;     /* CONNECT; NULL: MILTER_FAMILY_UNKNOWN */
    const char *name;        /* HEADER */
    const char *value;       /* HEADER; may be empty */
    const char *octets;      /* BODY, BODYEOB: a piece of the body; OPTNEG: what is to be read by
                              * milter_negotiation_parse() */
    gsize length;            /* of octets */
} MilterCommand;

/*
 * Reads a packet of the MTA. FALSE and an error that names the packet (REPLYMILTER_ERROR_PROTOCOL)
 * for one that is no command, misses a NUL or a part, has octets behind its last part, an empty
 * BODY, recipient, or header or macro name, macros that are no pairs, or a family or stage that
 * there is not. A sender can be empty.
 */
gboolean milter_command_parse(const MilterPacket *packet, MilterCommand *command, GError **error);
