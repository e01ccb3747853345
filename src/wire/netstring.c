/*
 * netstring: octets with their length before them and a comma behind.
 */
#include "wire/netstring.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static NetstringState
broken(const char *data, gsize length, const char *what, GError **error)
{
    g_autofree char *octets = g_strndup(data, MIN(length, NETSTRING_HEAD_MAX));
    g_autofree char *shown = text_escape(octets);
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL, "not a netstring: %s: \"%s\"",
                what, shown);
    return NETSTRING_BROKEN;
}

static NetstringState
too_long(guint64 announced, gsize limit, GError **error)
{
    g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_LIMIT,
                "a netstring of %" G_GUINT64_FORMAT " octets or more; at most %" G_GSIZE_FORMAT
                " are taken",
                announced, limit);
    return NETSTRING_BROKEN;
}

/* Reads "123:". WHOLE: the colon is there, `head` is its length with it. */
static NetstringState
decode_head(const char *data, gsize length, gsize limit, guint64 *announced, gsize *head,
            GError **error)
{
    gsize i = 0;
    *announced = *head = 0;
    for (; i < length && g_ascii_isdigit(data[i]); i++) {
        if (i == 1 && data[0] == '0')
            return broken(data, length, "its length begins with a zero", error);
        *announced = *announced * 10 + (guint64)g_ascii_digit_value(data[i]);
        if (*announced > limit)
            return too_long(*announced, limit, error);
    }
    if (i == length)
        return NETSTRING_MORE;
    if (i == 0)
        return broken(data, length, "its length does not begin with a digit", error);
    if (data[i] != ':')
        return broken(data, length, "no colon behind its length", error);
    *head = i + 1;
    return NETSTRING_WHOLE;
}

NetstringState
netstring_decode(const char *data, gsize length, gsize limit, Netstring *found, GError **error)
{
    guint64 announced;
    gsize head;

    g_assert(limit <= G_MAXUINT32);
    *found = (Netstring){0};
    NetstringState state = decode_head(data, length, limit, &announced, &head, error);
    if (state != NETSTRING_WHOLE)
        return state;
    found->size = head + (gsize)announced + 1;
    if (length < found->size)
        return NETSTRING_MORE;
    if (data[found->size - 1] != ',')
        return broken(data + found->size - 1, 1, "no comma behind its payload", error);
    found->payload = data + head;
    found->length = (gsize)announced;
    return NETSTRING_WHOLE;
}

void
netstring_append(GString *out, const char *payload, gssize length)
{
    gsize octets = length < 0 ? strlen(payload) : (gsize)length;
    g_string_append_printf(out, "%" G_GSIZE_FORMAT ":", octets);
    g_string_append_len(out, payload, (gssize)octets);
    g_string_append_c(out, ',');
}
