/*
 * address_block: IPv4 and IPv6 address blocks.
 *
 * Everything is kept as 16 octets, an IPv4 address as ::ffff:a.b.c.d, so that one comparison
 * serves both.
 */
#include "policy/address_block.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"

enum { MAPPED_BITS = 96, ALL_BITS = 128 };

static const guint8 mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static gboolean
is_mapped(const guint8 address[16])
{
    return memcmp(address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* Reads an address without decoration. */
static gboolean
read_octets(const char *text, guint8 octets[16])
{
    if (inet_pton(AF_INET, text, octets + sizeof(mapped_prefix)) == 1) {
        memcpy(octets, mapped_prefix, sizeof(mapped_prefix));
        return TRUE;
    }
    return inet_pton(AF_INET6, text, octets) == 1;
}

gboolean
address_block_from_address(const char *text, AddressBlock *block)
{
    char bare[INET6_ADDRSTRLEN];
    gsize length = strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (g_ascii_strncasecmp(text, "IPv6:", 5) == 0) {
        text += 5;
        length -= 5;
    }
    if (length >= sizeof(bare))
        return FALSE;
    memcpy(bare, text, length);
    bare[length] = '\0';
    block->bits = ALL_BITS;
    return read_octets(bare, block->address);
}

AddressBlock
address_block_widen(const AddressBlock *address, guint8 bits)
{
    g_assert(bits <= ALL_BITS);
    AddressBlock wide = {.bits = bits};
    memcpy(wide.address, address->address, bits / 8);
    if (bits % 8 != 0)
        wide.address[bits / 8] = (guint8)(address->address[bits / 8] & (0xff << (8 - bits % 8)));
    return wide;
}

gboolean
address_block_covers(const AddressBlock *block, const AddressBlock *inner)
{
    if (inner->bits < block->bits)
        return FALSE;
    AddressBlock wide = address_block_widen(inner, block->bits);
    return memcmp(wide.address, block->address, sizeof(wide.address)) == 0;
}

gboolean
address_block_contains(const AddressBlock *block, const char *address)
{
    AddressBlock one;
    return address_block_from_address(address, &one) && address_block_covers(block, &one);
}

/* "24" of "192.0.2.0/24" as bits of the mapped form. */
static gboolean
read_prefix(const char *digits, gboolean mapped, guint8 *bits)
{
    guint64 number;
    guint64 most = mapped ? ALL_BITS - MAPPED_BITS : ALL_BITS;
    if (!g_ascii_string_to_unsigned(digits, 10, 0, most, &number, NULL))
        return FALSE;
    *bits = (guint8)(mapped ? number + MAPPED_BITS : number);
    return TRUE;
}

gboolean
address_block_parse(const char *text, AddressBlock *block, GError **error)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address =
        slash != NULL ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    AddressBlock read;
    if (!address_block_from_address(address, &read)) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                    "\"%s\" is no address and no address block", text);
        return FALSE;
    }
    /* "::ffff:192.0.2.0/120" counts its bits in the long form. */
    gboolean short_form = is_mapped(read.address) && strchr(address, ':') == NULL;
    if (slash != NULL && !read_prefix(slash + 1, short_form, &read.bits)) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                    "\"%s\": the prefix is a number from 0 to %d", text, short_form ? 32 : 128);
        return FALSE;
    }
    AddressBlock wide = address_block_widen(&read, read.bits);
    if (memcmp(wide.address, read.address, sizeof(wide.address)) != 0) {
        g_autofree char *meant = address_block_format(&wide);
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_SYNTAX,
                    "\"%s\" has bits set behind its prefix: did you mean \"%s\"?", text, meant);
        return FALSE;
    }
    *block = read;
    return TRUE;
}

char *
address_block_format(const AddressBlock *block)
{
    char text[INET6_ADDRSTRLEN];
    gboolean mapped = is_mapped(block->address) && block->bits >= MAPPED_BITS;
    if (mapped)
        inet_ntop(AF_INET, block->address + sizeof(mapped_prefix), text, sizeof(text));
    else
        inet_ntop(AF_INET6, block->address, text, sizeof(text));
    if (block->bits == ALL_BITS)
        return g_strdup(text);
    return g_strdup_printf("%s/%d", text, mapped ? block->bits - MAPPED_BITS : block->bits);
}
