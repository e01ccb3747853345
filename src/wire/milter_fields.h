/*
 * milter_fields: the data of a milter packet, field by field, never past their end.
 *
 * For the readers of commands, answers and negotiations. Each error (REPLYMILTER_ERROR_PROTOCOL)
 * names the packet and the field. What is found is borrowed from the packet. Pure; threads: any.
 */
#pragma once

#include <glib.h>

#include "wire/milter_packet.h"

/* That many strings, each with its NUL, one behind the other, borrowed. */
typedef struct {
    const char *first; /* NULL only if there are none */
    guint count;
} MilterStrings;

/* Takes the first one out of `left`; NULL when none is left. */
const char *milter_strings_take(MilterStrings *left);

typedef struct {
    char code;
    const char *at;
    gsize left;
} MilterFields;

MilterFields milter_fields(const MilterPacket *packet);

/* `what`: the field, in English, for the error. */
gboolean milter_fields_octet(MilterFields *fields, const char *what, char *octet, GError **error);
gboolean milter_fields_short(MilterFields *fields, const char *what, guint16 *number,
                             GError **error);
gboolean milter_fields_long(MilterFields *fields, const char *what, guint32 *number,
                            GError **error);
/* Up to its NUL, which must be there. */
gboolean milter_fields_string(MilterFields *fields, const char *what, const char **string,
                              GError **error);
/* As above, and not empty. */
gboolean milter_fields_name(MilterFields *fields, const char *what, const char **string,
                            GError **error);
/* All that is left; there may be none. */
gboolean milter_fields_strings(MilterFields *fields, const char *what, MilterStrings *strings,
                               GError **error);
/* All that is left, as it is. */
void milter_fields_rest(MilterFields *fields, const char **octets, gsize *length);
/* Nothing may be left. */
gboolean milter_fields_end(const MilterFields *fields, GError **error);

/* Sets "not of the milter protocol: SMFIC_MAIL WRONG" and returns FALSE. A packet whose code
 * is not known is named by its octet. */
gboolean milter_fields_fail(char code, GError **error, const char *wrong);

/* Appends it with its NUL. */
void milter_string_append(GString *out, const char *string);
