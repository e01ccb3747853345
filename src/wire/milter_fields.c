/*
 * milter_fields: the data of a milter packet, field by field, never past their end.
 */
#include "wire/milter_fields.h"

#include <string.h>

#include "base/error.h"

const char *
milter_strings_take(MilterStrings *left)
{
    if (left->count == 0)
        return NULL;
    const char *taken = left->first;
    left->first += strlen(taken) + 1;
    left->count--;
    return taken;
}

gboolean
milter_fields_fail(char code, GError **error, const char *wrong)
{
    const char *name = milter_code_name(code);
    if (name == NULL)
        return error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                          "not of the milter protocol: packet 0x%02x %s", (guchar)code, wrong);
    return error_fail(error, REPLYMILTER_ERROR_PROTOCOL, "not of the milter protocol: %s %s", name,
                      wrong);
}

static gboolean
too_short(const MilterFields *fields, const char *what, GError **error)
{
    g_autofree char *wrong = g_strdup_printf("with no %s", what);
    return milter_fields_fail(fields->code, error, wrong);
}

MilterFields
milter_fields(const MilterPacket *packet)
{
    return (MilterFields){packet->code, packet->data, packet->length};
}

static const char *
take(MilterFields *fields, gsize size)
{
    const char *taken = fields->at;
    if (fields->left < size)
        return NULL;
    fields->at += size;
    fields->left -= size;
    return taken;
}

gboolean
milter_fields_octet(MilterFields *fields, const char *what, char *octet, GError **error)
{
    const char *taken = take(fields, 1);
    if (taken == NULL)
        return too_short(fields, what, error);
    *octet = *taken;
    return TRUE;
}

gboolean
milter_fields_short(MilterFields *fields, const char *what, guint16 *number, GError **error)
{
    guint16 network;
    const char *taken = take(fields, sizeof network);
    if (taken == NULL)
        return too_short(fields, what, error);
    memcpy(&network, taken, sizeof network);
    *number = GUINT16_FROM_BE(network);
    return TRUE;
}

gboolean
milter_fields_long(MilterFields *fields, const char *what, guint32 *number, GError **error)
{
    const char *taken = take(fields, MILTER_LONG_SIZE);
    if (taken == NULL)
        return too_short(fields, what, error);
    *number = milter_long_read(taken);
    return TRUE;
}

gboolean
milter_fields_string(MilterFields *fields, const char *what, const char **string, GError **error)
{
    const char *end = fields->left > 0 ? memchr(fields->at, '\0', fields->left) : NULL;
    if (end == NULL) {
        g_autofree char *wrong = g_strdup_printf("with no NUL behind its %s", what);
        return milter_fields_fail(fields->code, error, wrong);
    }
    *string = take(fields, (gsize)(end - fields->at) + 1);
    return TRUE;
}

gboolean
milter_fields_name(MilterFields *fields, const char *what, const char **string, GError **error)
{
    if (!milter_fields_string(fields, what, string, error))
        return FALSE;
    if (**string == '\0') {
        g_autofree char *wrong = g_strdup_printf("with an empty %s", what);
        return milter_fields_fail(fields->code, error, wrong);
    }
    return TRUE;
}

gboolean
milter_fields_strings(MilterFields *fields, const char *what, MilterStrings *strings,
                      GError **error)
{
    const char *string;

    *strings = (MilterStrings){fields->left > 0 ? fields->at : NULL, 0};
    for (; fields->left > 0; strings->count++)
        if (!milter_fields_string(fields, what, &string, error))
            return FALSE;
    return TRUE;
}

void
milter_fields_rest(MilterFields *fields, const char **octets, gsize *length)
{
    *length = fields->left;
    *octets = take(fields, fields->left);
}

gboolean
milter_fields_end(const MilterFields *fields, GError **error)
{
    if (fields->left == 0)
        return TRUE;
    g_autofree char *wrong =
        g_strdup_printf("with %" G_GSIZE_FORMAT " octets behind its data", fields->left);
    return milter_fields_fail(fields->code, error, wrong);
}

void
milter_string_append(GString *out, const char *string)
{
    g_string_append_len(out, string, (gssize)strlen(string) + 1);
}
